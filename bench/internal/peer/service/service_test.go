package service

import (
	"os"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/peer/spice"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/programs"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// TestCopiesDoNotDrift: what is filled in bulk and copied is what Tenantry's own reconciliation takes for right, and who asks is told by whom.
func TestCopiesDoNotDrift(t *testing.T) {
	w, err := tree.New(tree.SizeOf(300, 1))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tenantry-bench-test-") //nolint:usetesting // PostgreSQL's user must get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, os.RemoveAll(dir)) })
	closed(t, os.Chmod(dir, 0o711))
	pg, err := postgres.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, pg.Close()) })
	tenantry, spicedb := build(t, programs.Tenantry()), build(t, programs.SpiceDB())
	for name, content := range map[string]*Content{
		"embedded": Embedded(tenantry, dir), "cluster": Cluster(tenantry, dir, spice.NewSource(spicedb, pg), pg),
	} {
		t.Run(name, func(t *testing.T) {
			s := New(content, On)
			t.Cleanup(func() { closed(t, s.Close()) })
			if err := s.Load(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			said, err := child.Run(t.Context(), child.Command{Program: tenantry, Args: append([]string{"reconcile", "--dry-run"}, content.flags(s.data)...)})
			if err != nil || !strings.Contains(said, "no drift") {
				t.Errorf("reconcile says %q, %v", said, err)
			}
			s.Teller = "engine"
			if _, err := s.Page(t.Context(), w.Three, ""); err == nil || !strings.Contains(err.Error(), `answered by "index"`) {
				t.Errorf("a page of the index passes for one of the engine: %v", err)
			}
		})
	}
}

func closed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// build compiles a server, or takes what was compiled before.
func build(t *testing.T, p programs.Program) string {
	t.Helper()
	folder, err := programs.Folder()
	if err != nil {
		t.Fatal(err)
	}
	path, err := programs.Build(t.Context(), p, folder)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
