package eval

import (
	"time"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// World is a schema with relationships, ready for checks. It remembers what
// checks found, so that one about the same subject costs less. It must not be used by two goroutines at once.
type World struct {
	schema   *zed.Schema
	caveats  caveatSet
	numbers  map[object]number
	objects  []object
	kinds    []*zed.Definition // of each object
	edges    map[node][]edge
	refused  []tuple.Relationship
	sessions map[sessionKey]*session
}

// object is an object of a definition. Its number is its index in World.objects.
type object struct{ kind, id string }

type number int32

// Numbers of objects that no relationship has. They have no relationships, so one number does for many.
const (
	strangeResource number = -1
	strangeSubject  number = -2
)

// node is a relation or permission of an object.
type node struct {
	object   number
	relation *zed.Relation
}

// edge is a relationship, seen from its resource.
type edge struct {
	subject  number
	relation *zed.Relation // of a set of subjects; nil for the object itself
	wildcard bool          // every object of the subject's definition
	allowed  int           // which of the relation's types it is of
	caveat   *corev1.ContextualizedCaveat
}

// New makes a World of a schema and relationships. Those expired at a time are
// left out, as are those that the schema does not allow, which Refused returns.
func New(schema *zed.Schema, relationships []tuple.Relationship, at time.Time) *World {
	w := &World{
		schema:   schema,
		caveats:  newCaveatSet(schema),
		numbers:  make(map[object]number, len(relationships)),
		edges:    make(map[node][]edge, len(relationships)),
		sessions: map[sessionKey]*session{},
	}
	for _, r := range relationships {
		if !w.add(r, at) {
			w.refused = append(w.refused, r)
		}
	}
	return w
}

// Refused returns the relationships that the schema does not allow, in the order in which they were given.
func (w *World) Refused() []tuple.Relationship { return w.refused }

// Schema returns the schema that checks are decided by.
func (w *World) Schema() *zed.Schema { return w.schema }

// add takes a relationship in, and reports whether the schema allows it.
func (w *World) add(r tuple.Relationship, at time.Time) bool {
	relation := w.schema.Relation(r.Resource.ObjectType, r.Resource.Relation)
	if relation == nil {
		return false
	}
	kind := typeOf(relation, r)
	subject := w.schema.Definition(r.Subject.ObjectType)
	if kind < 0 || subject == nil {
		return false
	}
	if r.OptionalExpiration != nil && r.OptionalExpiration.Before(at) {
		return true
	}
	e := edge{
		subject:  w.number(object{r.Subject.ObjectType, r.Subject.ObjectID}),
		relation: subject.Relation(r.Subject.Relation),
		wildcard: r.Subject.ObjectID == tuple.PublicWildcard,
		allowed:  kind,
	}
	if r.OptionalCaveat.GetCaveatName() != "" {
		e.caveat = r.OptionalCaveat
	}
	n := node{w.number(object{r.Resource.ObjectType, r.Resource.ObjectID}), relation}
	w.edges[n] = append(w.edges[n], e)
	return true
}

// number returns the number of an object, a new one if it has none.
func (w *World) number(o object) number {
	n, known := w.numbers[o]
	if !known {
		n = number(len(w.objects)) //nolint:gosec // a file has no two thousand million relationships
		w.numbers[o] = n
		w.objects = append(w.objects, o)
		w.kinds = append(w.kinds, w.schema.Definition(o.kind))
	}
	return n
}

// typeOf returns the index of the type that a relationship's subject is of, -1 if the relation has none such.
func typeOf(relation *zed.Relation, r tuple.Relationship) int {
	set := r.Subject.Relation
	if set == tuple.Ellipsis {
		set = ""
	}
	for i, t := range relation.Types {
		if t.Definition == r.Subject.ObjectType && t.Relation == set && t.Wildcard == (r.Subject.ObjectID == tuple.PublicWildcard) &&
			t.Caveat == r.OptionalCaveat.GetCaveatName() && t.Expiration == (r.OptionalExpiration != nil) {
			return i
		}
	}
	return -1
}
