package sqlite

import (
	"context"
	"sync"

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
func documents(c *conn, of category, at Revision, name *string) (out []document, _ error) {
	text, args := documentsText(of, at, name)
	err := c.query(text, func(s *sqlite3.Stmt) error {
		out = append(out, document{name: s.ColumnText(0), since: Revision(s.ColumnInt64(1)), content: blob(s, 2)})
		return nil
	}, args...)
	return out, err
}

func documentsText(of category, at Revision, name *string) (string, []any) {
	if name != nil {
		return `SELECT name, since, content FROM document
			WHERE category = ? AND name = ? AND since <= ? AND until > ?`, []any{string(of), *name, at, at}
	}
	return `SELECT name, since, content FROM document
		WHERE category = ? AND since <= ? AND until > ? ORDER BY name`, []any{string(of), at, at}
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

// made hands over what is made of documents at the reader's revision. What was made of a version
// that is committed is kept, for SpiceDB asks again after each write, and those who ask share it.
func (r *reader) made(ctx context.Context, of category, name *string, make func(document) (any, error), take func(any, Revision)) error {
	return r.on(ctx, func(c *conn, at Revision) error {
		text, args := documentsText(of, at, name)
		return c.query(text, func(s *sqlite3.Stmt) error {
			id := versionID{of, s.ColumnText(0), Revision(s.ColumnInt64(1))}
			if r.tx == nil {
				if m, ok := r.store.versions.get(id); ok {
					take(m, id.since)
					return nil
				}
			}
			m, err := make(document{name: id.name, since: id.since, content: blob(s, 2)})
			if err != nil {
				return err
			}
			if r.tx == nil {
				r.store.versions.put(id, m)
			}
			take(m, id.since)
			return nil
		}, args...)
	})
}

// maxVersions is how many versions of documents are kept in memory, as they were made.
const maxVersions = 1000

// versionID names a version of a document. What it holds never changes, once it is committed.
type versionID struct {
	category category
	name     string
	since    Revision
}

// versions are what was made of documents.
type versions struct {
	mu   sync.Mutex
	made map[versionID]any
}

func (v *versions) get(id versionID) (any, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	m, ok := v.made[id]
	return m, ok
}

func (v *versions) put(id versionID, m any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.made) >= maxVersions || v.made == nil {
		v.made = map[versionID]any{}
	}
	v.made[id] = m
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
