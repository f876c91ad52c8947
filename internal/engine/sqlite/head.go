package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	sqlite3 "zombiezen.com/go/sqlite"
)

// state is what is known of the newest transaction.
type state struct {
	revision      Revision
	at            time.Time
	schemaHash    string
	relationships int64
}

// head is the newest committed transaction, and wakes those who wait for a newer one.
type head struct {
	state atomic.Pointer[state]

	// ending is the newest transaction that has, or is about to have, moved something into the
	// past: a reader of an older revision has to look there. It is set before the commit.
	ending atomic.Int64
	// floor is the oldest revision that can still be read.
	floor atomic.Int64

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
}

func newHead() *head { return &head{changed: make(chan struct{})} }

func (h *head) get() state { return *h.state.Load() }

// publish makes a transaction the newest, after it was committed.
func (h *head) publish(s state) {
	h.state.Store(&s)
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}

// next gives a channel that is closed when the head changes after this call.
func (h *head) next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// readHead reads the newest transaction from the file.
func readHead(c *conn) (state, error) {
	var s state
	err := c.query("SELECT tx, at, relationships FROM revision ORDER BY tx DESC LIMIT 1", func(row *sqlite3.Stmt) error {
		s.revision, s.at, s.relationships = Revision(row.ColumnInt64(0)), time.Unix(0, row.ColumnInt64(1)), row.ColumnInt64(2)
		return nil
	})
	if err != nil {
		return s, err
	}
	if s.revision == 0 {
		return s, ErrCorrupt
	}
	schema, err := readSchema(c, s.revision)
	if err != nil || schema == nil {
		return s, err
	}
	s.schemaHash = schema.GetV1().GetSchemaHash()
	return s, nil
}

// HeadRevision is the newest transaction, one made since the last expiry. Errors: ErrClosed, ctx's;
// read-only also those of reading.
func (d *Datastore) HeadRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	if err := d.expire(ctx); err != nil {
		return datastore.RevisionWithSchemaHash{Revision: datastore.NoRevision}, err
	}
	return d.newest(ctx)
}

func (d *Datastore) newest(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	if err := d.refresh(ctx); err != nil {
		return datastore.RevisionWithSchemaHash{Revision: datastore.NoRevision}, err
	}
	s := d.head.get()
	return datastore.RevisionWithSchemaHash{Revision: s.revision, SchemaHash: s.schemaHash}, nil
}

// OptimizedRevision is the head as it was within the last Quantum and since the last expiry. Errors
// as with HeadRevision.
func (d *Datastore) OptimizedRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	if d.cfg.Quantum == 0 {
		return d.HeadRevision(ctx)
	}
	err := d.usable()
	if err == nil {
		err = d.expire(ctx)
	}
	if err != nil {
		return datastore.RevisionWithSchemaHash{Revision: datastore.NoRevision}, err
	}
	d.shared.mu.Lock()
	defer d.shared.mu.Unlock()
	if now := time.Now(); d.shared.until.Before(now) {
		newest, err := d.newest(ctx)
		if err != nil {
			return newest, err
		}
		d.shared.revision, d.shared.until = newest, now.Add(d.cfg.Quantum)
	}
	return d.shared.revision, nil
}

// shared is the revision that reads share for a while.
type shared struct {
	mu       sync.Mutex
	revision datastore.RevisionWithSchemaHash
	until    time.Time
}

// forget makes the next reader look at the head.
func (s *shared) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// RevisionFromString reads what a revision's String wrote.
func (*Datastore) RevisionFromString(serialized string) (datastore.Revision, error) {
	return parseRevision(serialized)
}

// CheckRevision reports whether a revision can be read: an InvalidRevisionError if it is older
// than the window, unless it is still the head, or if it is of the future.
func (d *Datastore) CheckRevision(ctx context.Context, revision datastore.Revision) error {
	r, ok := revision.(Revision)
	if !ok {
		return unknown(revision)
	}
	if err := d.reach(ctx, r); err != nil {
		return err
	}
	if r == d.head.get().revision {
		return nil
	}
	at := time.Time{}
	err := d.read(ctx, func(c *conn) error {
		return c.query("SELECT at FROM revision WHERE tx = ?", func(s *sqlite3.Stmt) error {
			at = time.Unix(0, s.ColumnInt64(0))
			return nil
		}, r)
	})
	switch {
	case err != nil:
		return err
	case at.IsZero():
		if err := d.reach(ctx, r); err != nil { // it was collected just now
			return err
		}
		return unknown(r)
	case time.Since(at) > d.cfg.GCWindow:
		return stale(r)
	}
	return nil
}

// aged reports whether a head must be renewed. It is readable for the window only, once another
// has come; so one that is handed out must not be old.
func (d *Datastore) aged(s state) bool { return time.Since(s.at) > d.cfg.GCWindow/2 }

// renew makes a new head, with no changes, of one that has aged.
func (d *Datastore) renew(ctx context.Context) error {
	if !d.aged(d.head.get()) {
		return nil
	}
	return d.advance(ctx)
}

// advance makes a new head with no changes.
func (d *Datastore) advance(ctx context.Context) error {
	_, err := d.ReadWriteTx(ctx, func(_ context.Context, rwt datastore.ReadWriteTransaction) error {
		if tx, ok := rwt.(*transaction); ok {
			tx.changed = true
		}
		return nil
	})
	return err
}

// reach reports whether a revision is between the oldest and the newest.
func (d *Datastore) reach(ctx context.Context, r Revision) error {
	if err := d.usable(); err != nil {
		return err
	}
	if r > d.head.get().revision {
		if err := d.refresh(ctx); err != nil {
			return err
		}
	}
	switch {
	case r > d.head.get().revision || r < 1:
		return unknown(r)
	case int64(r) < d.head.floor.Load():
		return stale(r)
	}
	return nil
}
