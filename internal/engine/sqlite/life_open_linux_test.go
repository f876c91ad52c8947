package sqlite_test

import (
	"os"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// bytesRead is how much this process has read from files so far, from memory or disk.
func bytesRead(t testing.TB) int {
	t.Helper()
	content, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if n, ok := strings.CutPrefix(line, "rchar: "); ok {
			return number(t, strings.TrimSpace(n))
		}
	}
	t.Fatalf("no count of what was read in %s", content)
	return 0
}

// TestLife_StartingReadsAsMuchOfALargeFile holds that the start, the head, the statistics and a
// first query of one object cost the same however much the file holds.
func TestLife_StartingReadsAsMuchOfALargeFile(t *testing.T) {
	cost := func(n int) int {
		path := holding(t, n)
		before := bytesRead(t)
		d := mustOpen(t, sqlite.Config{Path: path})
		if n := partsOf(t, d, mustHead(t, d), "group", "0000000"); n == 0 {
			t.Error("the first object has no relationships")
		}
		stats, err := d.Statistics(soon(t))
		if err != nil || stats.EstimatedRelationshipCount != uint64(n) {
			t.Errorf("the statistics tell of %d relationships, want %d (%v)", stats.EstimatedRelationshipCount, n, err)
		}
		if err := datastore.RunGarbageCollection(soon(t), d, 24*60*60*1e9); err != nil {
			t.Error(err)
		}
		mustClose(t, d)
		return bytesRead(t) - before
	}
	few, lots := 100, sized(300_000, 40_000)
	small, large := cost(few), cost(lots)
	t.Logf("starting on %d relationships reads %d bytes, on %d it reads %d", few, small, lots, large)
	// A few more levels of the trees, and not the content: that has some megabytes.
	if large > small+200_000 {
		t.Errorf("starting on %d relationships reads %d bytes, on %d it reads %d", few, small, lots, large)
	}
}
