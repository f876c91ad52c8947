package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// goesOnAfter checks that a datastore takes writes, and holds nothing of those that failed.
func goesOnAfter(t *testing.T, d *sqlite.Datastore, failed ...string) {
	t.Helper()
	at := mustUpdate(t, d, group("group", "after-n3", 3)...)
	there := count(t, d, at, "group")
	if there["after-n3"] != 3 {
		t.Errorf("the next write gives %d relationships, want 3", there["after-n3"])
	}
	for _, name := range failed {
		if there[name] != 0 {
			t.Errorf("%s, whose transaction failed, has %d relationships", name, there[name])
		}
	}
}

func TestLife_APanicInATransaction(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t)})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic does not reach the caller")
			}
		}()
		_, err := d.ReadWriteTx(soon(t), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			if err := tx.WriteRelationships(ctx, group("group", "lost-n5", 5)); err != nil {
				t.Error(err)
			}
			panic("a mistake of the caller")
		})
		t.Errorf("the transaction returns (%v)", err)
	}()
	goesOnAfter(t, d, "lost-n5")
}

// A panic must not take with it those who commit together with it.
func TestLife_APanicAmongOthers(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t)})
	const writers, each = 8, 30
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("w%d-%d-n4", w, i)
				bad := (w+i)%5 == 0
				func() {
					defer func() { _ = recover() }()
					_, err := d.ReadWriteTx(soon(t), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
						err := tx.WriteRelationships(ctx, group("group", name, 4))
						if bad {
							panic(name)
						}
						return err
					})
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}()
			}
		})
	}
	ending(t, "the writers", all.Wait)
	there := count(t, d, mustHead(t, d), "group")
	for w := range writers {
		for i := range each {
			want := 4
			if (w+i)%5 == 0 {
				want = 0
			}
			if name := fmt.Sprintf("w%d-%d-n4", w, i); there[name] != want {
				t.Errorf("%s has %d relationships, want %d", name, there[name], want)
			}
		}
	}
}

var errMine = errors.New("the caller thinks better of it")

// Each transaction is kept or given up for itself, however many are committed together.
func TestLife_FailuresAmongOthers(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t)})
	const writers, each = 16, 30
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("w%d-%d-n4", w, i)
				bad := (w+i)%3 == 0
				revision, err := d.ReadWriteTx(soon(t), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
					if err := tx.WriteRelationships(ctx, group("group", name, 4)); err != nil {
						return err
					}
					if bad {
						return errMine
					}
					return nil
				})
				switch {
				case bad && !errors.Is(err, errMine):
					t.Errorf("%s: %v, want the caller's own error", name, err)
				case !bad && err != nil:
					t.Errorf("%s: %v", name, err)
				case !bad && partsOf(t, d, revision, "group", name) != 4:
					t.Errorf("%s is not there at its own revision", name)
				}
			}
		})
	}
	ending(t, "the writers", all.Wait)
	if found := count(t, d, mustHead(t, d), "group"); len(found) != writers*each*2/3 {
		t.Errorf("%d groups, want %d", len(found), writers*each*2/3)
	}
}

// A transaction that hangs holds up the writers, not their contexts, and not the readers.
func TestLife_ATransactionThatHangs(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t)})
	at := mustUpdate(t, d, group("group", "before-n3", 3)...)
	ctx, cancel := context.WithCancel(soon(t))
	entered, left := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := d.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			if err := tx.WriteRelationships(ctx, group("group", "hanging-n3", 3)); err != nil {
				return err
			}
			close(entered)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		left <- err
	}()
	<-entered

	short, cancelShort := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancelShort()
	ending(t, "a writer without patience", func() {
		if _, err := update(short, d, group("group", "impatient-n3", 3)...); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a writer without patience: %v, want DeadlineExceeded", err)
		}
	})
	gone, cancelGone := context.WithCancel(context.Background())
	cancelGone()
	if _, err := update(gone, d, group("group", "gone-n3", 3)...); !errors.Is(err, context.Canceled) {
		t.Errorf("a writer that is gone already: %v, want Canceled", err)
	}
	if head := mustHead(t, d); !head.Equal(at) {
		t.Errorf("the head is %s while a transaction hangs, want %s", head, at)
	}
	if n := partsOf(t, d, at, "group", "before-n3"); n != 3 {
		t.Errorf("a reader finds %d relationships, want 3", n)
	}
	patient := make(chan error, 1)
	go func() {
		_, err := update(soon(t), d, group("group", "patient-n3", 3)...)
		patient <- err
	}()
	cancel()
	ending(t, "the hanging transaction", func() {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the hanging transaction: %v, want Canceled", err)
		}
	})
	ending(t, "a patient writer", func() {
		if err := <-patient; err != nil {
			t.Errorf("a patient writer: %v", err)
		}
	})
	goesOnAfter(t, d, "hanging-n3", "impatient-n3", "gone-n3")
}

// Who gives up while its transaction is being committed is told either way truly.
func TestLife_CancelledAtAnyMoment(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t)})
	const writers, each = 8, 60
	var all sync.WaitGroup
	var mu sync.Mutex
	done, failed := map[string]bool{}, map[string]bool{}
	for w := range writers {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("w%d-%d-n20", w, i)
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*w)*20*time.Microsecond)
				_, err := update(ctx, d, group("group", name, 20)...)
				cancel()
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, want DeadlineExceeded", name, err)
				}
				mu.Lock()
				if err == nil {
					done[name] = true
				} else {
					failed[name] = true
				}
				mu.Unlock()
			}
		})
	}
	ending(t, "the writers", all.Wait)
	there := count(t, d, mustHead(t, d), "group")
	for name := range done {
		if there[name] != 20 {
			t.Errorf("%s was acknowledged and has %d relationships", name, there[name])
		}
	}
	for name := range failed {
		if there[name] != 0 {
			t.Errorf("%s failed and has %d relationships", name, there[name])
		}
	}
	t.Logf("%d in time, %d too late", len(done), len(failed))
}
