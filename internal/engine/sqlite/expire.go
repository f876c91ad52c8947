package sqlite

import (
	"context"
	"errors"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

// expiryPause is the least time between two revisions that are made because something expired.
const expiryPause = 250 * time.Millisecond

// startExpirer moves the head whenever a relationship expires.
//
// SpiceDB remembers answers by revision, however the clock goes on. While nothing is written the
// head stays, and an answer that a relationship's expiry has ended would stay with it. So expiry
// makes a revision, as a write does, though one with no changes.
func (d *Datastore) startExpirer() {
	d.spawn(func() {
		ctx, cancel := d.context()
		defer cancel()
		for ctx.Err() == nil {
			d.awaitExpiry(ctx)
		}
	})
}

// awaitExpiry waits for the next expiry and makes a revision then; or for a write that may expire
// sooner, after which it is to be called again.
func (d *Datastore) awaitExpiry(ctx context.Context) {
	began := time.Now()
	next, err := d.nextExpiry(ctx, began)
	if err != nil {
		d.grumble(ctx, err)
		return
	}
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(max(time.Until(next), 0))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return
	case <-d.expiring:
		return
	case <-due:
	}
	if err := d.advance(ctx); err != nil {
		d.grumble(ctx, err)
		return
	}
	d.shared.forget()
	rest(ctx, expiryPause)
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
