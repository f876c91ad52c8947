package sqlite

import (
	"slices"

	"github.com/authzed/spicedb/pkg/datastore/options"
)

// seek makes an arm's bounds ones that SQLite can begin at.
//
// A search begins at one lower limit of a column. Where an arm names ids of the side that comes
// first in the order, or a prefix of them, that would be the limit, and all rows before a cursor
// would be read and passed over: the further a caller pages, the longer a page would take. So a
// bound takes ids away instead, and what remains of it concerns the other side of a single id; and
// a cursor within a prefix takes the place of the prefix's beginning.
func (a arm) seek(order options.SortOrder) []arm {
	bounds := a.bounds
	a.bounds = nil
	arms := []arm{a}
	for _, b := range bounds {
		var next []arm
		for _, one := range arms {
			next = append(next, one.bounded(order, b)...)
		}
		arms = next
	}
	return arms
}

// bounded gives the arms that read what a bound leaves of an arm.
func (a arm) bounded(order options.SortOrder, b bound) []arm {
	ids, second := &a.resources, "subject_id"
	if order == options.BySubject {
		ids, second = &a.subjects, "resource_id"
	}
	at, lower := b.values[0], b.operator[0] == '>'
	if *ids == nil {
		if lower && a.prefix != "" && order == options.ByResource {
			if at < a.prefix { // everything with the prefix is beyond
				return []arm{a}
			}
			a.begun = true
		}
		a.add(&b)
		return []arm{a}
	}
	var out []arm
	same := slices.Contains(*ids, at)
	*ids = slices.DeleteFunc(slices.Clone(*ids), func(id string) bool {
		if id == at {
			return len(b.values) > 1 || len(b.operator) == 1 // it is for the other side to say, or none of it is left
		}
		return (id > at) != lower
	})
	if len(*ids) > 0 {
		out = append(out, a)
	}
	if same && len(b.values) > 1 {
		*ids = []string{at}
		a.add(&bound{columns: second, operator: b.operator, values: b.values[1:], second: true})
		out = append(out, a)
	}
	return out
}
