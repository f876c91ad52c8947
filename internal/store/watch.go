package store

import (
	"errors"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/tenantry/tenantry/internal/memo"
)

// watch tells whether an SQLite file has changed, whoever changed it: this process or another one. It has
// a connection of its own that only ever asks PRAGMA data_version, which is another number after
// any other connection has committed (sqlite.org/pragma.html#pragma_data_version). It is safe for concurrent use.
type watch struct {
	path string

	mu      sync.Mutex
	conn    *sqlite.Conn // nil until it is needed, and after a failure
	ask     *sqlite.Stmt
	version int64 // what ask gave last
	mark    memo.Mark
	closed  bool
}

// Mark names the state of the database: nothing is committed between two calls that
// return the same mark. What was read after the first is then what would be read after the second. 0 if
// there is no telling: on PostgreSQL, and when the database does not answer at once. Then it is to be read.
func (db *DB) Mark() memo.Mark {
	if db.watch == nil {
		return 0
	}
	return db.watch.now()
}

// now is the mark of the file as it is after the call has begun.
func (w *watch) now() memo.Mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0
	}
	version, err := w.read()
	if err != nil {
		_ = w.drop() // it is not relied on any more; what is wrong with the file is told by who reads
		return 0
	}
	if version != w.version {
		w.version = version
		w.mark++
	}
	return w.mark
}

// read returns SQLite's number for the state of the file. It means something to this connection alone.
func (w *watch) read() (version int64, err error) {
	if w.conn == nil {
		if err := w.open(); err != nil {
			return 0, err
		}
	}
	defer func() { err = errors.Join(err, w.ask.Reset()) }() // also ends the transaction, so that the next call sees what is new
	there, err := w.ask.Step()
	if err != nil {
		return 0, err
	}
	if !there {
		return 0, errors.New("store: SQLite does not tell its data_version")
	}
	return w.ask.ColumnInt64(0), nil
}

// open makes the connection. Its numbers are others than those of the connection before, so that a mark is never the same.
func (w *watch) open() error {
	w.mark++
	conn, err := sqlite.OpenConn(w.path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetBusyTimeout(0)
	ask, err := conn.Prepare("PRAGMA data_version")
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	w.conn, w.ask = conn, ask
	return nil
}

// drop gives the connection up.
func (w *watch) drop() error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close() // its statements too
	w.conn, w.ask = nil, nil
	return err
}

// close ends the watch; nothing can be told from then on.
func (w *watch) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.drop()
}
