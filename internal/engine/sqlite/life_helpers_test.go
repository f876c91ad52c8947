package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/datastore/queryshape"
	"github.com/authzed/spicedb/pkg/tuple"
	sqlite3 "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// fresh is a path for a database that is not there yet.
func fresh(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "engine.db")
}

// sized is a size, or a smaller one if the race detector watches.
func sized(n, small int) int {
	if racing {
		return small
	}
	return n
}

// mustOpen opens a datastore whose end is the caller's matter.
func mustOpen(t testing.TB, cfg sqlite.Config) *sqlite.Datastore {
	t.Helper()
	d, err := sqlite.Open(soon(t), cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return d
}

// running is a datastore that ends with the test.
func running(t testing.TB, cfg sqlite.Config) *sqlite.Datastore {
	t.Helper()
	d := mustOpen(t, cfg)
	t.Cleanup(func() { mustClose(t, d) })
	return d
}

func mustClose(t testing.TB, d *sqlite.Datastore) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// soon is a context for what has to end within a minute.
func soon(t testing.TB) context.Context {
	t.Helper()
	return lasting(t, time.Minute)
}

// lasting is a context with a deadline.
func lasting(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// update runs a transaction of these updates.
func update(ctx context.Context, d datastore.Datastore, updates ...tuple.RelationshipUpdate) (datastore.Revision, error) {
	return d.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		return tx.WriteRelationships(ctx, updates)
	})
}

// mustUpdate is update for what cannot fail.
func mustUpdate(t testing.TB, d datastore.Datastore, updates ...tuple.RelationshipUpdate) datastore.Revision {
	t.Helper()
	revision, err := update(soon(t), d, updates...)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	return revision
}

// group is a number of relationships that one transaction writes: each has the name as its
// resource, and the name says how many there are.
func group(kind, name string, n int) []tuple.RelationshipUpdate {
	updates := make([]tuple.RelationshipUpdate, n)
	for i := range updates {
		updates[i] = tuple.Touch(tuple.MustParse(fmt.Sprintf("%s:%s#part@thing:%d", kind, name, i)))
	}
	return updates
}

// mustHead is the newest revision.
func mustHead(t testing.TB, d datastore.Datastore) datastore.Revision {
	t.Helper()
	head, err := d.HeadRevision(soon(t))
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return head.Revision
}

// scan starts a query for all relationships of a resource type.
func scan(ctx context.Context, d datastore.Datastore, at datastore.Revision, kind string) (datastore.RelationshipIterator, error) {
	return d.SnapshotReader(at).QueryRelationships(ctx, datastore.RelationshipsFilter{OptionalResourceType: kind},
		options.WithQueryShape(queryshape.FindResourceOfType))
}

// each calls fn with every relationship of a resource type at a revision.
func each(ctx context.Context, d datastore.Datastore, at datastore.Revision, kind string, fn func(tuple.Relationship)) error {
	found, err := scan(ctx, d, at, kind)
	if err != nil {
		return err
	}
	for r, err := range found {
		if err != nil {
			return err
		}
		fn(r)
	}
	return nil
}

// count is how many relationships each resource of a type has at a revision.
func count(t testing.TB, d datastore.Datastore, at datastore.Revision, kind string) map[string]int {
	t.Helper()
	n := map[string]int{}
	if err := each(soon(t), d, at, kind, func(r tuple.Relationship) { n[r.Resource.ObjectID]++ }); err != nil {
		t.Fatalf("read %s at %s: %v", kind, at, err)
	}
	return n
}

// partsOf is how many relationships one resource has at a revision.
func partsOf(t testing.TB, d datastore.Datastore, at datastore.Revision, kind, id string) (n int) {
	t.Helper()
	found, err := d.SnapshotReader(at).QueryRelationships(soon(t), datastore.RelationshipsFilter{
		OptionalResourceType: kind, OptionalResourceIds: []string{id}, OptionalResourceRelation: "part",
	}, options.WithQueryShape(queryshape.AllSubjectsForResources))
	if err != nil {
		t.Fatalf("read %s:%s at %s: %v", kind, id, at, err)
	}
	for _, err := range found {
		if err != nil {
			t.Fatalf("read %s:%s at %s: %v", kind, id, at, err)
		}
		n++
	}
	return n
}

// intact ends the test unless SQLite finds the file in order.
func intact(t testing.TB, path string) {
	t.Helper()
	c, err := sqlite3.OpenConn(path, sqlite3.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	err = sqlitex.ExecuteTransient(c, "PRAGMA integrity_check", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite3.Stmt) error {
		found = append(found, s.ColumnText(0))
		return nil
	}})
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(found, "\n"); text != "ok" {
		t.Fatalf("integrity_check of %s:\n%s", path, text)
	}
}
