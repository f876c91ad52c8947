package bulk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tenantry/tenantry/bench/internal/bulk"
	"github.com/tenantry/tenantry/bench/internal/child"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/programs"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// tenantry runs a command of Tenantry and returns what it prints.
func tenantry(t *testing.T, args ...string) string {
	t.Helper()
	folder, err := programs.Folder()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := programs.Build(t.Context(), programs.Tenantry(), folder)
	if err != nil {
		t.Fatal(err)
	}
	said, err := child.Run(t.Context(), child.Command{Program: binary, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func world(t *testing.T) *tree.World {
	t.Helper()
	w, err := tree.New(tree.SizeOf(1_000, 1))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// loaded returns a data folder that `tenantry load` filled.
func loaded(t *testing.T, w *tree.World) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "world.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Export(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	tenantry(t, "load", file.Name(), "--data", data)
	return data
}

// content returns the rows that a world consists of, but for what depends on the time and way of loading.
func content(t *testing.T, data string) []string {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(data, "directory.db"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var all []string
	for _, question := range []string{
		"SELECT id, name, sub_accounts_enabled, default_access_mode, max_depth, invitation_hours, token_minutes FROM environments",
		"SELECT environment, role, permission FROM role_permissions ORDER BY 1, 2, 3",
		"SELECT environment, id, parent, name, search, sub_account_management, access_mode, plan, ip_allow_list, created_at FROM accounts ORDER BY id",
		"SELECT environment, id, email, name, search, blocked FROM users ORDER BY id",
		"SELECT environment, account_id, user_id, branch_access, expires_at FROM memberships ORDER BY 2, 3",
		"SELECT environment, account_id, user_id, role FROM membership_roles ORDER BY 2, 3, 4",
		"SELECT environment, account_id, role, always_on FROM assignments ORDER BY 2, 3",
		"SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, name",
	} {
		err := sqlitex.ExecuteTransient(conn, question, &sqlitex.ExecOptions{ResultFunc: func(r *sqlite.Stmt) error {
			var row []string
			for i := range r.ColumnCount() {
				row = append(row, r.ColumnType(i).String()+" "+r.ColumnText(i))
			}
			all = append(all, strings.Join(row, "; "))
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func filled(t *testing.T, w *tree.World) string {
	t.Helper()
	data := t.TempDir()
	if err := bulk.Directory(t.Context(), filepath.Join(data, "directory.db"), w); err != nil {
		t.Fatal(err)
	}
	if err := bulk.EngineFile(t.Context(), filepath.Join(data, "engine.db"), w); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSameAsLoaded: rows and export are those that `tenantry load` makes, on both databases, and the engine holds what they imply.
func TestSameAsLoaded(t *testing.T) {
	w := world(t)
	byLoad, byUs := loaded(t, w), filled(t, w)
	if diff := cmp.Diff(content(t, byLoad), content(t, byUs)); diff != "" {
		t.Errorf("-loaded +filled\n%s", diff)
	}
	want := tenantry(t, "export", "--data", byLoad)
	if diff := cmp.Diff(want, tenantry(t, "export", "--data", byUs)); diff != "" || len(want) == 0 {
		t.Errorf("the export of %d bytes: -loaded +filled\n%s", len(want), diff)
	}
	said := tenantry(t, "reconcile", "--dry-run", "--data", byUs)
	if !strings.Contains(said, "no drift") {
		t.Errorf("reconcile says: %s", said)
	}
	t.Run("postgres", func(t *testing.T) {
		pg := server(t)
		url, err := pg.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := bulk.Directory(t.Context(), url, w); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tenantry(t, "export", "--data", t.TempDir(), "--database", url)); diff != "" {
			t.Errorf("the export: -loaded +filled\n%s", diff)
		}
	})
}

func server(t *testing.T) *postgres.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "tenantry-bench-test-") //nolint:usetesting // PostgreSQL's user must get in
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(fmt.Errorf("remove the folder: %w", err))
		}
	})
	return s
}
