package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// attempts is how often a write is begun that keeps losing races with others.
const attempts = 6

// Read calls fn with a snapshot of the environment, which is valid until fn
// returns. It waits for no writer. See [directory.Store].
func (db *DB) Read(ctx context.Context, env account.EnvironmentID, fn func(directory.Reader) error) error {
	return db.read(ctx, env, func(r *reader) error { return fn(r) })
}

func (db *DB) read(ctx context.Context, env account.EnvironmentID, fn func(*reader) error) error {
	s := db.outside()
	t, err := db.reader.BeginTx(ctx, s.dialect.reading)
	if err != nil {
		return s.fail(ctx, err)
	}
	defer func() { _ = t.Rollback() }() // it has changed nothing, so how it ends does not matter
	s.run = t
	head, err := one(ctx, s, noEnvironment(env), scanValue[account.Version], `SELECT head FROM environments WHERE id = ?`, env)
	if err != nil {
		return err
	}
	return fn(&reader{session: s, env: env, head: head})
}

// Write calls fn in a transaction that holds the environment's lock, and
// commits if fn returns nil. fn must not begin another write. See [directory.Store].
func (db *DB) Write(ctx context.Context, env account.EnvironmentID, fn func(directory.Tx) error) error {
	leave, err := db.gates.enter(ctx, env)
	if err != nil {
		return err
	}
	defer leave()
	return db.write(ctx, db.writer, func(s *session) error {
		head, err := one(ctx, s, noEnvironment(env), scanValue[account.Version],
			`SELECT head FROM environments WHERE id = ?`+s.dialect.lock, env)
		if err != nil {
			return err
		}
		t := &tx{reader: reader{session: s, env: env, head: head}, now: db.now}
		if err := fn(t); err != nil {
			return err
		}
		return t.broken
	})
}

// CreateEnvironment adds an environment with the first entry of its journal. See [directory.Store].
func (db *DB) CreateEnvironment(ctx context.Context, first account.Entry) error {
	if len(first.Changes) == 0 || first.Changes[0].Before != nil || first.Changes[0].After == nil || first.Changes[0].After.Environment == nil {
		return fault.New(fault.Internal, "internal", "the first entry of a journal must begin with the creation of its environment")
	}
	env := first.Changes[0].After.Environment.ID
	return db.write(ctx, db.writer, func(s *session) error {
		t := &tx{reader: reader{session: s, env: env}, now: db.now}
		_, err := t.Append(ctx, first)
		return err
	})
}

// write runs fn in a transaction on one of the pools, again if it loses a race.
func (db *DB) write(ctx context.Context, pool *sql.DB, fn func(*session) error) error {
	pause := 5 * time.Millisecond
	for n := 1; ; n++ {
		lost, err := db.writeOnce(ctx, pool, fn)
		if !lost || n == attempts {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // G404: jitter is no secret
			pause *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// writeOnce runs fn in a transaction and reports whether that lost a race, in
// which case nothing of it has happened.
func (db *DB) writeOnce(ctx context.Context, pool *sql.DB, fn func(*session) error) (lost bool, err error) {
	s := &session{dialect: db.dialect}
	t, err := pool.BeginTx(ctx, &sql.TxOptions{})
	if err != nil {
		return false, s.fail(ctx, err)
	}
	defer func() { _ = t.Rollback() }() // does nothing after a commit
	s.run = t
	if err := fn(s); err != nil {
		return s.lost, err
	}
	if s.lost {
		return true, unavailable(errors.New("the transaction lost a race, and its error was not passed on"))
	}
	err = s.fail(ctx, t.Commit())
	return s.lost, err
}
