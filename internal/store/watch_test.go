package store_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
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

// TestMarksTellOfEveryCommit: of this DB, of another one of the process, and of another process.
func TestMarksTellOfEveryCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db, other := open(t, path, store.Config{}), open(t, path, store.Config{})
	last := db.Mark()
	same := func(after string) {
		t.Helper()
		if now := db.Mark(); now == 0 || now != last {
			t.Errorf("after %s: %d, and %d before", after, now, last)
		}
	}
	another := func(after string) {
		t.Helper()
		now := db.Mark()
		if now <= last {
			t.Errorf("after %s: %d, and %d before", after, now, last)
		}
		last = now
	}
	make1 := func(db *store.DB, env account.EnvironmentID) {
		t.Helper()
		if err := db.CreateEnvironment(t.Context(), first(env)); err != nil {
			t.Fatal(err)
		}
	}
	same("nothing")
	make1(db, "one")
	another("a write")
	if _, err := other.Environments(t.Context()); err != nil {
		t.Fatal(err)
	}
	same("a read")
	if err := db.CreateEnvironment(t.Context(), first("one")); err == nil {
		t.Error("there are two of a name")
	}
	same("a write that was refused")
	make1(other, "two")
	another("a write of another")
	if err := other.NoteUses(t.Context(), "one", map[account.APITokenID]time.Time{}); err != nil {
		t.Fatal(err)
	}
	elsewhere(t, path)
	another("a write of another process")
	if list, err := db.Environments(t.Context()); err != nil || len(list) != 3 {
		t.Errorf("%d environments, %v", len(list), err)
	}
}

// elsewhere has another process make the environment elsewhere.
func elsewhere(t *testing.T, path string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestElsewhere$")
	child.Env = append(os.Environ(), elsewhereFile+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

const elsewhereFile = "TENANTRY_TEST_ELSEWHERE"

// TestElsewhere is what elsewhere runs; by itself it does nothing.
func TestElsewhere(t *testing.T) {
	path := os.Getenv(elsewhereFile)
	if path == "" {
		return
	}
	if err := open(t, path, store.Config{}).CreateEnvironment(t.Context(), first("elsewhere")); err != nil {
		t.Fatal(err)
	}
}

func TestMarksEndWithTheDB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	db, err := store.Open(t.Context(), path, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	before := db.Mark()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if now := db.Mark(); before == 0 || now != 0 {
		t.Errorf("%d, and after the end %d", before, now)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1 {
		t.Errorf("what is left: %v, %v", files, err)
	}
}

// TestAllowListsBindAtOnceBesideConcurrentReaders: what one DB has acknowledged, another that remembers lists sees.
func TestAllowListsBindAtOnceBesideConcurrentReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.db")
	writer, reader := open(t, path, store.Config{}), open(t, path, store.Config{})
	if err := writer.CreateEnvironment(t.Context(), first("prod")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for ctx.Err() == nil {
				if _, err := reader.AllowLists(context.Background(), "prod"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	was := account.Environment{ID: "prod"}
	for i := range 200 {
		now := was
		now.IPAllowList = ""
		if i%2 == 0 {
			now.IPAllowList = "192.0.2.7/32"
		}
		change(t, writer, account.Change{Before: account.Of(was), After: account.Of(now)})
		got, err := reader.AllowLists(t.Context(), "prod")
		if err != nil || got.Environment != now.IPAllowList {
			t.Fatalf("round %d: %q, and not %q; %v", i, got.Environment, now.IPAllowList, err)
		}
		was = now
	}
	stop()
	reading.Wait()
}

// change records a change in the environment prod.
func change(t *testing.T, db *store.DB, c account.Change) {
	t.Helper()
	err := db.Write(t.Context(), "prod", func(tx directory.Tx) error {
		_, err := tx.Append(t.Context(), account.Entry{Kind: account.EnvironmentChanged, Changes: []account.Change{c}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
