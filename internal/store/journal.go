package store

import (
	"context"
	"encoding/json"

	"github.com/tenantry/tenantry/internal/account"
)

// Entries returns up to limit entries of the journal after a version, oldest first.
func (r *reader) Entries(ctx context.Context, after account.Version, limit int) ([]account.Entry, error) {
	return entries(ctx, r.session, r.env, after, limit)
}

// Entries returns up to limit entries (at least 1) of an environment's journal
// after a version, oldest first; none if there is no such environment.
func (db *DB) Entries(ctx context.Context, env account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error) {
	return entries(ctx, db.outside(), env, after, limit)
}

func entries(ctx context.Context, s *session, env account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error) {
	return list(ctx, s, func(r row) (e account.Entry, err error) {
		var text []byte
		if err := r.Scan(&text); err != nil {
			return e, err
		}
		err = json.Unmarshal(text, &e)
		return e, err
	}, `SELECT j.entry FROM journal j WHERE j.environment = ? AND j.version > ? ORDER BY j.version LIMIT ?`, env, after, max(limit, 1))
}

// Head returns the version of the newest entry of an environment's journal. NotFound fault: environment_not_found.
func (db *DB) Head(ctx context.Context, env account.EnvironmentID) (account.Version, error) {
	return one(ctx, db.outside(), noEnvironment(env), scanValue[account.Version], `SELECT head FROM environments WHERE id = ?`, env)
}

// Heads returns the version of the newest entry of every environment's journal.
func (db *DB) Heads(ctx context.Context) (map[account.EnvironmentID]account.Version, error) {
	type head struct {
		env     account.EnvironmentID
		version account.Version
	}
	all, err := list(ctx, db.outside(), func(r row) (h head, err error) {
		err = r.Scan(&h.env, &h.version)
		return h, err
	}, `SELECT id, head FROM environments`)
	if err != nil {
		return nil, err
	}
	heads := make(map[account.EnvironmentID]account.Version, len(all))
	for _, h := range all {
		heads[h.env] = h.version
	}
	return heads, nil
}
