// Package pgsql is the hierarchy in PostgreSQL tables as people write it themselves, through pgx with prepared statements: once with recursive queries, once with ltree.
package pgsql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// connections of the pool, as many as there are clients at most.
const connections = 8

// queries are what the two ways of writing it differ in.
type queries struct {
	extra string // columns and indexes
	check string // $1 user, $2 account, $3 permission
	page  string // $1 user, $2 limit

	search string // $1 user, $2 limit, $3 pattern
	list   string // $1 user
}

// System is tables in a database of their own.
type System struct {
	server *postgres.Server
	say    queries
	url    string
	pool   *pgxpool.Pool
}

// Recursive asks with recursive common table expressions over parent.
func Recursive(server *postgres.Server) *System { return &System{server: server, say: recursive()} }

// Ltree asks with paths and a GiST index.
func Ltree(server *postgres.Server) *System { return &System{server: server, say: ltree()} }

const tables = `
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE accounts (id integer PRIMARY KEY, parent integer, name text NOT NULL, folded text NOT NULL, always_on boolean NOT NULL);
CREATE TABLE memberships ("user" integer NOT NULL, account integer NOT NULL, role text NOT NULL, branch boolean NOT NULL, PRIMARY KEY ("user", account));
CREATE TABLE permissions (role text NOT NULL, permission text NOT NULL, PRIMARY KEY (role, permission));`

const indexes = `
CREATE INDEX ON accounts (parent);
CREATE INDEX ON accounts (folded, id);
CREATE INDEX ON accounts USING gin (folded gin_trgm_ops);
CREATE INDEX ON memberships (account);`

// Load makes the tables by COPY, then the indexes, then the statistics.
func (s *System) Load(ctx context.Context, w *tree.World) error {
	var err error
	if s.url, err = s.server.Create(ctx); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	err = s.fill(ctx, conn, w)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	return s.server.Analyze(ctx, s.url)
}

func (s *System) fill(ctx context.Context, conn *pgx.Conn, w *tree.World) error {
	if _, err := conn.Exec(ctx, tables); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	accounts := pgx.CopyFromSlice(w.Size.Accounts, func(i int) ([]any, error) {
		var parent *int
		if p := tree.Parent(i); p >= 0 {
			parent = &p
		}
		return []any{i, parent, w.Names[i], w.Folded[i], w.AlwaysOn[i]}, nil
	})
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "parent", "name", "folded", "always_on"}, accounts); err != nil {
		return err
	}
	memberships := pgx.CopyFromSlice(len(w.Memberships), func(i int) ([]any, error) {
		m := w.Memberships[i]
		return []any{m.User, m.Account, m.Role.String(), m.Branch}, nil
	})
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"memberships"}, []string{"user", "account", "role", "branch"}, memberships); err != nil {
		return err
	}
	for _, role := range tree.Roles() {
		for _, p := range tree.Permissions() {
			if !role.Holds(p) {
				continue
			}
			if _, err := conn.Exec(ctx, "INSERT INTO permissions VALUES ($1, $2)", role.String(), p.String()); err != nil {
				return err
			}
		}
	}
	_, err := conn.Exec(ctx, indexes+s.say.extra)
	return err
}

// Start opens the connections.
func (s *System) Start(ctx context.Context) error {
	cfg, err := pgxpool.ParseConfig(s.url)
	if err != nil {
		return err
	}
	cfg.MaxConns, cfg.MinConns = connections, connections
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // compiling takes longer than any of these queries
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return err
	}
	return s.pool.Ping(ctx)
}

// Stop closes the connections.
func (s *System) Stop() error {
	if s.pool != nil {
		s.pool.Close()
		s.pool = nil
	}
	return nil
}

// Close drops the database.
func (s *System) Close() error {
	if err := s.Stop(); err != nil || s.url == "" {
		return err
	}
	return s.server.Drop(context.Background(), s.url)
}

// Processes returns none: PostgreSQL is shared.
func (s *System) Processes() []int { return nil }

// Check is one query.
func (s *System) Check(ctx context.Context, user, account int, p tree.Permission) (allowed bool, err error) {
	err = s.pool.QueryRow(ctx, s.say.check, user, account, p.String()).Scan(&allowed)
	return allowed, err
}

// Page is one query, with the total beside every row.
func (s *System) Page(ctx context.Context, user int, query string) (peer.Page, error) {
	var page peer.Page
	ask, args := s.say.page, []any{user, peer.PageSize}
	if query != "" {
		ask, args = s.say.search, append(args, "%"+query+"%")
	}
	rows, err := s.pool.Query(ctx, ask, args...)
	if err != nil {
		return page, err
	}
	var id int32
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name, &page.Total}, func() error {
		page.Accounts = append(page.Accounts, id)
		return nil
	})
	return page, err
}

// List is one query.
func (s *System) List(ctx context.Context, user int) ([]int32, error) {
	rows, err := s.pool.Query(ctx, s.say.list, user)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}

// Put is one statement, durable when it returns.
func (s *System) Put(ctx context.Context, m tree.Membership) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO memberships VALUES ($1, $2, $3, $4)
		ON CONFLICT ("user", account) DO UPDATE SET role = excluded.role, branch = excluded.branch`,
		m.User, m.Account, m.Role.String(), m.Branch)
	return err
}

// Remove is one statement, durable when it returns.
func (s *System) Remove(ctx context.Context, m tree.Membership) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM memberships WHERE "user" = $1 AND account = $2`, m.User, m.Account)
	return err
}
