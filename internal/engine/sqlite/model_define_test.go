package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// first is the revision of the empty store.
const first = sqlite.Revision(1)

var (
	drawTypeName    = rapid.SampledFrom([]string{"doc", "docs", "user", "Doc"})
	drawCounterName = rapid.SampledFrom([]string{"all", "ALL", "docs"})
)

// drawDefinition draws the writing of object types or caveats.
func drawDefinition(t *rapid.T, _ *state) step {
	if rapid.Bool().Draw(t, "caveats") {
		var defs []*core.CaveatDefinition
		for _, name := range rapid.SliceOfNDistinct(drawCaveatName, 1, 2, rapid.ID).Draw(t, "names") {
			defs = append(defs, &core.CaveatDefinition{
				Name: name, SerializedExpression: rapid.SliceOfN(rapid.Byte(), 0, 2).Draw(t, "expression"),
			})
		}
		return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, at int) error {
			for _, d := range defs {
				draft.caveats[d.GetName()] = defined[*core.CaveatDefinition]{d, at}
			}
			draft.touched = true
			return tx.LegacyWriteCaveats(ctx, defs)
		}
	}
	var defs []*core.NamespaceDefinition
	for _, name := range rapid.SliceOfNDistinct(drawTypeName, 1, 3, rapid.ID).Draw(t, "names") {
		d := &core.NamespaceDefinition{Name: name}
		for _, r := range rapid.SliceOfNDistinct(drawRelation, 0, 2, rapid.ID).Draw(t, "relations") {
			d.Relation = append(d.Relation, &core.Relation{Name: r})
		}
		defs = append(defs, d)
	}
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, at int) error {
		for _, d := range defs {
			draft.types[d.GetName()] = defined[*core.NamespaceDefinition]{d, at}
		}
		draft.touched = true
		return tx.LegacyWriteNamespaces(ctx, defs...)
	}
}

// drawDrop draws the deletion of object types, now and then unknown, or of caveats.
func drawDrop(t *rapid.T, s *state) step {
	if chance(t, 3, "caveats") {
		names := rapid.SliceOfNDistinct(drawCaveatName, 1, 2, rapid.ID).Draw(t, "names")
		return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
			for _, name := range names {
				_, there := draft.caveats[name]
				draft.touched = draft.touched || there
				delete(draft.caveats, name)
			}
			return tx.LegacyDeleteCaveats(ctx, names)
		}
	}
	drawName := drawTypeName
	if len(s.types) > 0 && !chance(t, 5, "unknown") {
		drawName = rapid.SampledFrom(slices.Sorted(maps.Keys(s.types)))
	}
	names := rapid.SliceOfNDistinct(drawName, 1, min(2, max(1, len(s.types))), rapid.ID).Draw(t, "names")
	how := rapid.SampledFrom([]datastore.DeleteNamespacesRelationshipsOption{
		datastore.DeleteNamespacesOnly, datastore.DeleteNamespacesAndRelationships,
	}).Draw(t, "how")
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		err := tx.LegacyDeleteNamespaces(ctx, names, how)
		for _, name := range names {
			if _, there := draft.types[name]; !there {
				return refused[datastore.NamespaceNotFoundError]("deleting the type "+name, err)
			}
		}
		for _, name := range names {
			delete(draft.types, name)
			if how == datastore.DeleteNamespacesAndRelationships {
				maps.DeleteFunc(draft.rels, func(r tuple.RelationshipReference, _ row) bool {
					return r.Resource.ObjectType == name
				})
			}
		}
		draft.touched = true
		return err
	}
}

// drawSchema draws the writing of the schema as a whole.
func drawSchema(t *rapid.T, _ *state) step {
	text := rapid.SampledFrom([]string{"definition user {}", "definition doc {}", "definition docs {}"}).Draw(t, "schema")
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		draft.schema = &core.StoredSchema{Version: 1, VersionOneof: &core.StoredSchema_V1{
			V1: &core.StoredSchema_V1StoredSchema{SchemaText: text, SchemaHash: "hash of " + text},
		}}
		draft.touched = true
		return tx.WriteStoredSchema(ctx, draft.schema.CloneVT())
	}
}

// drawCounter draws a change to a counter. One that is refused does not end the transaction.
func drawCounter(t *rapid.T, _ *state) step {
	name := drawCounterName.Draw(t, "counter")
	filter := &core.RelationshipFilter{ResourceType: drawResourceType.Draw(t, "of")}
	count := rapid.IntRange(0, 9).Draw(t, "count")
	what := rapid.SampledFrom([]string{"register", "store", "unregister"}).Draw(t, "what")
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		is, there := draft.counters[name]
		var err error
		switch what {
		case "register":
			if err = tx.RegisterCounter(ctx, name, filter); there {
				return accepted(refused[datastore.CounterAlreadyRegisteredError]("registering "+name, err))
			}
			draft.counters[name] = datastore.RelationshipCounter{Name: name, Filter: filter, ComputedAtRevision: datastore.NoRevision}
		case "store":
			if err = tx.StoreCounterValue(ctx, name, count, first); !there {
				return accepted(refused[datastore.CounterNotRegisteredError]("storing "+name, err))
			}
			is.Count, is.ComputedAtRevision = count, first
			draft.counters[name] = is
		case "unregister":
			if err = tx.UnregisterCounter(ctx, name); !there {
				return accepted(refused[datastore.CounterNotRegisteredError]("unregistering "+name, err))
			}
			delete(draft.counters, name)
		}
		draft.touched = true
		return err
	}
}

