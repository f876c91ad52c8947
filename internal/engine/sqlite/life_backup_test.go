package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// pair is two relationships that are written together and deleted together.
func pair(name string) []tuple.RelationshipUpdate {
	return append(group("left", name, 1), group("right", name, 1)...)
}

// TestLife_BackupUnderLoad copies a datastore, from within and from a reader beside it, while
// others write: each copy is of one moment, and holds all that was acknowledged before it began.
func TestLife_BackupUnderLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "engine.db")
	d := running(t, sqlite.Config{Path: path})
	filler := sized(100_000, 10_000)
	load(t, d, "filler", filler)
	ctx, cancel := context.WithCancel(soon(t))
	var writers sync.WaitGroup
	defer writers.Wait()
	defer cancel()
	var mu sync.Mutex
	acked := map[string]bool{}
	first := make(chan struct{}, 8)
	for w := range 8 {
		writers.Go(func() {
			dice := rand.New(rand.NewPCG(1, uint64(w)))
			for i := 0; ; i++ {
				name := fmt.Sprintf("w%d-%d", w, i)
				updates := pair(name)
				if dice.IntN(3) == 0 && i > 0 { // the one before goes
					for _, u := range pair(fmt.Sprintf("w%d-%d", w, i-1)) {
						u.Operation = tuple.UpdateOperationDelete
						updates = append(updates, u)
					}
				}
				_, err := update(ctx, d, updates...)
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[name] = true
				for _, u := range updates[2:] {
					delete(acked, u.Relationship.Resource.ObjectID)
				}
				mu.Unlock()
				if i == 20 {
					first <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-first
	}
	beside := running(t, sqlite.Config{Path: path, ReadOnly: true})
	for i, from := range []*sqlite.Datastore{d, beside, d, beside} {
		before := mustHead(t, d)
		to := filepath.Join(dir, fmt.Sprintf("backup-%d", i))
		last, steps := 0, 0
		err := from.Backup(soon(t), to, func(done, total int) {
			if steps++; done < last || done > total {
				t.Errorf("progress goes from %d to %d of %d", last, done, total)
			}
			last = done
		})
		if err != nil {
			t.Fatal(err)
		}
		if steps == 0 {
			t.Error("no progress was told")
		}
		restored := filepath.Join(dir, fmt.Sprintf("restored-%d.db", i))
		if err := sqlite.Restore(soon(t), to, restored); err != nil {
			t.Fatal(err)
		}
		copied := mustOpen(t, sqlite.Config{Path: restored})
		left, right := count(t, copied, mustHead(t, copied), "left"), count(t, copied, mustHead(t, copied), "right")
		for name := range left {
			if right[name] == 0 {
				t.Errorf("backup %d: of the pair %s only the left is there", i, name)
			}
		}
		for name := range right {
			if left[name] == 0 {
				t.Errorf("backup %d: of the pair %s only the right is there", i, name)
			}
		}
		// What was there when it began, and was not deleted while it ran, is in it.
		old := count(t, d, before, "left")
		mu.Lock()
		for name := range old {
			if acked[name] && left[name] == 0 {
				t.Errorf("backup %d lacks %s, which was there when it began", i, name)
			}
		}
		mu.Unlock()
		if n := len(count(t, copied, mustHead(t, copied), "filler")); n != filler/100 {
			t.Errorf("backup %d: %d groups of the filler, want %d", i, n, filler/100)
		}
		mustClose(t, copied)
		intact(t, restored)
	}
}

// TestLife_RestoreMovesOn restores a backup of a datastore that went on after it: no revision
// that the original ever gave out is mistaken for one of the restored.
func TestLife_RestoreMovesOn(t *testing.T) {
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup")
	d := running(t, sqlite.Config{Path: filepath.Join(dir, "engine.db")})
	var before, after []datastore.Revision
	for i := range 20 {
		before = append(before, mustUpdate(t, d, group("group", fmt.Sprintf("before-%d-n2", i), 2)...))
	}
	if err := d.Backup(soon(t), backup, nil); err != nil {
		t.Fatal(err)
	}
	for i := range sized(2000, 100) {
		after = append(after, mustUpdate(t, d, group("group", fmt.Sprintf("after-%d-n2", i), 2)...))
	}
	var earlier datastore.Revision = sqlite.Revision(0)
	for generation := range 2 { // of the same backup, one after the other
		nextSecond() // two restores within one are as good as one
		to := filepath.Join(dir, fmt.Sprintf("restored-%d.db", generation))
		if err := sqlite.Restore(soon(t), backup, to); err != nil {
			t.Fatal(err)
		}
		restored := running(t, sqlite.Config{Path: to})
		head := mustHead(t, restored)
		if !head.GreaterThan(after[len(after)-1]) {
			t.Errorf("the head of the restored is %s; the original gave out %s", head, after[len(after)-1])
		}
		if !head.GreaterThan(earlier) {
			t.Errorf("the head of restored %d is %s; the one before gave out %s", generation, head, earlier)
		}
		for _, r := range after {
			if err := restored.CheckRevision(soon(t), r); err == nil {
				t.Fatalf("the restored takes revision %s, which is of after the backup", r)
			}
		}
		for i, r := range before {
			if err := restored.CheckRevision(soon(t), r); err != nil {
				continue // it need not know it, but must not be wrong about it
			}
			if found := count(t, restored, r, "group"); len(found) != i+1 {
				t.Errorf("at revision %s, the restored has %d groups, want %d", r, len(found), i+1)
			}
		}
		if found := count(t, restored, head, "group"); len(found) != len(before) {
			t.Errorf("the restored has %d groups, want %d", len(found), len(before))
		}
		sameID(t, d, restored)
		earlier = mustUpdate(t, restored, group("group", "new-n2", 2)...)
		if !earlier.GreaterThan(head) {
			t.Errorf("the first write has revision %s, the head was %s", earlier, head)
		}
	}
}

// nextSecond waits until the clock says another second.
func nextSecond() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for now := time.Now().Unix(); time.Now().Unix() == now; {
		<-tick.C
	}
}

func sameID(t testing.TB, a, b *sqlite.Datastore) {
	t.Helper()
	one, err := a.UniqueID(soon(t))
	two, err2 := b.UniqueID(soon(t))
	if errors.Join(err, err2) != nil || one == "" || one != two {
		t.Errorf("the ids are %q and %q, want the same (%v)", one, two, errors.Join(err, err2))
	}
}

func TestLife_BackupsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	d := running(t, sqlite.Config{Path: at("engine.db")})
	load(t, d, "group", 5000)
	if err := d.Backup(soon(t), at("backup"), nil); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(at("backup"))
	if err != nil {
		t.Fatal(err)
	}

	if err := d.Backup(soon(t), at("backup"), nil); !errors.Is(err, sqlite.ErrExists) {
		t.Errorf("a backup over another: %v, want ErrExists", err)
	}
	if again, err := os.ReadFile(at("backup")); err != nil || string(again) != string(content) {
		t.Errorf("the refused backup has changed the first (%v)", err)
	}
	ctx, cancel := context.WithCancel(soon(t))
	cancel()
	if err := d.Backup(ctx, at("given-up"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that is given up: %v, want Canceled", err)
	}
	if _, err := os.Stat(at("given-up")); err == nil {
		t.Error("a backup that is given up leaves a file")
	}

	bad := func(name string, edit func([]byte) []byte) {
		if err := os.WriteFile(at(name), edit([]byte(string(content))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bad("half", func(b []byte) []byte { return b[:len(b)/2] })
	bad("hurt", func(b []byte) []byte {
		b[len(b)/2+4] ^= 0x55
		copy(b[len(b)/2+100:], strings.Repeat("?", 500))
		return b
	})
	bad("empty", func([]byte) []byte { return nil })
	bad("text", func([]byte) []byte { return []byte(strings.Repeat("no database ", 100)) })
	for name, want := range map[string]error{
		"half": sqlite.ErrCorrupt, "hurt": sqlite.ErrCorrupt, "empty": sqlite.ErrNoDatabase, "text": sqlite.ErrNoDatabase, "nothing": sqlite.ErrNoDatabase,
	} {
		if err := sqlite.Restore(soon(t), at(name), at("to-"+name)); !errors.Is(err, want) {
			t.Errorf("restoring %s: %v, want %v", name, err, want)
		}
	}
	if err := sqlite.Restore(soon(t), at("backup"), at("half")); !errors.Is(err, sqlite.ErrExists) {
		t.Errorf("restoring over another file: %v, want ErrExists", err)
	}
	isLocked(t, sqlite.Restore(soon(t), at("backup"), at("engine.db")), os.Getpid())
	ctx, cancel = context.WithTimeout(soon(t), time.Nanosecond)
	defer cancel()
	if err := sqlite.Restore(ctx, at("backup"), at("to-late")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("restoring without time: %v, want DeadlineExceeded", err)
	}
	left, err := filepath.Glob(at("to-*"))
	for _, name := range left {
		if filepath.Ext(name) != ".lock" { // which holds nothing
			t.Errorf("the refused leave %s", filepath.Base(name))
		}
	}
	if err != nil {
		t.Error(err)
	}
}
