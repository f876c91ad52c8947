package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/store"
)

// testSchemaChanges: a change is there before it has an outcome, and can be found by that it has none.
func testSchemaChanges(w *world) {
	t := w.T
	all, err := w.db.SchemaChanges(w.ctx, 0, 10)
	want(t, "none", len(all), err, 0)
	if err := w.db.EndSchemaChange(w.ctx, 99, "applied", 0); err != nil {
		t.Errorf("to end none: %v", err)
	}
	given := []store.SchemaChange{
		{Actor: "ada", Cause: "serve", ToDigest: "b", Differences: "[]", After: "définition user {}\n"},
		{Actor: "bob", Cause: "apply", FromDigest: "b", ToDigest: "c", Differences: `[{"kind":"x"}]`, Before: "definition user {}", After: "definition '{}"},
		{Actor: "cy", Cause: "apply", FromDigest: "c", ToDigest: "d", Differences: "[]", Before: "x", After: "y"},
	}
	start := time.Now().Add(-time.Second)
	for i := range given {
		if given[i].ID, err = w.db.BeginSchemaChange(w.ctx, given[i]); err != nil {
			t.Fatal(err)
		}
	}
	clear := func(changes []store.SchemaChange) []store.SchemaChange {
		for i, c := range changes {
			if c.BegunAt.Before(start) || (c.EndedAt == nil) != (c.Outcome == "") {
				t.Errorf("change %d begun at %s, ended at %v, with outcome %q", c.ID, c.BegunAt, c.EndedAt, c.Outcome)
			}
			changes[i].BegunAt, changes[i].EndedAt = time.Time{}, nil
		}
		return changes
	}
	all, err = w.db.SchemaChanges(w.ctx, 0, 10)
	want(t, "all", clear(all), err, []store.SchemaChange{given[2], given[1], given[0]})
	all, err = w.db.SchemaChanges(w.ctx, given[2].ID, 1)
	want(t, "a page", clear(all), err, []store.SchemaChange{given[1]})

	if err := w.db.NoteDeleted(w.ctx, given[2].ID, 7); err != nil {
		t.Fatal(err)
	}
	if err := w.db.EndSchemaChange(w.ctx, given[1].ID, "applied", 3); err != nil {
		t.Fatal(err)
	}
	given[2].Deleted, given[1].Deleted, given[1].Outcome = 7, 3, "applied"
	all, err = w.db.OpenSchemaChanges(w.ctx, 10)
	want(t, "open", clear(all), err, []store.SchemaChange{given[2], given[0]})
	all, err = w.db.SchemaChanges(w.ctx, 0, 2)
	want(t, "the latest", clear(all), err, []store.SchemaChange{given[2], given[1]})
}