// accepted lets a transaction go on after a refusal.
func accepted(err error) error {
	if _, expected := errors.AsType[refusal](err); expected {
		return nil
	}
	return err
}

// drawLook draws a look at all definitions inside a transaction.
func drawLook(*rapid.T, *state) step {
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		// Of what it wrote itself, a transaction does not know the revision yet.
		return draft.checkDefinitions(ctx, tx, func(any) datastore.Revision { return nil })
	}
}

// checkDefinitions compares everything but the relationships. written gives the revision to
// compare, of a place in the history or of what was read.
func (s *state) checkDefinitions(ctx context.Context, r datastore.Reader, written func(any) datastore.Revision) error {
	types, err := r.LegacyListAllNamespaces(ctx)
	if err != nil {
		return err
	}
	if err := compareDefinitions("types", s.types, types, written); err != nil {
		return err
	}
	caveats, err := r.LegacyListAllCaveats(ctx)
	if err != nil {
		return err
	}
	if err := compareDefinitions("caveats", s.caveats, caveats, written); err != nil {
		return err
	}
	if err := s.checkNames(ctx, r); err != nil {
		return err
	}
	stored, err := r.ReadStoredSchema(ctx)
	switch {
	case s.schema == nil && !errors.Is(err, datastore.ErrSchemaNotFound):
		return fmt.Errorf("without a schema: %w", err)
	case s.schema != nil && err != nil:
		return err
	case s.schema != nil && !stored.Get().EqualVT(s.schema):
		return fmt.Errorf("the schema is %v, not %v", stored.Get(), s.schema)
	}
	return s.checkCounters(ctx, r)
}

// compareDefinitions compares all definitions of one sort with what was read.
func compareDefinitions[D datastore.SchemaDefinition](
	what string, want map[string]defined[D], got []datastore.RevisionedDefinition[D], written func(any) datastore.Revision,
) error {
	var wanted, has []string
	for name, d := range want {
		wanted = append(wanted, fmt.Sprintf("%s = %v, written at %v", name, d.as, written(d.at)))
	}
	for _, d := range got {
		has = append(has, fmt.Sprintf("%s = %v, written at %v", d.Definition.GetName(), d.Definition, written(d.LastWrittenRevision)))
	}
	slices.Sort(wanted)
	slices.Sort(has)
	if d := cmp.Diff(wanted, has); d != "" {
		return fmt.Errorf("%s: -want +got:\n%s", what, d)
	}
	return nil
}

// checkNames reads definitions by their names, known and unknown.
func (s *state) checkNames(ctx context.Context, r datastore.Reader) error {
	names := []string{"doc", "Doc", "users"}
	types, err := r.LegacyLookupNamespacesWithNames(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		want, there := s.types[name]
		if there != slices.ContainsFunc(types, func(d datastore.RevisionedNamespace) bool { return d.Definition.EqualVT(want.as) }) {
			return fmt.Errorf("the type %s is not as it should be among %v", name, types)
		}
		one, _, err := r.LegacyReadNamespaceByName(ctx, name)
		if !there {
			err = accepted(refused[datastore.NamespaceNotFoundError]("reading the type "+name, err))
		}
		if err != nil || !one.EqualVT(want.as) {
			return fmt.Errorf("the type %s is %v, not %v: %w", name, one, want.as, err)
		}
	}
	caveats, err := r.LegacyLookupCaveatsWithNames(ctx, []string{"week", "Week"})
	if err != nil {
		return err
	}
	want, there := s.caveats["week"]
	if there != (len(caveats) == 1) || there && !caveats[0].Definition.EqualVT(want.as) {
		return fmt.Errorf("the caveat week is %v, not %v", caveats, want.as)
	}
	one, _, err := r.LegacyReadCaveatByName(ctx, "week")
	if !there {
		err = accepted(refused[datastore.CaveatNameNotFoundError]("reading the caveat week", err))
	}
	if err != nil || !one.EqualVT(want.as) {
		return fmt.Errorf("the caveat week is %v, not %v: %w", one, want.as, err)
	}
	return nil
}

// checkCounters compares counters, and counts.
func (s *state) checkCounters(ctx context.Context, r datastore.Reader) error {
	got, err := r.LookupCounters(ctx)
	if err != nil {
		return err
	}
	if len(got) != len(s.counters) {
		return fmt.Errorf("the counters are %v, not %v", got, s.counters)
	}
	for _, c := range got {
		want := s.counters[c.Name]
		if c.Count != want.Count || !c.Filter.EqualVT(want.Filter) || !c.ComputedAtRevision.Equal(want.ComputedAtRevision) {
			return fmt.Errorf("the counter is %v, not %v", c, want)
		}
		n, err := r.CountRelationships(ctx, c.Name)
		if err != nil {
			return err
		}
		q := query{forward: datastore.RelationshipsFilter{OptionalResourceType: want.Filter.GetResourceType()}}
		if wanted := len(s.answer(q, time.Now())); n != wanted {
			return fmt.Errorf("the counter %s counts %d, not %d", c.Name, n, wanted)
		}
	}
	_, err = r.CountRelationships(ctx, "unknown")
	return accepted(refused[datastore.CounterNotRegisteredError]("counting the unknown", err))
}
