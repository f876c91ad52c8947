package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/store"
)

// made is an entry that makes an account with a long name.
func made(i int) account.Entry {
	return account.Entry{Kind: account.Imported, Changes: []account.Change{{After: account.Of(account.Account{
		ID: account.ID(fmt.Sprintf("a%d", i)), Name: fmt.Sprintf("%0200d", i), AccessMode: account.DefaultOff,
	})}}}
}

// TestBackupIsAPrefixOfTheHistory copies while others write, from this process and through another opening of the file.
func TestBackupIsAPrefixOfTheHistory(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a # b ? c.db")
	db := open(t, path, store.Config{})
	envs := []account.EnvironmentID{"dev", "prod"}
	for _, env := range envs {
		if err := db.CreateEnvironment(t.Context(), first(env)); err != nil {
			t.Fatal(err)
		}
	}
	write := func(db *store.DB, env account.EnvironmentID, i int) {
		err := db.Write(t.Context(), env, func(tx directory.Tx) error {
			_, err := tx.Append(t.Context(), made(i))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	for i := range 300 {
		write(db, "prod", i)
	}
	stop := make(chan struct{})
	var writing sync.WaitGroup
	for n, env := range envs {
		other := open(t, path, store.Config{})
		writing.Go(func() {
			for i := 1000 * (n + 1); ; i++ {
				select {
				case <-stop:
					return
				default:
					write(other, env, i)
				}
			}
		})
	}
	for round := range 5 {
		to := filepath.Join(folder, fmt.Sprintf("copy %d.db", round))
		var seen []int
		versions, err := store.Backup(t.Context(), path, to, func(done, total int) { seen = append(seen, done, total) })
		if err != nil {
			t.Fatal(err)
		}
		if n := len(seen); n < 2 || seen[n-2] != seen[n-1] || seen[n-1] == 0 {
			t.Errorf("progress: %v", seen)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy: %v %v", info.Mode(), err)
		}
		compare(t, db, open(t, to, store.Config{MustExist: true}), versions)
	}
	close(stop)
	writing.Wait()
}

// compare checks that a copy holds the original's journal up to the versions, and the state that this leads to.
func compare(t *testing.T, original, backup *store.DB, versions map[account.EnvironmentID]account.Version) {
	t.Helper()
	got, err := backup.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(versions, got); diff != "" || len(got) != 2 {
		t.Errorf("versions: %s", diff)
	}
	for env, head := range versions {
		for after := account.Version(0); after < head; {
			want, err := original.Entries(t.Context(), env, after, int(min(64, head-after)))
			if err != nil {
				t.Fatal(err)
			}
			have, err := backup.Entries(t.Context(), env, after, 64)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Fatalf("entries after %d: %s", after, diff)
			}
			after = want[len(want)-1].Version
		}
		accounts := 0
		if _, err := backup.Snapshot(t.Context(), env, func(e account.Entity) error {
			if e.Account != nil {
				accounts++
			}
			return nil
		}); err != nil || accounts != int(head)-1 {
			t.Errorf("%s: %d accounts at version %d, %v", env, accounts, head, err)
		}
	}
}

func TestBackupRefusals(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "directory.db")
	to := filepath.Join(folder, "copy.db")
	if _, err := store.Backup(t.Context(), path, to, nil); fault.From(err).Code != "database_missing" {
		t.Errorf("of a file that is not there: %v", err)
	}
	if _, err := store.Backup(t.Context(), "postgres://nowhere/none", to, nil); fault.From(err).Code != "invalid_database" {
		t.Errorf("of PostgreSQL: %v", err)
	}
	db := open(t, path, store.Config{})
	if err := db.CreateEnvironment(t.Context(), first("dev")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	if versions, err := store.Backup(t.Context(), "directory.db", "relative.db", nil); err != nil || versions["dev"] != 1 {
		t.Errorf("by relative paths: %v %v", versions, err)
	}
	if _, err := store.Backup(t.Context(), path, to, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "precious" {
		t.Errorf("the file in the way: %q %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := store.Backup(ctx, path, filepath.Join(folder, "given up.db"), func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func TestFileOfADatabase(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, dsn := range []string{"a.db", "sqlite:b/c.db", "/d.db", "postgres://host/db", "postgresql://host/db"} {
		path, err := store.File(dsn)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, path)
	}
	if want := []string{wd + "/a.db", wd + "/b/c.db", "/d.db", "", ""}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := store.File(":memory:"); fault.From(err).Code != "invalid_database" {
		t.Errorf("memory: %v", err)
	}
}
