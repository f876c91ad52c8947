package sqlite

import (
	"context"
	"errors"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// expiryPause is the least time between two revisions that are made because something expired.
	expiryPause = 250 * time.Millisecond
	// expiryLook is the longest wait for an expiry before the clock is read again: it may be set.
	expiryLook = 10 * time.Second
)

// startExpirer moves the head whenever a relationship expires.
//
// SpiceDB remembers answers by revision, however the clock goes on. While nothing is written the
// head stays, and an answer that a relationship's expiry has ended would stay with it. So expiry
// makes a revision, as a write does, though one with no changes.
func (d *Datastore) startExpirer() {
	d.spawn(func() {
		ctx, cancel := d.context()
		defer cancel()
		seen := time.Now() // what expired until then is known to be
		for ctx.Err() == nil {
			seen = d.awaitExpiry(ctx, seen)
		}
	})
}

// awaitExpiry waits for the next expiry after a time and makes a revision then, or returns at a
// write that may expire sooner. It returns up to when expiries are dealt with.
func (d *Datastore) awaitExpiry(ctx context.Context, seen time.Time) time.Time {
	next, err := d.nextExpiry(ctx, seen)
	if err != nil {
		d.grumble(ctx, err)
		return seen
	}
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(min(time.Until(next), expiryLook))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return seen
	case <-d.expiring:
		return seen
	case <-due:
	}
	now := time.Now()
	if next.After(now) {
		return seen
	}
	if err := d.advance(ctx); err != nil {
		d.grumble(ctx, err)
		return seen
	}
	d.shared.forget()
	rest(ctx, expiryPause)
	return now
}

// nextExpiry is the first after a time; zero if nothing will expire.
func (d *Datastore) nextExpiry(ctx context.Context, after time.Time) (next time.Time, _ error) {
	err := d.read(ctx, func(c *conn) error {
		return c.query("SELECT expires_at FROM live WHERE expires_at > ? ORDER BY expires_at LIMIT 1", func(s *sqlite3.Stmt) error {
			next = time.UnixMicro(s.ColumnInt64(0))
			return nil
		}, after.UnixMicro())
	})
	return next, err
}

// grumble logs why the head could not be moved, and pauses.
func (d *Datastore) grumble(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, ErrClosed) {
		return
	}
	d.cfg.Log.Warn("what has expired may be remembered; trying again", "error", err)
	rest(ctx, 10*time.Second)
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
