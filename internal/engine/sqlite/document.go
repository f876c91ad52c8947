package sqlite

import (
	"context"

	sqlite3 "zombiezen.com/go/sqlite"
)

// category is a class of documents: small things with a name that the store keeps by revision.
type category string

const (
	namespaces category = "namespace"
	caveats    category = "caveat"
	schemas    category = "schema" // one, with the empty name
	counters   category = "counter"
)

// document is one version of one of them.
type document struct {
	name    string
	since   Revision
	content []byte
}

// documents gives those of a category as of a revision, by name: all, or those with a name.
func documents(c *conn, of category, at Revision, name *string) ([]document, error) {
	var out []document
	row := func(s *sqlite3.Stmt) error {
		out = append(out, document{name: s.ColumnText(0), since: Revision(s.ColumnInt64(1)), content: blob(s, 2)})
		return nil
	}
	if name != nil {
		return out, c.query(`SELECT name, since, content FROM document
			WHERE category = ? AND name = ? AND since <= ? AND until > ?`, row, string(of), *name, at, at)
	}
	return out, c.query(`SELECT name, since, content FROM document
		WHERE category = ? AND since <= ? AND until > ? ORDER BY name`, row, string(of), at, at)
}

// put writes a version of a document in the transaction.
func (tx *transaction) put(of category, name string, content []byte) error {
	if _, err := tx.remove(of, name); err != nil {
		return err
	}
	tx.changed = true
	return tx.conn.exec("INSERT INTO document (category, name, since, until, content) VALUES (?, ?, ?, ?, ?)",
		string(of), name, tx.number, int64(forever), content)
}

// remove ends a document in the transaction; false if there is none.
func (tx *transaction) remove(of category, name string) (bool, error) {
	found, err := documents(tx.conn, of, tx.number, &name)
	if err != nil || len(found) == 0 {
		return false, err
	}
	tx.changed = true
	if found[0].since == tx.number { // it never was, for anybody else
		return true, tx.conn.exec("DELETE FROM document WHERE category = ? AND name = ? AND since = ?", string(of), name, tx.number)
	}
	return true, tx.conn.exec("UPDATE document SET until = ? WHERE category = ? AND name = ? AND until = ?",
		tx.number, string(of), name, int64(forever))
}

// documents gives those of a category at the reader's revision.
func (r *reader) documents(ctx context.Context, of category, name *string) (out []document, err error) {
	err = r.on(ctx, func(c *conn, at Revision) error {
		out, err = documents(c, of, at, name)
		return err
	})
	return out, err
}

// on runs fn on a connection and at a revision that are the reader's.
func (r *reader) on(ctx context.Context, fn func(*conn, Revision) error) error {
	switch {
	case r.err != nil:
		return r.err
	case r.tx != nil:
		return r.tx.do(ctx, func() error { return fn(r.tx.conn, r.tx.number) })
	}
	if err := r.store.reach(ctx, r.at); err != nil {
		return err
	}
	return r.store.read(ctx, func(c *conn) error { return fn(c, r.at) })
}
