package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, cfg store.Config) *store.DB {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "directory.db"), cfg)
	})
}

// open opens a database and closes it when tb ends.
func open(tb testing.TB, dsn string, cfg store.Config) *store.DB {
	tb.Helper()
	db, err := store.Open(context.Background(), dsn, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return db
}

func first(env account.EnvironmentID) account.Entry {
	return account.Entry{Kind: account.EnvironmentCreated, Changes: []account.Change{{After: account.Of(account.Environment{ID: env})}}}
}

func TestSQLiteFilesArePrivateAndKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder", "with ? # % in it")
	path := filepath.Join(folder, "directory.db")
	for round, dsn := range []string{path, "sqlite:" + path} {
		db, err := store.Open(t.Context(), dsn, store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		err = db.CreateEnvironment(t.Context(), first("dev"))
		if again := errors.Is(err, fault.Exists); again != (round == 1) || !again && err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) != 3 { // the database, its log and its shared memory
			files, err = entriesOf(folder)
		}
		if err != nil || len(files) != 3 {
			t.Errorf("files: %v, %v", files, err)
		}
		for _, file := range append(files, folder) {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func entriesOf(folder string) (paths []string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

func TestOpenRefusesWhatCannotBeADatabase(t *testing.T) {
	for _, dsn := range []string{"", "sqlite:", ":memory:", "sqlite::memory:", "mysql://host/db", "postgres://host:port:1/%zz"} {
		_, err := store.Open(t.Context(), dsn, store.Config{})
		if f := fault.From(err); err == nil || f.Kind != fault.Invalid || f.Code != "invalid_database" {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte("this is no database, it only looks like a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), text, store.Config{}); err == nil {
		t.Error("a text file was opened as a database")
	}
}

func TestAFileThatMustExistIsNotCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "directory.db")
	_, err := store.Open(t.Context(), path, store.Config{MustExist: true})
	if f := fault.From(err); err == nil || f.Code != "database_missing" || !strings.Contains(f.Text, path) {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder: %v", err)
	}
	open(t, path, store.Config{})
	open(t, path, store.Config{MustExist: true})
}

func TestSQLiteOpenedByManyAtOnce(t *testing.T) {
	openMany(t, filepath.Join(t.TempDir(), "directory.db"))
}

// openMany opens one empty database several times at once; each opening finds or makes the tables.
func openMany(t *testing.T, dsn string) {
	t.Helper()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			db, err := store.Open(t.Context(), dsn, store.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db, err := store.Open(t.Context(), path, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`INSERT INTO tenantry_migrations (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), path, store.Config{})
	if f := fault.From(err); err == nil || f.Kind != fault.Conflict || f.Code != "database_too_new" {
		t.Errorf("opened: %v", err)
	}
}

func TestSQLiteLockedByAnotherIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db := open(t, path, store.Config{BusyTimeout: 10 * time.Millisecond})
	if err := db.CreateEnvironment(t.Context(), first("dev")); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	hold, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	called := false
	write := func() error {
		return db.Write(t.Context(), "dev", func(directory.Tx) error { called = true; return nil })
	}
	err = write()
	if f := fault.From(err); err == nil || called || f.Kind != fault.Unavailable || f.Code != "database_unavailable" {
		t.Errorf("while another process writes: called %t, %v", called, err)
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil || !called {
		t.Errorf("afterwards: called %t, %v", called, err)
	}
}
