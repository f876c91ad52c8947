package sqlite

import (
	"slices"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	sqlite3 "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// kind is what relationships of one shape have in common: the types and relations of both
// sides. There are as many as the schema has pairs, and relationships name them by number.
type kind struct {
	id                           int64
	resourceType, relation       string
	subjectType, subjectRelation string
}

func kindOf(r tuple.RelationshipReference) kind {
	return kind{
		resourceType: r.Resource.ObjectType, relation: r.Resource.Relation,
		subjectType: r.Subject.ObjectType, subjectRelation: r.Subject.Relation,
	}
}

type resourceRelation struct{ resourceType, relation string }

// kinds is a set of kinds that never changes; more make a new set.
type kinds struct {
	all        []*kind
	ids        map[kind]*kind // by the kind without its id
	numbers    map[int64]*kind
	byResource map[resourceRelation][]*kind
}

func newKinds(all []*kind) *kinds {
	k := &kinds{
		all: all, ids: make(map[kind]*kind, len(all)), numbers: make(map[int64]*kind, len(all)),
		byResource: make(map[resourceRelation][]*kind),
	}
	for _, one := range all {
		key := *one
		key.id = 0
		k.ids[key] = one
		k.numbers[one.id] = one
		at := resourceRelation{one.resourceType, one.relation}
		k.byResource[at] = append(k.byResource[at], one)
	}
	return k
}

// with is the set and some more.
func (k *kinds) with(more []*kind) *kinds {
	return newKinds(append(slices.Clip(k.all), more...))
}

// of gives the kinds with a resource type and relation; "" is any.
func (k *kinds) of(resourceType, relation string) []*kind {
	if resourceType != "" && relation != "" {
		return k.byResource[resourceRelation{resourceType, relation}]
	}
	var out []*kind
	for _, one := range k.all {
		if (resourceType == "" || one.resourceType == resourceType) && (relation == "" || one.relation == relation) {
			out = append(out, one)
		}
	}
	return out
}

// last is the greatest number in use.
func (k *kinds) last() int64 {
	if len(k.all) == 0 {
		return 0
	}
	return k.all[len(k.all)-1].id
}

// relates reports whether a kind's subject side is one that a selector asks for.
func (k *kind) relates(subjectType string, filter datastore.SubjectRelationFilter) bool {
	if subjectType != "" && subjectType != k.subjectType {
		return false
	}
	switch {
	case filter.IsEmpty():
		return true
	case filter.OnlyNonEllipsisRelations:
		return k.subjectRelation != tuple.Ellipsis
	default:
		return filter.IncludeEllipsisRelation && k.subjectRelation == tuple.Ellipsis ||
			filter.NonEllipsisRelation != "" && k.subjectRelation == filter.NonEllipsisRelation
	}
}

// dictionary holds the kinds that are committed.
type dictionary struct{ atomic.Pointer[kinds] }

// load reads the kinds that were added since, in the order of their numbers.
func (d *dictionary) load(c *sqlite3.Conn) error {
	known := d.Load()
	if known == nil {
		known = newKinds(nil)
	}
	var more []*kind
	err := sqlitex.Execute(c, `SELECT id, resource_type, relation, subject_type, subject_relation
		FROM kind WHERE id > ? ORDER BY id`, &sqlitex.ExecOptions{
		Args: []any{known.last()},
		ResultFunc: func(s *sqlite3.Stmt) error {
			more = append(more, &kind{
				id: s.ColumnInt64(0), resourceType: s.ColumnText(1), relation: s.ColumnText(2),
				subjectType: s.ColumnText(3), subjectRelation: s.ColumnText(4),
			})
			return nil
		},
	})
	if err != nil {
		return meaning(err)
	}
	d.Store(known.with(more))
	return nil
}
