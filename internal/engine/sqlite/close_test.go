package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// A log that is left would be taken for the end of a crash at the next start.
func TestCloseLeavesNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "engine.db")
	ds, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	revision, err := ds.ReadWriteTx(t.Context(), func(ctx context.Context, rwt datastore.ReadWriteTransaction) error {
		return rwt.WriteRelationships(ctx, []tuple.RelationshipUpdate{tuple.Touch(tuple.MustParse("document:a#viewer@user:b"))})
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := ds.SnapshotReader(revision).QueryRelationships(t.Context(), datastore.RelationshipsFilter{OptionalResourceType: "document"})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := datastore.IteratorToSlice(found); err != nil || len(all) != 1 {
		t.Fatalf("read %v, %v", all, err)
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the log is still there: %v", err)
	}
}
