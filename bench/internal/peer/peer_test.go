package peer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/peer/arrays"
	"github.com/tenantry/tenantry/bench/internal/peer/fga"
	"github.com/tenantry/tenantry/bench/internal/peer/indexed"
	"github.com/tenantry/tenantry/bench/internal/peer/litesql"
	"github.com/tenantry/tenantry/bench/internal/peer/pgsql"
	"github.com/tenantry/tenantry/bench/internal/peer/service"
	"github.com/tenantry/tenantry/bench/internal/peer/spice"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/programs"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// TestMain makes the test binary the bare server where it is started as that.
func TestMain(m *testing.M) {
	arrays.ServeIfAsked()
	os.Exit(m.Run())
}

func world(t *testing.T) *tree.World {
	t.Helper()
	w, err := tree.New(tree.SizeOf(1_000, 1))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// folder is one that PostgreSQL's user can get into.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tenantry-bench-test-") //nolint:usetesting // PostgreSQL's user must get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func server(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// run loads and starts a system, which ends with the test.
func run(t *testing.T, s peer.System, w *tree.World) {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Load(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// answersRight holds a system to the world, also after a change and its undoing.
func answersRight(t *testing.T, s peer.System, w *tree.World) {
	t.Helper()
	v, err := peer.Verify(t.Context(), s, w, peer.Extent{Checks: 200, Users: 20})
	if err != nil || !v.Right() {
		t.Fatalf("%d answers, %v: %q", v.Asked, err, v.Faults)
	}
	grant := tree.Membership{User: int32(w.Newcomers[0]), Account: 1, Role: tree.Admin, Branch: true}
	for _, change := range []struct {
		do    func(context.Context, tree.Membership) error
		opens int
	}{{s.Put, 1 + 111}, {s.Remove, 1}} {
		if err := change.do(t.Context(), grant); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(t.Context(), w.Newcomers[0])
		if err != nil || len(list) != change.opens {
			t.Errorf("after a change the list has %d accounts, not %d: %v", len(list), change.opens, err)
		}
		allowed, err := s.Check(t.Context(), w.Newcomers[0], 11, tree.Manage)
		if err != nil || allowed != (change.opens > 1) {
			t.Errorf("after a change the check says %t: %v", allowed, err)
		}
	}
}

func TestSystemsInProcess(t *testing.T) {
	w := world(t)
	for name, s := range map[string]peer.System{
		"arrays": arrays.New(), "arrays over HTTP": arrays.NewRemote(), "index": indexed.New(), "SQLite": litesql.New(folder(t)),
	} {
		t.Run(name, func(t *testing.T) {
			run(t, s, w)
			answersRight(t, s, w)
		})
	}
}

func TestSystemsOnPostgreSQL(t *testing.T) {
	w := world(t)
	pg := server(t, folder(t))
	for name, s := range map[string]peer.System{"recursive": pgsql.Recursive(pg), "ltree": pgsql.Ltree(pg)} {
		t.Run(name, func(t *testing.T) {
			run(t, s, w)
			answersRight(t, s, w)
		})
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

// TestServers holds the services to the world. OpenFGA is not among them unless its binary is
// named in the environment: its first build takes minutes.
func TestServers(t *testing.T) {
	w, dir := world(t), folder(t)
	pg := server(t, dir)
	spicedb, tenantry := build(t, programs.SpiceDB()), build(t, programs.Tenantry())
	source := spice.NewSource(spicedb, pg)
	systems := map[string]peer.System{
		"SpiceDB":            spice.New(source),
		"Tenantry":           service.New(service.Embedded(tenantry, dir), service.On),
		"Tenantry cluster":   service.New(service.Cluster(tenantry, dir, source, pg), service.On),
		"Tenantry, no index": service.New(service.Embedded(tenantry, filepath.Join(dir, "off")), service.Off),
	}
	if openfga := os.Getenv("TENANTRY_BENCH_OPENFGA"); openfga != "" {
		systems["OpenFGA"] = fga.Raised(fga.NewDatabase(openfga, pg))
	}
	for name, s := range systems {
		t.Run(name, func(t *testing.T) {
			run(t, s, w)
			answersRight(t, s, w)
		})
	}
}

// TestVerifyFindsFaults: what a system leaves out, adds or denies is seen.
func TestVerifyFindsFaults(t *testing.T) {
	w := world(t)
	s := arrays.New()
	run(t, s, w)
	root := w.Reaches[len(w.Reaches)-1].User
	if err := s.Remove(t.Context(), w.Of(root)[0]); err != nil {
		t.Fatal(err)
	}
	v, err := peer.Verify(t.Context(), s, w, peer.Extent{})
	if err != nil || len(v.Faults) < 3 {
		t.Errorf("faults %q, %v", v.Faults, err)
	}
}
