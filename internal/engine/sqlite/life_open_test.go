package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// holding is a file with so many relationships.
func holding(t testing.TB, n int) string {
	t.Helper()
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	load(t, d, "group", n)
	mustClose(t, d)
	return path
}

// BenchmarkOpen opens and closes files of very different size.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{10, 1_000_000} {
		path := holding(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				mustClose(b, mustOpen(b, sqlite.Config{Path: path}))
			}
		})
	}
}
