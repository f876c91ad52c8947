package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// changes are those of one revision, rendered: of each relationship the last.
type changes struct {
	Relationships map[tuple.RelationshipReference]string
	Definitions   []string
	Metadata      []string
}

// between are the changes from one moment to the next.
func between(from, to *state) changes {
	c := changes{Relationships: make(map[tuple.RelationshipReference]string)}
	for ref, r := range to.rels {
		was, there := from.rels[ref]
		if !there || was.writing != r.writing && render(was.Relationship) != render(r.Relationship) {
			c.Relationships[ref] = "touch " + render(r.Relationship)
		}
	}
	for ref := range from.rels {
		if _, there := to.rels[ref]; !there {
			c.Relationships[ref] = "delete"
		}
	}
	c.Definitions = append(definitionsBetween("type", from.types, to.types), definitionsBetween("caveat", from.caveats, to.caveats)...)
	slices.Sort(c.Definitions)
	return c
}

// moot are changes that may be told, or not: what was written in between, and then again as it was.
func moot(from, to *state, how datastore.EmissionStrategy) map[tuple.RelationshipReference]string {
	out := make(map[tuple.RelationshipReference]string)
	for ref := range to.passing {
		r, is := to.rels[ref]
		was, before := from.rels[ref]
		switch {
		case is && before && render(was.Relationship) == render(r.Relationship):
			out[ref] = "touch " + render(r.Relationship)
		case !is && !before && how == datastore.EmitImmediatelyStrategy:
			out[ref] = "delete" // who asks to be told at once is told too much
		}
	}
	return out
}

func definitionsBetween[D datastore.SchemaDefinition](what string, from, to map[string]defined[D]) []string {
	var out []string
	for name, d := range to {
		// Writing a definition as it was is a change too.
		if was, there := from[name]; !there || was.at != d.at {
			out = append(out, fmt.Sprintf("%s %s = %v", what, name, d.as))
		}
	}
	for name := range from {
		if _, there := to[name]; !there {
			out = append(out, fmt.Sprintf("%s %s is gone", what, name))
		}
	}
	return out
}

// add takes in what a watch reports of a revision.
func (c *changes) add(r datastore.RevisionChanges, how datastore.EmissionStrategy) error {
	if c.Relationships == nil {
		c.Relationships = make(map[tuple.RelationshipReference]string)
	}
	for _, u := range r.RelationshipChanges {
		ref := u.Relationship.RelationshipReference
		if before := c.Relationships[ref]; before != "" && how == datastore.EmitWhenCheckpointedStrategy {
			return fmt.Errorf("%v tells twice of %v", r.Revision, ref)
		}
		switch u.Operation {
		case tuple.UpdateOperationTouch:
			c.Relationships[ref] = "touch " + render(u.Relationship)
		case tuple.UpdateOperationDelete:
			c.Relationships[ref] = "delete"
		default:
			return fmt.Errorf("%v tells that %v", r.Revision, u.DebugString())
		}
	}
	for _, d := range r.ChangedDefinitions {
		what := "caveat"
		if _, is := d.(datastore.TypeDefinition); is {
			what = "type"
		}
		c.Definitions = append(c.Definitions, fmt.Sprintf("%s %s = %v", what, d.GetName(), d))
	}
	for _, name := range r.DeletedNamespaces {
		c.Definitions = append(c.Definitions, "type "+name+" is gone")
	}
	for _, name := range r.DeletedCaveats {
		c.Definitions = append(c.Definitions, "caveat "+name+" is gone")
	}
	for _, m := range r.Metadatas {
		c.Metadata = append(c.Metadata, fmt.Sprint(m.AsMap()))
	}
	slices.Sort(c.Definitions)
	return nil
}

// checkWatch watches from a moment on until the newest was reported, and compares what it was
// told with the changes in between.
func (m *model) checkWatch(ctx context.Context, ds datastore.Datastore, from int, how datastore.EmissionStrategy) error {
	what := fmt.Sprintf("watching from %v to %v, emission %d", m.history[from].revision, m.head().revision, how)
	got, err := watched(ctx, ds, m.history[from].revision, m.head().revision, how)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	want := make(map[string]changes)
	for _, m := range m.history[from+1:] {
		told, c := got[m.revision.String()], m.changes
		for ref, change := range m.moot(how) {
			if told.Relationships[ref] == change {
				delete(told.Relationships, ref)
			}
		}
		if m.metadata != nil {
			c.Metadata = []string{fmt.Sprint(m.metadata.AsMap())}
		}
		if len(c.Relationships)+len(c.Definitions) == 0 && len(told.Metadata) == 0 {
			c.Metadata = nil // nobody need be told for that alone
		}
		got[m.revision.String()], want[m.revision.String()] = told, c
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		return fmt.Errorf("%s: -want +got:\n%s", what, d)
	}
	return nil
}

// watched gives what a watch reports after one revision, up to the checkpoint of another.
func watched(
	ctx context.Context, ds datastore.Datastore, from, to datastore.Revision, how datastore.EmissionStrategy,
) (map[string]changes, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	events, errs := ds.Watch(ctx, from, datastore.WatchOptions{
		Content:            datastore.WatchRelationships | datastore.WatchSchema | datastore.WatchCheckpoints,
		CheckpointInterval: 10 * time.Millisecond, EmissionStrategy: how,
	})
	got := make(map[string]changes)
	last, reached := from, false
	for !reached {
		event, open := <-events
		if !open {
			return nil, fmt.Errorf("it ended: %w", <-errs)
		}
		if event.Revision.LessThan(last) {
			return nil, fmt.Errorf("%v is reported after %v", event.Revision, last)
		}
		if event.IsCheckpoint {
			last, reached = event.Revision, !event.Revision.LessThan(to)
			continue
		}
		if event.Revision.Equal(from) {
			return nil, fmt.Errorf("it reports %v itself", from)
		}
		last = event.Revision
		c, known := got[last.String()]
		if known && how == datastore.EmitWhenCheckpointedStrategy {
			return nil, fmt.Errorf("%v is reported twice", last)
		}
		if err := c.add(event, how); err != nil {
			return nil, err
		}
		got[last.String()] = c
	}
	cancel()
	for event := range events {
		if !event.IsCheckpoint {
			return nil, fmt.Errorf("after the checkpoint of %v it reports %v", last, event.DebugString())
		}
	}
	if err := <-errs; !errors.As(err, &datastore.WatchCanceledError{}) {
		return nil, fmt.Errorf("its end is %w, not that it was canceled", err)
	}
	return got, nil
}
