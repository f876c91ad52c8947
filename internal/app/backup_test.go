package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

func noProgress(string, int, int) {}

func backup(t *testing.T, cfg app.Config) (string, app.Manifest) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backups", "one")
	m, err := app.Backup(t.Context(), app.Config{DataDir: cfg.DataDir}, dir, noProgress)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

// journal is the first entries of an environment's journal.
func journal(t *testing.T, a *app.App, env account.EnvironmentID, n account.Version) []account.Entry {
	t.Helper()
	var all []account.Entry
	for len(all) < int(n) {
		some, err := a.Store.Entries(t.Context(), env, account.Version(len(all)), int(n)-len(all))
		if err != nil || len(some) == 0 {
			t.Fatalf("the journal of %s ends at version %d of %d: %v", env, len(all), n, err)
		}
		all = append(all, some...)
	}
	return all
}

// TestABackupUnderWritersIsAPrefixOfTheHistory: whenever it is made, what it holds
// is the beginning of every environment's journal, and directory and engine agree.
func TestABackupUnderWritersIsAPrefixOfTheHistory(t *testing.T) {
	cfg := oneMachine.make(t)
	s := start(t, cfg)
	envs := []account.EnvironmentID{"prod", "dev"}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for _, env := range envs {
		s.environment(env)
		req := directory.Request{Actor: account.Actor{Environment: env, System: true}}
		if _, err := s.Directory.CreateRole(t.Context(), req, account.Role{Key: "viewer", Permissions: []account.PermissionKey{readSubAccounts}}); err != nil {
			t.Fatal(err)
		}
		for w := range 2 {
			writers.Go(func() { churn(t, s.Directory, req, w, stop) })
		}
	}
	type copied struct {
		dir string
		app.Manifest
	}
	var backups []copied
	for i := range account.Version(4) {
		eventually(t, "some more writes", func() bool { return s.head("prod") > 15*(i+1) && s.head("dev") > 15*(i+1) })
		dir, m := backup(t, cfg)
		backups = append(backups, copied{dir, m})
	}
	close(stop)
	writers.Wait()
	for _, b := range backups {
		restored := app.Config{DataDir: filepath.Join(t.TempDir(), "data")}
		if _, err := app.Restore(t.Context(), restored, b.dir, noProgress); err != nil {
			t.Fatal(err)
		}
		n := opened(t, restored, func(a *app.App) {
			for _, e := range b.Environments {
				if diff := cmp.Diff(journal(t, s.App, e.ID, e.Version), journal(t, a, e.ID, e.Version)); diff != "" {
					t.Fatalf("%s: %s", e.ID, diff)
				}
				inStep(t, a, e.ID)
				if got := a.Relay.Reached(e.ID); got != e.Version || got < 15 {
					t.Errorf("%s: version %d is in force, want %d", e.ID, got, e.Version)
				}
				if _, err := a.Directory.CreateAccount(t.Context(), directory.Request{Actor: account.Actor{Environment: e.ID, System: true}}, directory.NewAccount{Name: "After"}); err != nil {
					t.Error(err)
				}
				inStep(t, a, e.ID)
			}
			if a.Engine.Name() != s.Engine.Name() {
				t.Errorf("the restored engine is named %s, not %s", a.Engine.Name(), s.Engine.Name())
			}
		})
		if n != 0 || len(b.Environments) != len(envs) {
			t.Errorf("%v: the restored engine was filled anew %d times", b.Environments, n)
		}
	}
}

// churn makes, changes and deletes things until it is stopped.
func churn(t *testing.T, d *directory.Directory, req directory.Request, w int, stop chan struct{}) {
	ctx := context.Background()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		id := account.ID(fmt.Sprintf("w%d-%d", w, i))
		user := account.UserID(id)
		_, err := d.CreateAccount(ctx, req, directory.NewAccount{ID: id, Name: "Written"})
		if err == nil {
			_, err = d.CreateUser(ctx, req, directory.NewUser{ID: user, Email: string(id) + "@home.example", Memberships: []directory.Grant{{Account: id, Roles: []account.RoleKey{"viewer"}}}})
		}
		if err == nil && i%3 == 0 {
			_, err = d.DeleteUser(ctx, req, user)
		}
		if err != nil {
			t.Errorf("a write during a backup: %v", err)
			return
		}
	}
}

