package app_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/app"
)

// worldCopy is a world on one machine, as its files were when it had ended. To open a copy of it takes a
// fraction of the time that making it takes, and every second test of this package has one.
type worldCopy struct {
	files  map[string][]byte
	tokens []string // of its callers, in the order of world.callers
}

// first is the world of this test binary that others are copies of.
var first struct {
	sync.Mutex
	worldCopy
}

// firstWorld returns the world to copy, and makes it if nobody has.
func firstWorld(t testing.TB) *worldCopy {
	t.Helper()
	first.Lock()
	defer first.Unlock()
	if first.files != nil {
		return &first.worldCopy
	}
	// A second ago, since some tests have a clock that goes by whole seconds.
	cfg := app.Config{DataDir: t.TempDir(), Now: func() time.Time { return time.Now().Add(-time.Second) }}
	s, end := begin(t, cfg, "127.0.0.1")
	w := &world{service: s}
	w.make()
	end()
	first.tokens = nil
	for _, c := range w.callers() {
		first.tokens = append(first.tokens, c.token)
	}
	files := map[string][]byte{}
	for _, name := range entries(t, cfg.DataDir) {
		text, err := os.ReadFile(filepath.Join(cfg.DataDir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	first.files = files
	return &first.worldCopy
}

func (c *worldCopy) copyTo(t testing.TB, dir string) {
	t.Helper()
	for name, text := range c.files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// callers are the world's callers that have a credential.
func (w *world) callers() []*caller { return []*caller{&w.op, &w.delegate, &w.support, &w.dev} }

// take gives the callers of a copied world their credentials.
func (w *world) take(tokens []string) {
	for i, c := range w.callers() {
		*c = caller{s: w.service, token: tokens[i]}
	}
}

func isEmpty(t testing.TB, dir string) bool {
	t.Helper()
	return len(entries(t, dir)) == 0
}

// entries are the names in a directory.
func entries(t testing.TB, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(found))
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}
