package sqlite_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// clock is set by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time       { return time.UnixMicro(c.at.Load()) }
func (c *clock) move(d time.Duration) { c.at.Add(d.Microseconds()) }

// until is a relationship of document:a that expires some time from now.
func (c *clock) until(id string, left time.Duration) tuple.RelationshipUpdate {
	r := tuple.MustParse("document:" + id + "#viewer@user:b")
	at := c.now().Add(left)
	r.OptionalExpiration = &at
	return tuple.Touch(r)
}

// visible is how many relationships there are at the head, and the revision shared by reads.
func visible(t *testing.T, d *sqlite.Datastore) (int, datastore.Revision) {
	t.Helper()
	shared, err := d.OptimizedRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, in := range count(t, d, mustHead(t, d), "document") {
		n += in
	}
	return n, shared.Revision
}

// TestExpiryMakesARevision: at the moment that it is due, by the clock that was given, for whoever asks then;
// what reads share for a while is not older.
func TestExpiryMakesARevision(t *testing.T) {
	clock := newClock()
	path := fresh(t)
	open := func() *sqlite.Datastore {
		return mustOpen(t, sqlite.Config{Path: path, Now: clock.now, Quantum: time.Hour})
	}
	d := open()
	mustUpdate(t, d, clock.until("late", time.Hour), clock.until("soon", 10*time.Second), tuple.Touch(tuple.MustParse("document:c#viewer@user:b")))
	n, before := visible(t, d)
	if n != 3 {
		t.Fatalf("%d relationships at first", n)
	}
	steps := []struct {
		move    time.Duration
		n       int
		renewed bool
		write   bool // something that expires in 30 seconds, and start anew
	}{
		{move: 10*time.Second - time.Microsecond, n: 3},
		{move: time.Microsecond, n: 2, renewed: true},
		{move: time.Minute, n: 2},
		{move: -time.Minute, n: 2, write: true},
		{move: 30 * time.Second, n: 2, renewed: true},
		{move: time.Hour, n: 1, renewed: true},
		{move: 1000 * time.Hour, n: 1},
	}
	for i, s := range steps {
		clock.move(s.move)
		if s.write {
			mustUpdate(t, d, clock.until("sooner", 30*time.Second))
			mustClose(t, d) // known to the next process as well
			d = open()
			n, before = visible(t, d)
			if n != s.n+1 {
				t.Errorf("step %d: %d relationships, want %d", i, n, s.n+1)
			}
			continue
		}
		n, now := visible(t, d)
		if renewed := !now.Equal(before); n != s.n || renewed != s.renewed {
			t.Errorf("step %d: %d relationships, want %d; a new revision: %v", i, n, s.n, renewed)
		}
		before = now
	}
	mustClose(t, d)
}

// TestExpiryOfThePastMakesNoRevision: what is written after its expiry was never there, and hides no expiry to come.
func TestExpiryOfThePastMakesNoRevision(t *testing.T) {
	clock := newClock()
	d := running(t, sqlite.Config{Path: fresh(t), Now: clock.now})
	at := mustUpdate(t, d, clock.until("past", -time.Hour), clock.until("soon", time.Second))
	if head := mustHead(t, d); !head.Equal(at) {
		t.Errorf("the head is %s after the write %s", head, at)
	}
	clock.move(time.Second)
	if n, head := visible(t, d); n != 0 || head.Equal(at) {
		t.Errorf("%d relationships at %s", n, head)
	}
}

// TestExpiryWaitsForNoLongTransaction: reads go on while one keeps the revision from being made, and it is made afterwards.
func TestExpiryWaitsForNoLongTransaction(t *testing.T) {
	clock := newClock()
	d := running(t, sqlite.Config{Path: fresh(t), Now: clock.now})
	at := mustUpdate(t, d, clock.until("a", time.Second))
	stopped := errors.New("enough")
	_, err := d.ReadWriteTx(soon(t), func(context.Context, datastore.ReadWriteTransaction) error {
		clock.move(time.Second)
		for range 100 {
			if head := mustHead(t, d); !head.Equal(at) {
				t.Errorf("the head is %s", head)
			}
		}
		return stopped
	})
	if !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	ending(t, "the wait for a revision", func() {
		for mustHead(t, d).Equal(at) { // it waits
		}
	})
}
