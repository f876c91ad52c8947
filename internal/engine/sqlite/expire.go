package sqlite

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// expiryPause is the least time between two revisions that are made because something
	// expired, unless somebody waits for the second.
	expiryPause = 250 * time.Millisecond
	// expiryPatience is how long reads wait for such a revision, which a long transaction may keep
	// from being made; then they go on without it.
	expiryPatience = 250 * time.Millisecond
	// expiryLook is the longest wait for an expiry before the clock is read again: it may be set.
	expiryLook = 10 * time.Second
	// never is later than any expiry.
	never = math.MaxInt64
)

// expiries knows what expires next.
//
// SpiceDB remembers answers by revision, however the clock goes on. While nothing is written the
// head stays, and an answer that a relationship's expiry has ended would stay with it. So expiry
// makes a revision, as a write does, though one with no changes; and whoever asks for the head
// after something has expired gets one that was made since.
type expiries struct {
	next atomic.Int64  // the first that no revision was made for, in microseconds of Unix time
	wake chan struct{} // next is sooner than it was, or somebody waits

	mu      sync.Mutex // guards what follows, and changes of next
	fresh   int64      // the first that was written since the file was looked at
	waiting *waiting   // nil if nobody is
}

// waiting is for a revision that something's expiry calls for.
type waiting struct {
	made chan struct{} // closed when it is
	late chan struct{} // closed when it is waited for no longer
}

func newExpiries() *expiries {
	e := &expiries{wake: make(chan struct{}, 1), fresh: never}
	e.next.Store(never)
	return e
}

func (e *expiries) due(now time.Time) bool { return now.UnixMicro() >= e.next.Load() }

func (e *expiries) nudge() {
	select {
	case e.wake <- struct{}{}:
	default: // it was nudged, and has not looked yet
	}
}

// note takes note of an expiry that was committed, before anybody learns of the commit.
func (e *expiries) note(at int64) {
	e.mu.Lock()
	e.fresh = min(e.fresh, at)
	first := at < e.next.Load()
	if first {
		e.next.Store(at)
	}
	e.mu.Unlock()
	if first {
		e.nudge()
	}
}

// sooner is the earlier of two expiries; 0 is none.
func sooner(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// wait joins those who wait; nil if nothing has expired.
func (e *expiries) wait(now time.Time) *waiting {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.due(now) {
		return nil
	}
	if e.waiting == nil {
		w := &waiting{made: make(chan struct{}), late: make(chan struct{})}
		time.AfterFunc(expiryPatience, func() { close(w.late) })
		e.waiting = w
	}
	return e.waiting
}

// dealt ends the wait.
func (e *expiries) dealt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting != nil {
		close(e.waiting.made)
		e.waiting = nil
	}
}

// expire waits until a revision has been made since something expired, if something has. Where that
// takes long, it is left for later. Errors: ErrClosed, ctx's.
func (d *Datastore) expire(ctx context.Context) error {
	for now := d.cfg.Now(); d.expiries.due(now); {
		w := d.expiries.wait(now)
		if w == nil {
			return nil
		}
		d.expiries.nudge()
		select {
		case <-w.made:
		case <-w.late:
			return nil
		case <-ctx.Done():
			return ended(ctx)
		case <-d.closing:
			return ErrClosed
		}
	}
	return nil
}

// startExpirer moves the head whenever a relationship expires.
func (d *Datastore) startExpirer() {
	d.spawn(func() {
		ctx, cancel := d.context()
		defer cancel()
		for ctx.Err() == nil {
			d.awaitExpiry(ctx)
		}
	})
}

// awaitExpiry waits for the next expiry and makes a revision then, or returns to look again.
func (d *Datastore) awaitExpiry(ctx context.Context) {
	now := d.cfg.Now()
	if next := d.expiries.next.Load(); next > now.UnixMicro() {
		look := expiryLook
		if next != never {
			look = min(time.UnixMicro(next).Sub(now), look)
		}
		d.rest(ctx, look)
		return
	}
	err := d.advance(ctx)
	if err == nil {
		d.shared.forget()
		err = d.lookAhead(ctx, now)
	}
	if err != nil {
		d.grumble(ctx, err)
		return
	}
	d.expiries.dealt()
	d.rest(ctx, expiryPause)
}

// lookAhead finds the first expiry after a time.
func (d *Datastore) lookAhead(ctx context.Context, after time.Time) error {
	e := d.expiries
	e.mu.Lock()
	e.fresh = never
	e.mu.Unlock()
	next, err := d.nextExpiry(ctx, after)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next.Store(min(next, e.fresh)) // what was written meanwhile may not have been seen
	return nil
}

// nextExpiry is the first after a time, in microseconds of Unix time.
func (d *Datastore) nextExpiry(ctx context.Context, after time.Time) (int64, error) {
	next := int64(never)
	err := d.read(ctx, func(c *conn) error {
		return c.query("SELECT expires_at FROM live WHERE expires_at > ? ORDER BY expires_at LIMIT 1", func(s *sqlite3.Stmt) error {
			next = s.ColumnInt64(0)
			return nil
		}, after.UnixMicro())
	})
	return next, err
}

// grumble logs why the head could not be moved, and pauses.
func (d *Datastore) grumble(ctx context.Context, err error) {
	const pause = 10 * time.Second
	if ctx.Err() != nil || errors.Is(err, ErrClosed) {
		return
	}
	d.cfg.Log.Warn("what has expired may be remembered; trying again", "error", err)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// rest waits for some time, or until something expires sooner or is waited for.
func (d *Datastore) rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-d.expiries.wake:
	}
}