// TestBackupAndRestoreRefuse what would lose data, and say why.
func TestBackupAndRestoreRefuse(t *testing.T) {
	cfg := oneMachine.make(t)
	opened(t, cfg, func(a *app.App) { prepare(t, a) })
	dir, m := backup(t, cfg)
	if len(m.Files) != 2 || m.Environments[0] != (app.BackupEnvironment{ID: "prod", Version: 2}) {
		t.Errorf("%+v", m)
	}
	save := func(cfg app.Config, dir string) error {
		_, err := app.Backup(t.Context(), cfg, dir, noProgress)
		return err
	}
	restore := func(cfg app.Config, dir string) error {
		_, err := app.Restore(t.Context(), cfg, dir, noProgress)
		return err
	}
	refused := func(what string, err error, code string) {
		t.Helper()
		if err == nil || fault.From(err).Code != code {
			t.Errorf("%s: want %s, got %v", what, code, err)
		}
	}
	here := app.Config{DataDir: cfg.DataDir}
	empty := app.Config{DataDir: filepath.Join(t.TempDir(), "empty")}
	other := filepath.Join(t.TempDir(), "other")
	refused("a backup over a folder", save(here, dir), "backup_exists")
	refused("of nothing", save(empty, other), "database_missing")
	if _, err := os.Stat(other + ".partial"); !os.IsNotExist(err) {
		t.Errorf("a backup that failed has left something: %v", err)
	}
	postgres := app.Config{DataDir: cfg.DataDir, Database: "postgres://nowhere/none"}
	elsewhere := app.Config{DataDir: cfg.DataDir, Remote: engine.RemoteConfig{Address: "nowhere:1", Key: "none"}}
	for _, shape := range []app.Config{postgres, elsewhere} {
		refused("of another shape", save(shape, other), "backup_elsewhere")
		refused("of another shape", restore(shape, dir), "backup_elsewhere")
	}
	refused("over data", restore(here, dir), "restore_occupied")
	refused("of no backup", restore(empty, t.TempDir()), "no_backup")

	// a log that is left of a database would be taken for the new one's
	for _, name := range []string{"directory.db-wal", "engine.db-shm"} {
		dir2 := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir2, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused("beside "+name, restore(app.Config{DataDir: dir2}, dir), "restore_occupied")
	}

	// a process that has the engine, whose files were deleted under it
	holder := oneMachine.make(t)
	opened(t, holder, func(*app.App) {
		for _, name := range []string{"directory.db", "engine.db"} {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(filepath.Join(holder.DataDir, name+suffix)); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
		}
		refused("under a server", restore(app.Config{DataDir: holder.DataDir}, dir), "engine_in_use")
	})

	damage(t, dir, func(damaged, what string) {
		refused(what, restore(empty, damaged), "backup_damaged")
	})
	if left, err := filepath.Glob(filepath.Join(empty.DataDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("what was refused has left %q: %v", left, err)
	}
	newer := copyOf(t, dir)
	change(t, filepath.Join(newer, "manifest.json"), `"format": 1`, `"format": 2`)
	refused("of a newer Tenantry", restore(empty, newer), "backup_newer")
	if err := restore(empty, dir); err != nil {
		t.Error(err)
	}
	refused("twice", restore(empty, dir), "restore_occupied")
}

// TestARestoreThatIsGivenUpLeavesNothing, and can be made again.
func TestARestoreThatIsGivenUpLeavesNothing(t *testing.T) {
	cfg := oneMachine.make(t)
	opened(t, cfg, func(a *app.App) { prepare(t, a) })
	dir, _ := backup(t, cfg)
	to := app.Config{DataDir: filepath.Join(t.TempDir(), "data")}
	for _, at := range []string{"checking", "restoring"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := app.Restore(ctx, to, dir, func(part string, _, _ int) {
			if part == at {
				cancel()
			}
		})
		if err == nil {
			t.Errorf("given up when %s: no error", at)
		}
		if left, _ := filepath.Glob(filepath.Join(to.DataDir, "*")); len(left) != 0 {
			t.Errorf("given up when %s: %q are left", at, left)
		}
		cancel()
	}
	// one that was killed has left its unfinished files
	for _, name := range []string{"directory.db.restoring", "engine.db.restoring", "engine.db.restoring.partial", "directory.db.restoring-wal"} {
		if err := os.WriteFile(filepath.Join(to.DataDir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.Restore(t.Context(), to, dir, noProgress); err != nil {
		t.Fatal(err)
	}
	opened(t, to, func(a *app.App) { inStep(t, a, "prod") })
	if left, _ := filepath.Glob(filepath.Join(to.DataDir, "*restoring*")); len(left) != 0 {
		t.Errorf("%q are left", left)
	}
}

// TestABackupWithoutAnEngine: before the first start there is none, and the first start after the restore fills one.
func TestABackupWithoutAnEngine(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Log = quiet()
	a, err := app.OpenDirectory(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	dir, m := backup(t, cfg)
	if len(m.Files) != 1 {
		t.Errorf("%+v", m)
	}
	to := app.Config{DataDir: t.TempDir()}
	if _, err := app.Restore(t.Context(), to, dir, noProgress); err != nil {
		t.Fatal(err)
	}
	if n := opened(t, to, func(a *app.App) { inStep(t, a, "prod") }); n != 1 {
		t.Errorf("filled %d times", n)
	}
}
