package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// maxBatch is how many transactions share a commit at most.
	maxBatch = 64
	// maxBatchAge is how long a transaction may wait for others to share its commit with.
	maxBatchAge = 20 * time.Millisecond
	// walPages is how long the write-ahead log grows, in pages, before a commit copies it into
	// the file, and walLimit how much of it is kept on disk after that, in bytes.
	walPages = 4000
	walLimit = 64 << 20
)

// writer is the one connection that writes. What it holds belongs to whoever has the turn.
//
// Writers who come while another one is at work share its commit, for what a commit costs is
// waiting for the disk. Each transaction has a savepoint of its own, so that one can fail and the
// others not, and a revision of its own. Nobody is told of success before the commit.
type writer struct {
	store *Datastore
	conn  *conn
	turns turns

	batch   *batch // nil outside of a transaction of SQLite's
	pending state  // the head as it will be after the commit
	kinds   *kinds // those of the head, and those that will be
	version int64  // of the file, as SQLite counts changes by other connections

	late atomic.Bool // the datastore is closed, and nothing is committed any more
}

// batch is some transactions that are committed together.
type batch struct {
	began   time.Time
	size    int
	changed bool
	ending  Revision      // the last that moved something into the past; 0 is none
	expires int64         // the first expiry in it, in microseconds of Unix time; 0 is none
	done    chan struct{} // closed after the commit, or when there will be none
	err     error         // to be read after done
}

// openWriter opens the file for writing, and makes or migrates it.
func openWriter(ctx context.Context, d *Datastore) (*writer, error) {
	file, err := os.OpenFile(d.cfg.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	c, err := open(d.cfg.Path, sqlite3.OpenReadWrite, nil) // it ends when it is drained, and then copies the log into the file
	if err != nil {
		return nil, err
	}
	w := &writer{store: d, conn: c}
	if err := w.settle(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return w, nil
}

// settle looks at the file before it changes anything, and then prepares it.
func (w *writer) settle(ctx context.Context) error {
	if _, err := version(w.conn.Conn); err != nil {
		return err
	}
	synchronous := "FULL"
	if w.store.cfg.Synchronous == Normal {
		synchronous = "NORMAL"
	}
	pragmas := []string{
		"journal_mode = WAL",
		"synchronous = " + synchronous,
		fmt.Sprintf("wal_autocheckpoint = %d", walPages),
		fmt.Sprintf("journal_size_limit = %d", walLimit),
		fmt.Sprintf("cache_size = %d", -w.store.cfg.CacheBytes/2/1024),
	}
	if w.store.cfg.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count = %d", w.store.cfg.MaxPages))
	}
	for _, p := range pragmas {
		if _, err := number(w.conn.Conn, "PRAGMA "+p); err != nil {
			return fmt.Errorf("setting %s: %w", p, err)
		}
	}
	if err := migrate(ctx, w.conn.Conn); err != nil {
		return err
	}
	var err error
	w.version, err = number(w.conn.Conn, "PRAGMA data_version")
	return err
}

// begin starts a transaction of SQLite's, unless one is open. ErrForeign, for good, if somebody
// else has written since the last.
func (w *writer) begin() error {
	if w.batch != nil {
		return nil
	}
	if err := w.store.usable(); err != nil {
		return err
	}
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	var now int64
	err := w.conn.query("PRAGMA data_version", func(s *sqlite3.Stmt) error {
		now = s.ColumnInt64(0)
		return nil
	})
	if err == nil && now != w.version {
		err = ErrForeign
		w.store.breakDown(err)
	}
	if err != nil {
		return errors.Join(err, w.conn.exec("ROLLBACK"))
	}
	w.pending, w.kinds = w.store.head.get(), w.store.kinds.Load()
	w.batch = &batch{began: time.Now(), done: make(chan struct{})}
	return nil
}

// leave gives the turn away: to one who shares the open commit, or else after the commit.
func (w *writer) leave() {
	if b := w.batch; b != nil {
		if b.size < maxBatch && time.Since(b.began) < maxBatchAge && w.turns.share() {
			return
		}
		w.commit()
	}
	w.turns.pass()
}

// commit commits the batch and tells those who wait for it.
func (w *writer) commit() {
	b := w.batch
	if w.late.Load() {
		w.abort(ErrClosed)
		return
	}
	if int64(b.ending) > w.store.head.ending.Load() {
		w.store.head.ending.Store(int64(b.ending)) // before anybody can see it
	}
	err := w.conn.exec("COMMIT")
	if err != nil {
		w.abort(err)
		return
	}
	if b.expires != 0 {
		w.store.expiries.note(b.expires)
	}
	if b.changed {
		w.store.kinds.Store(w.kinds)
		w.store.head.publish(w.pending)
	}
	w.batch = nil
	w.conn.tidy()
	close(b.done)
}

// abort ends the batch without a commit. Everybody in it gets the error.
func (w *writer) abort(why error) {
	b := w.batch
	b.err = why
	if !w.conn.AutocommitEnabled() { // SQLite has not rolled it back by itself
		if err := w.conn.exec("ROLLBACK"); err != nil {
			w.store.breakDown(fmt.Errorf("rolling back: %w", err))
		}
	}
	w.batch = nil
	close(b.done)
}

// maintain runs fn in a transaction of its own that makes no revision, and some functions after
// it was committed.
func (w *writer) maintain(ctx context.Context, fn func(*conn) error, committed ...func()) error {
	return w.alone(ctx, func(c *conn) error {
		if err := w.begin(); err != nil {
			return err
		}
		b := w.batch
		if err := fn(c); err != nil {
			w.abort(err)
			return err
		}
		w.commit()
		if b.err == nil {
			for _, done := range committed {
				done()
			}
		}
		return b.err
	})
}

// alone runs fn between transactions.
func (w *writer) alone(ctx context.Context, fn func(*conn) error) error {
	has, err := w.turns.take(ctx, true)
	if !has {
		return err
	}
	defer w.leave()
	if err != nil {
		return err
	}
	if w.batch != nil {
		w.commit()
	}
	return fn(w.conn)
}

// end waits for the transaction under way, lets no other begin, and then closes the connection and
// calls released. If the transaction takes too long, end returns before that, with an error; from
// then on the transaction cannot be committed any more.
func (w *writer) end(released func() error) error {
	done := make(chan error, 1)
	go func() {
		w.turns.last()
		if w.batch != nil {
			w.commit()
		}
		done <- errors.Join(w.conn.Close(), released())
	}()
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		w.late.Store(true)
		return errors.New("a transaction does not end; the file stays locked until it does")
	}
}
