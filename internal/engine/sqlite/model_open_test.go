package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// opened is a datastore in a new file, closed when the test ends.
func opened(tb testing.TB, cfg sqlite.Config) (*sqlite.Datastore, error) {
	tb.Helper()
	cfg.Path = filepath.Join(tb.TempDir(), "spicedb.sqlite")
	ds, err := sqlite.Open(tb.Context(), cfg)
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() {
		if err := ds.Close(); err != nil {
			tb.Errorf("closing: %v", err)
		}
	})
	return ds, nil
}
