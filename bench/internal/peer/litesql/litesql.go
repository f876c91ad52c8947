// Package litesql is the hierarchy in SQLite tables as people write it themselves, in the benchmark's process, with recursive queries.
package litesql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// connections of the pool, as many as there are clients at most.
const connections = 8

// System is a file with tables.
type System struct {
	dir  string
	pool *sqlitex.Pool
}

// New returns a system that keeps its file in a folder of its own below dir.
func New(dir string) *System { return &System{dir: filepath.Join(dir, "litesql")} }

const tables = `
CREATE TABLE accounts (id INTEGER PRIMARY KEY, parent INTEGER, name TEXT NOT NULL, folded TEXT NOT NULL, always_on INTEGER NOT NULL) STRICT;
CREATE TABLE memberships (user INTEGER NOT NULL, account INTEGER NOT NULL, role TEXT NOT NULL, branch INTEGER NOT NULL, PRIMARY KEY (user, account)) STRICT, WITHOUT ROWID;
CREATE TABLE permissions (role TEXT NOT NULL, permission TEXT NOT NULL, PRIMARY KEY (role, permission)) STRICT, WITHOUT ROWID;`

const indexes = `
CREATE INDEX accounts_parent ON accounts (parent);
CREATE INDEX accounts_folded ON accounts (folded, id);
CREATE INDEX memberships_account ON memberships (account);
ANALYZE;`

// Load fills the tables in one transaction, then makes the indexes and statistics.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	conn, err := s.pool.Take(ctx)
	if err == nil {
		err = fill(conn, w)
		s.pool.Put(conn)
	}
	return errors.Join(err, s.Stop())
}

func fill(conn *sqlite.Conn, w *tree.World) (err error) {
	if err := sqlitex.ExecuteScript(conn, tables, nil); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	for i := range w.Size.Accounts {
		var parent any
		if p := tree.Parent(i); p >= 0 {
			parent = p
		}
		if err := do(conn, "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", i, parent, w.Names[i], w.Folded[i], w.AlwaysOn[i]); err != nil {
			return err
		}
	}
	for _, m := range w.Memberships {
		if err := do(conn, "INSERT INTO memberships VALUES (?, ?, ?, ?)", m.User, m.Account, m.Role.String(), m.Branch); err != nil {
			return err
		}
	}
	for _, role := range tree.Roles() {
		for _, p := range tree.Permissions() {
			if role.Holds(p) {
				if err := do(conn, "INSERT INTO permissions VALUES (?, ?)", role.String(), p.String()); err != nil {
					return err
				}
			}
		}
	}
	return sqlitex.ExecuteScript(conn, indexes, nil)
}

func do(conn *sqlite.Conn, statement string, args ...any) error {
	return sqlitex.Execute(conn, statement, &sqlitex.ExecOptions{Args: args})
}

// settings are those of every connection: as durable as SQLite can be, with room for the content in memory.
func settings() []string {
	return []string{"synchronous = FULL", "cache_size = -65536", "mmap_size = 1073741824", "busy_timeout = 5000"}
}

// Start opens the connections.
func (s *System) Start(context.Context) (err error) {
	s.pool, err = sqlitex.NewPool(filepath.Join(s.dir, "accounts.db"), sqlitex.PoolOptions{
		PoolSize: connections,
		PrepareConn: func(conn *sqlite.Conn) error {
			for _, setting := range settings() {
				if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
					return err
				}
			}
			return nil
		},
	})
	return err
}

// Stop closes the connections.
func (s *System) Stop() error {
	if s.pool == nil {
		return nil
	}
	pool := s.pool
	s.pool = nil
	return pool.Close()
}

// Close removes the file.
func (s *System) Close() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }

// Processes returns none.
func (s *System) Processes() []int { return nil }

const check = `
WITH RECURSIVE up (id, parent, reaches) AS (
	SELECT id, parent, 1 FROM accounts WHERE id = ?2
	UNION ALL
	SELECT a.id, a.parent, a.always_on FROM up JOIN accounts a ON a.id = up.parent
)
SELECT EXISTS (
	SELECT 1 FROM up
	JOIN memberships m ON m.account = up.id AND m.user = ?1
	JOIN permissions p ON p.role = m.role AND p.permission = ?3
	WHERE up.reaches OR m.branch)`

const down = `
WITH RECURSIVE reach (id, branch) AS (
	SELECT m.account, m.branch OR a.always_on
	FROM memberships m JOIN accounts a ON a.id = m.account
	WHERE m.user = ?1
	UNION
	SELECT a.id, 1 FROM reach r JOIN accounts a ON a.parent = r.id WHERE r.branch
)`

const page = down + `
SELECT a.id, a.name, count(*) OVER ()
FROM (SELECT DISTINCT id FROM reach) r JOIN accounts a ON a.id = r.id
ORDER BY a.folded, a.id LIMIT ?2`

const search = down + `
SELECT a.id, a.name, count(*) OVER ()
FROM (SELECT DISTINCT id FROM reach) r JOIN accounts a ON a.id = r.id
WHERE a.folded LIKE ?3
ORDER BY a.folded, a.id LIMIT ?2`

const list = down + `
SELECT DISTINCT id FROM reach`

// query takes a connection for one query.
func (s *System) query(ctx context.Context, text string, row func(*sqlite.Stmt), args ...any) error {
	conn, err := s.pool.Take(ctx)
	if err != nil {
		return err
	}
	defer s.pool.Put(conn)
	return sqlitex.Execute(conn, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(stmt *sqlite.Stmt) error {
		row(stmt)
		return nil
	}})
}

// Check is one query.
func (s *System) Check(ctx context.Context, user, account int, p tree.Permission) (allowed bool, err error) {
	err = s.query(ctx, check, func(r *sqlite.Stmt) { allowed = r.ColumnBool(0) }, user, account, p.String())
	return allowed, err
}

// Page is one query, with the total beside every row.
func (s *System) Page(ctx context.Context, user int, query string) (peer.Page, error) {
	var found peer.Page
	ask, args := page, []any{user, peer.PageSize}
	if query != "" {
		ask, args = search, append(args, "%"+query+"%")
	}
	err := s.query(ctx, ask, func(r *sqlite.Stmt) {
		found.Accounts = append(found.Accounts, r.ColumnInt32(0))
		_ = r.ColumnText(1) // a caller wants the name
		found.Total = r.ColumnInt(2)
	}, args...)
	return found, err
}

// List is one query.
func (s *System) List(ctx context.Context, user int) ([]int32, error) {
	var all []int32
	err := s.query(ctx, list, func(r *sqlite.Stmt) { all = append(all, r.ColumnInt32(0)) }, user)
	return all, err
}

// Put is one statement, durable when it returns.
func (s *System) Put(ctx context.Context, m tree.Membership) error {
	return s.query(ctx, "INSERT OR REPLACE INTO memberships VALUES (?, ?, ?, ?)", func(*sqlite.Stmt) {}, m.User, m.Account, m.Role.String(), m.Branch)
}

// Remove is one statement, durable when it returns.
func (s *System) Remove(ctx context.Context, m tree.Membership) error {
	return s.query(ctx, "DELETE FROM memberships WHERE user = ? AND account = ?", func(*sqlite.Stmt) {}, m.User, m.Account)
}
