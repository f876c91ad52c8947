package sqlite_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
)

// model is what a datastore ought to hold: every revision as a full copy.
type model struct {
	history []moment
	oldest  int // the first moment that can still be read
}

// moment is one revision.
type moment struct {
	revision datastore.Revision
	state    *state
	metadata *structpb.Struct // of the transaction that made it
	changes  changes          // since the moment before, and those that may be told as well
	moot     func(datastore.EmissionStrategy) map[tuple.RelationshipReference]string
}

// head is the newest moment.
func (m *model) head() moment { return m.history[len(m.history)-1] }

// commit makes a draft the newest moment.
func (m *model) commit(at datastore.Revision, draft *state, metadata *structpb.Struct) {
	now := moment{revision: at, state: draft, metadata: metadata}
	if len(m.history) > 0 {
		before := m.head().state.draft() // as it is now: later collections do not change what happened
		now.changes = between(before, draft)
		passed := draft.draft()
		passed.passing = draft.passing
		now.moot = func(how datastore.EmissionStrategy) map[tuple.RelationshipReference]string {
			return moot(before, passed, how)
		}
	}
	m.history = append(m.history, now)
}

// state is the content of a datastore.
type state struct {
	rels     map[tuple.RelationshipReference]row
	types    map[string]defined[*core.NamespaceDefinition]
	caveats  map[string]defined[*core.CaveatDefinition]
	schema   *core.StoredSchema
	counters map[string]datastore.RelationshipCounter
	touched  bool // something was written, were it what was there before

	passing map[tuple.RelationshipReference]bool // what was written on the way here
}

// row is a relationship, and which writing of it this is.
type row struct {
	tuple.Relationship

	writing *int
}

// put writes a relationship.
func (s *state) put(r tuple.Relationship) {
	s.rels[r.RelationshipReference] = row{Relationship: r, writing: new(int)}
	s.touched, s.passing[r.RelationshipReference] = true, true
}

// known are the relationships, in an order.
func (s *state) known() []tuple.Relationship {
	return s.answer(query{sort: options.ByResource, expired: true}, time.Time{})
}

// defined is a definition, and the moment that wrote it as a place in the history.
type defined[D any] struct {
	as D
	at int
}

func newState() *state {
	return (&state{}).draft()
}

// draft is a copy to be changed.
func (s *state) draft() *state {
	c := &state{
		rels: maps.Clone(s.rels), types: maps.Clone(s.types), caveats: maps.Clone(s.caveats),
		counters: maps.Clone(s.counters), schema: s.schema,
		passing: make(map[tuple.RelationshipReference]bool),
	}
	if c.rels == nil {
		c.rels = make(map[tuple.RelationshipReference]row)
		c.types = make(map[string]defined[*core.NamespaceDefinition])
		c.caveats = make(map[string]defined[*core.CaveatDefinition])
		c.counters = make(map[string]datastore.RelationshipCounter)
	}
	return c
}

// hash is that of the stored schema.
func (s *state) hash() string { return s.schema.GetV1().GetSchemaHash() }

// render is a relationship with all that belongs to it, in one way only.
func render(r tuple.Relationship) string {
	var b strings.Builder
	reference := r.RelationshipReference
	b.WriteString(reference.String())
	if c := r.OptionalCaveat; c != nil {
		context, err := json.Marshal(c.GetContext().AsMap())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "[%s:%s]", c.GetCaveatName(), context)
	}
	if r.OptionalExpiration != nil {
		fmt.Fprintf(&b, "[until %s]", r.OptionalExpiration.UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}

func renderAll(rels []tuple.Relationship) []string {
	out := make([]string, 0, len(rels))
	for _, r := range rels {
		out = append(out, render(r))
	}
	return out
}

// compare orders relationships as a sort order asks for: by the bytes of six fields.
func compare(order options.SortOrder, a, b tuple.RelationshipReference) int {
	first, second := compareObjects(a.Resource, b.Resource), compareObjects(a.Subject, b.Subject)
	if order == options.BySubject {
		first, second = second, first
	}
	if first != 0 {
		return first
	}
	return second
}

func compareObjects(a, b tuple.ObjectAndRelation) int {
	return cmp.Or(
		strings.Compare(a.ObjectType, b.ObjectType),
		strings.Compare(a.ObjectID, b.ObjectID),
		strings.Compare(a.Relation, b.Relation),
	)
}
