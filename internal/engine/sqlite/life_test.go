package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// ending waits for something that must not hang.
func ending(t testing.TB, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s does not end:\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// settled is the number of goroutines once it is at most want, or has had ten seconds to get there.
func settled(want int) int {
	deadline, tick := time.After(10*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for n := runtime.NumGoroutine(); ; n = runtime.NumGoroutine() {
		if n <= want {
			return n
		}
		select {
		case <-tick.C:
		case <-deadline:
			return n
		}
	}
}

// TestLife_CloseEndsEverything closes a datastore under all kinds of load: each use ends, with an
// error that says why, nothing is left behind, and what was acknowledged is there afterwards.
func TestLife_CloseEndsEverything(t *testing.T) {
	for round := range sized(5, 2) {
		closeUnderLoad(t, round)
	}
}

func closeUnderLoad(t *testing.T, round int) {
	path := fresh(t)
	before := runtime.NumGoroutine()
	d := mustOpen(t, sqlite.Config{Path: path, Readers: 2, GCInterval: time.Millisecond})
	at := load(t, d, "group", sized(20_000, 4000))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	var users sync.WaitGroup
	var mu sync.Mutex
	acked, begun := map[string]bool{}, make(chan struct{}, 1000)
	use := func(what string, fn func(i int) error) {
		users.Go(func() {
			var err error
			for i := 0; err == nil; i++ {
				err = fn(i)
				select {
				case begun <- struct{}{}:
				default:
				}
			}
			if !errors.Is(err, sqlite.ErrClosed) {
				t.Errorf("round %d: %s ends with %v, want ErrClosed", round, what, err)
			}
		})
	}
	for w := range 4 {
		use("a writer", func(i int) error {
			name := fmt.Sprintf("w%d-%d-n5", w, i)
			_, err := update(ctx, d, group("group", name, 5)...)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				acked[name] = true
			}
			return err
		})
		use("a query", func(int) error { return each(ctx, d, at, "group", func(tuple.Relationship) {}) })
		use("a look at the head", func(int) error { _, err := d.HeadRevision(ctx); return err })
		use("a watch", func(int) error {
			changes, errs := d.Watch(ctx, at, datastore.WatchOptions{Content: datastore.WatchRelationships, WatchBufferWriteTimeout: time.Minute})
			for range changes { // until it ends
			}
			return <-errs
		})
	}
	held, err := scan(ctx, d, at, "group") // one that is between two rows while Close comes
	if err != nil {
		t.Fatal(err)
	}
	rows, closed, closing := 0, make(chan error, 1), make(chan struct{})
	users.Go(func() {
		var ended error
		for _, err := range held {
			if err != nil {
				ended = err
				break
			}
			if rows++; rows == 100 {
				<-closing
			}
		}
		if ended != nil && !errors.Is(ended, sqlite.ErrClosed) {
			t.Errorf("round %d: a query that was held ends with %v, want ErrClosed", round, ended)
		}
	})
	for range 50 {
		<-begun
	}
	go func() { closed <- d.Close() }()
	go func() { // as soon as Close has begun
		for {
			if _, err := d.HeadRevision(ctx); err != nil {
				close(closing)
				return
			}
		}
	}()
	ending(t, "the use of a closed datastore", users.Wait)
	ending(t, "Close", func() {
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
	})
	mustClose(t, d) // once more
	usedAfterwards(t, d, at)
	cancel()
	if after := settled(before); after > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	}

	intact(t, path)
	d = mustOpen(t, sqlite.Config{Path: path})
	there := count(t, d, mustHead(t, d), "group")
	for name := range acked {
		if there[name] != 5 {
			t.Errorf("round %d: %s was acknowledged and has %d relationships", round, name, there[name])
		}
	}
	for name, n := range there {
		if n != 5 && n != 100 {
			t.Errorf("round %d: %s is half there: %d", round, name, n)
		}
	}
	mustClose(t, d)
}

// usedAfterwards expects every use of a closed datastore to say that it is closed.
func usedAfterwards(t *testing.T, d *sqlite.Datastore, at datastore.Revision) {
	t.Helper()
	ctx := soon(t)
	for what, use := range map[string]func() error{
		"a write":    func() error { _, err := update(ctx, d, group("group", "late-n1", 1)...); return err },
		"a query":    func() error { return each(ctx, d, at, "group", func(tuple.Relationship) {}) },
		"the head":   func() error { _, err := d.HeadRevision(ctx); return err },
		"the shared": func() error { _, err := d.OptimizedRevision(ctx); return err },
		"a revision": func() error { return d.CheckRevision(ctx, at) },
		"a watch": func() error {
			_, errs := d.Watch(ctx, at, datastore.WatchJustRelationships())
			return <-errs
		},
		"a backup":    func() error { return d.Backup(ctx, fresh(t), nil) },
		"a collector": func() error { _, err := d.BuildGarbageCollector(ctx); return err },
	} {
		ending(t, what, func() {
			if err := use(); !errors.Is(err, sqlite.ErrClosed) {
				t.Errorf("%s after Close: %v, want ErrClosed", what, err)
			}
		})
	}
}

// openWhenFree opens a file that is about to be let go.
func openWhenFree(t *testing.T, path string) *sqlite.Datastore {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		d, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err == nil {
			return d
		}
		if _, locked := errors.AsType[*sqlite.LockedError](err); !locked {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// A caller whose transaction does not end keeps Close waiting for some time only, finds that the
// datastore is closed, and leaves nothing in the file.
func TestLife_CloseGivesUpOnATransactionThatHangs(t *testing.T) {
	t.Parallel() // it is mostly waiting
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path})
	mustUpdate(t, d, group("group", "before-n3", 3)...)
	entered, closed, left := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := d.ReadWriteTx(soon(t), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			if err := tx.WriteRelationships(ctx, group("group", "hanging-n3", 3)); err != nil {
				return err
			}
			close(entered)
			<-closed
			return tx.WriteRelationships(ctx, group("group", "late-n3", 3))
		})
		left <- err
	}()
	<-entered
	ending(t, "Close", func() {
		if err := d.Close(); err == nil {
			t.Error("Close says nothing of the transaction that hangs")
		}
	})
	close(closed)
	ending(t, "the transaction", func() {
		if err := <-left; !errors.Is(err, sqlite.ErrClosed) {
			t.Errorf("the transaction: %v, want ErrClosed", err)
		}
	})
	d = openWhenFree(t, path)
	defer mustClose(t, d)
	goesOnAfter(t, d, "hanging-n3", "late-n3")
	if n := partsOf(t, d, mustHead(t, d), "group", "before-n3"); n != 3 {
		t.Errorf("what was there before has %d relationships, want 3", n)
	}
}
