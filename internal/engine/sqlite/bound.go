package sqlite

import (
	"slices"
	"strings"

	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
)

// bound limits an arm of a sorted query to the rows on one side of a cursor. Within an arm the
// types and relations are the same for all rows, so that a bound speaks of ids alone.
type bound struct {
	columns  string // "resource_id", or "(resource_id, subject_id)" and the like
	operator string
	values   []string
	second   bool // it is about the side that comes second in the order; the first has one id
}

// within adds the bounds that cursors set; false if no row of the arm is between them.
func (a *arm) within(order options.SortOrder, after, upTo options.Cursor) bool {
	if after != nil {
		b, some := a.beyond(order, after)
		if !some {
			return false
		}
		a.add(b)
	}
	if upTo != nil {
		b, all := a.beyond(order, upTo)
		switch {
		case !all: // no row is beyond it
		case b == nil: // every row is
			return false
		default:
			a.add(b.opposite())
		}
	}
	return true
}

func (a *arm) add(b *bound) {
	if b != nil {
		a.bounds = append(slices.Clip(a.bounds), *b)
	}
}

// beyond bounds an arm to the rows that come after a cursor: nil if all do, false if none does.
func (a *arm) beyond(order options.SortOrder, cursor options.Cursor) (*bound, bool) {
	mine, his := a.kind.resource(), cursor.Resource
	mine2, his2 := a.kind.subject(), cursor.Subject
	first, second := "resource_id", "subject_id"
	if order == options.BySubject {
		mine, his, mine2, his2 = mine2, his2, mine, his
		first, second = second, first
	}
	// The order is by: type, id, relation of the first side; type, id, relation of the second.
	switch strings.Compare(mine.ObjectType, his.ObjectType) {
	case -1:
		return nil, false
	case 1:
		return nil, true
	}
	between := strings.Compare(mine.Relation, his.Relation)
	if between == 0 {
		between = strings.Compare(mine2.ObjectType, his2.ObjectType)
	}
	switch between {
	case -1:
		return &bound{columns: first, operator: ">", values: []string{his.ObjectID}}, true
	case 1:
		return &bound{columns: first, operator: ">=", values: []string{his.ObjectID}}, true
	}
	operator := ">"
	if mine2.Relation > his2.Relation {
		operator = ">="
	}
	return &bound{columns: "(" + first + ", " + second + ")", operator: operator, values: []string{his.ObjectID, his2.ObjectID}}, true
}

// opposite is the bound to the other rows.
func (b *bound) opposite() *bound {
	operator := "<="
	if b.operator == ">=" {
		operator = "<"
	}
	return &bound{columns: b.columns, operator: operator, values: b.values}
}

// resource is a kind's resource side, without an id.
func (k *kind) resource() tuple.ObjectAndRelation {
	return tuple.ObjectAndRelation{ObjectType: k.resourceType, Relation: k.relation}
}

// subject is a kind's subject side, without an id.
func (k *kind) subject() tuple.ObjectAndRelation {
	return tuple.ObjectAndRelation{ObjectType: k.subjectType, Relation: k.subjectRelation}
}
