package sqlite

import (
	"fmt"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// busyWait is how long a statement waits for a lock that another connection holds briefly.
	busyWait = 5 * time.Second
	// maxStatements is how many prepared statements a connection keeps.
	maxStatements = 192
)

// conn is a connection with its prepared statements. One goroutine uses it at a time.
type conn struct {
	*sqlite3.Conn
	statements map[string]*sqlite3.Stmt
	work       *worker // nil if it is used by whoever holds it
}

// open makes a connection to a file that is there. It is interrupted when closing is closed, if that
// is not nil: from another goroutine, so only what asks in no other way whether to go on should be.
func open(path string, flags sqlite3.OpenFlags, closing <-chan struct{}, pragmas ...string) (*conn, error) {
	c, err := sqlite3.OpenConn(path, flags)
	if err != nil {
		return nil, meaning(err)
	}
	c.SetBusyTimeout(busyWait)
	for _, p := range append(pragmas, "temp_store = MEMORY", "trusted_schema = OFF") {
		if err := sqlitex.ExecuteTransient(c, "PRAGMA "+p, nil); err != nil {
			_ = c.Close() // the first error counts
			return nil, fmt.Errorf("setting %s: %w", p, meaning(err))
		}
	}
	c.SetInterrupt(closing)
	return &conn{Conn: c, statements: make(map[string]*sqlite3.Stmt)}, nil
}

// prepare gives the statement for a text, ready to be bound. It is the connection's to keep, and
// in use until it is Reset.
func (c *conn) prepare(text string) (*sqlite3.Stmt, error) {
	s, err := c.Prepare(text)
	if err != nil {
		return nil, meaning(err)
	}
	c.statements[text] = s
	return s, nil
}

// exec runs a statement that gives no rows.
func (c *conn) exec(text string, args ...any) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	bind(s, args...)
	_, err = s.Step()
	if again := s.Reset(); err == nil {
		err = again
	}
	return meaning(err)
}

// query runs a statement and hands its rows over; row must not use the connection.
func (c *conn) query(text string, row func(*sqlite3.Stmt) error, args ...any) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	bind(s, args...)
	for {
		more, err := s.Step()
		if err == nil && more {
			err = row(s)
		}
		if err != nil || !more {
			if again := s.Reset(); err == nil {
				err = again
			}
			return meaning(err)
		}
	}
}

// bind sets a statement's parameters in order.
func bind(s *sqlite3.Stmt, args ...any) {
	for i, a := range args {
		switch v := a.(type) {
		case nil:
			s.BindNull(i + 1)
		case string:
			s.BindText(i+1, v)
		case int64:
			s.BindInt64(i+1, v)
		case Revision:
			s.BindInt64(i+1, int64(v))
		case []byte:
			if v == nil {
				s.BindNull(i + 1)
			} else {
				s.BindBytes(i+1, v)
			}
		default:
			panic(fmt.Sprintf("a parameter of type %T", a))
		}
	}
}

// tidy forgets the prepared statements if they have become many.
func (c *conn) tidy() {
	if len(c.statements) <= maxStatements {
		return
	}
	for text, s := range c.statements {
		_ = s.Finalize() // repeats the error of the last step, which was reported
		delete(c.statements, text)
	}
}

// blob reads a column; nil where there is none.
func blob(s *sqlite3.Stmt, i int) []byte {
	if s.ColumnIsNull(i) {
		return nil
	}
	b := make([]byte, s.ColumnLen(i))
	s.ColumnBytes(i, b)
	return b
}
