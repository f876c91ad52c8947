package store

import (
	"path/filepath"
	"testing"
)

// openedFile is a fresh database in an SQLite file, which is closed when the test ends.
func openedFile(t *testing.T) *DB {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "directory.db"))
}

// opened is a database that is closed when the test ends.
func opened(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dsn, Config{})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, db)
	return db
}

// closing has a database closed when the test ends.
func closing(t *testing.T, db *DB) {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
