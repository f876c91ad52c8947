package store_test

import (
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/internal/store"
)

// BenchmarkMark is what it costs to find out that nothing has changed.
func BenchmarkMark(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "directory.db"), store.Config{})
	for b.Loop() {
		if db.Mark() == 0 {
			b.Fatal("there is no telling")
		}
	}
}
