package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// collectChunk is how many rows a collection deletes before it lets writers in.
	collectChunk = 1000
	// collectTimeout bounds one collection.
	collectTimeout = 10 * time.Minute
	// expiredGrace is how long a relationship stays after it has expired.
	expiredGrace = time.Minute
)

// startCollector collects garbage until the datastore is closed.
func (d *Datastore) startCollector() {
	d.spawn(func() {
		ctx, cancel := d.context()
		defer cancel()
		// Its only error is that of ctx, at the end.
		_ = datastore.StartGarbageCollector(ctx, d, d.cfg.GCInterval, d.cfg.GCWindow, collectTimeout)
	})
}

// BuildGarbageCollector makes a collector for one run.
func (d *Datastore) BuildGarbageCollector(context.Context) (datastore.GarbageCollector, error) {
	return &collector{store: d}, d.usable()
}

// HasGCRun reports whether a collection has ended well since the last reset.
func (d *Datastore) HasGCRun() bool { return d.gcRan.Load() }

// MarkGCCompleted notes that a collection has ended well.
func (d *Datastore) MarkGCCompleted() { d.gcRan.Store(true) }

// ResetGCCompleted forgets the collections that were.
func (d *Datastore) ResetGCCompleted() { d.gcRan.Store(false) }

// collector deletes what only revisions before the window need.
type collector struct{ store *Datastore }

// LockForGCRun reports whether no other collection runs.
func (g *collector) LockForGCRun(context.Context) (bool, error) {
	return g.store.collecting.TryLock(), nil
}

// UnlockAfterGCRun lets the next collection begin.
func (g *collector) UnlockAfterGCRun() error {
	g.store.collecting.Unlock()
	return nil
}

// Now is the time by this machine's clock, which revisions bear too.
func (*collector) Now(context.Context) (time.Time, error) { return time.Now(), nil }

// Close does nothing.
func (*collector) Close() {}

// TxIDBefore is the revision that was the head at a time, or the oldest there is.
func (g *collector) TxIDBefore(ctx context.Context, at time.Time) (datastore.Revision, error) {
	head := Revision(g.store.head.floor.Load())
	err := g.store.read(ctx, func(c *conn) error {
		return c.query("SELECT tx FROM revision WHERE at <= ? ORDER BY at DESC LIMIT 1", func(s *sqlite3.Stmt) error {
			head = max(head, Revision(s.ColumnInt64(0)))
			return nil
		}, at.UnixNano())
	})
	return head, err
}

// DeleteBeforeTx makes a revision the oldest that can be read, and deletes what only older ones
// need, in portions that let writers in between.
func (g *collector) DeleteBeforeTx(ctx context.Context, oldest datastore.Revision) (n datastore.DeletionCounts, err error) {
	r, ok := oldest.(Revision)
	if !ok {
		return n, unknown(oldest)
	}
	if err := g.store.renew(ctx); err != nil && !errors.Is(err, ErrFull) { // which deleting may change
		return n, err
	}
	r = min(r, g.store.head.get().revision)
	g.store.head.raiseFloor(r)
	// Whoever opens the file takes the first revision for the oldest that can be read; so the
	// revisions go first.
	if n.Transactions, err = g.deleteAll(ctx, "revision", "tx", "tx < ?", r); err != nil {
		return n, err
	}
	if _, err = g.deleteAll(ctx, "change", "tx, part", "tx <= ?", r); err != nil {
		return n, err
	}
	if n.Relationships, err = g.deleteAll(ctx, "past", "kind, resource_id, until, subject_id", "until <= ?", r); err != nil {
		return n, err
	}
	if n.Namespaces, err = g.deleteAll(ctx, "document", "category, name, since", "until <= ?", r); err != nil {
		return n, err
	}
	return n, g.store.shrinkLog(ctx)
}

// deleteAll deletes rows of a table, which has a primary key, by a condition.
func (g *collector) deleteAll(ctx context.Context, table, key, condition string, parameter any) (int64, error) {
	text := fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (SELECT %s FROM %s WHERE %s LIMIT %d)", table, key, key, table, condition, collectChunk)
	var sum int64
	for {
		var n int64
		err := g.store.writer.maintain(ctx, func(c *conn) error {
			if err := c.exec(text, parameter); err != nil {
				return err
			}
			n = int64(c.Changes())
			return nil
		})
		sum += n
		if err != nil || n < collectChunk {
			return sum, err
		}
	}
}

// DeleteExpiredRels deletes relationships that have expired. No reader sees them any more, at
// whatever revision; so that makes no revision, and no watch tells of it.
func (g *collector) DeleteExpiredRels(ctx context.Context) (int64, error) {
	before := g.store.cfg.Now().Add(-expiredGrace).UnixMicro()
	text := fmt.Sprintf("DELETE FROM live WHERE (kind, resource_id, subject_id) IN (SELECT kind, resource_id, subject_id FROM live WHERE expires_at <= ? LIMIT %d)", collectChunk)
	var sum int64
	for {
		var n int64
		var counted state
		err := g.store.writer.maintain(ctx, func(c *conn) error {
			if err := c.exec(text, before); err != nil {
				return err
			}
			n = int64(c.Changes())
			counted = g.store.writer.pending
			counted.relationships -= n
			return c.exec("UPDATE revision SET relationships = ? WHERE tx = ?", counted.relationships, counted.revision)
		}, func() { g.store.head.state.Store(&counted) })
		sum += n
		if err != nil || n < collectChunk {
			return sum, err
		}
	}
}

// shrinkLog copies the write-ahead log into the file and cuts it off, if it has become long:
// while readers never pause, commits cannot begin it anew.
func (d *Datastore) shrinkLog(ctx context.Context) error {
	info, err := os.Stat(d.cfg.Path + "-wal")
	if err != nil || info.Size() <= walLimit {
		return nil //nolint:nilerr // there is none
	}
	return d.writer.alone(ctx, func(c *conn) error {
		return c.query("PRAGMA wal_checkpoint(TRUNCATE)", func(*sqlite3.Stmt) error { return nil })
	})
}

// raiseFloor makes a revision the oldest that can be read.
func (h *head) raiseFloor(to Revision) {
	for {
		old := h.floor.Load()
		if old >= int64(to) || h.floor.CompareAndSwap(old, int64(to)) {
			return
		}
	}
}

// complete reports, after a read at a revision, whether everything was still there: an
// InvalidRevisionError if a collection has begun to delete what the revision needs.
func (d *Datastore) complete(c *conn, at Revision) error {
	if d.cfg.ReadOnly { // another process collects
		floor, err := number(c.Conn, "SELECT min(tx) FROM revision")
		if err != nil {
			return err
		}
		d.head.raiseFloor(Revision(floor))
	}
	if int64(at) < d.head.floor.Load() {
		return stale(at)
	}
	return nil
}

// life guards the start of goroutines against the end of the datastore.
type life struct {
	mu      sync.Mutex
	ended   bool
	working sync.WaitGroup
}

// spawn runs fn beside the others; false if the datastore is closed.
func (d *Datastore) spawn(fn func()) bool {
	d.life.mu.Lock()
	defer d.life.mu.Unlock()
	if d.life.ended {
		return false
	}
	d.life.working.Go(fn)
	return true
}

// end waits for the goroutines, which closing tells to end, and lets no other start.
func (l *life) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.working.Wait()
}

// context ends when the datastore is closed.
func (d *Datastore) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := make(chan struct{})
	go func() {
		select {
		case <-d.closing:
			cancel()
		case <-stop:
		}
	}()
	return ctx, sync.OnceFunc(func() {
		close(stop)
		cancel()
	})
}
