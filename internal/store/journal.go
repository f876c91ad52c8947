package store

import (
	"context"
	"encoding/json"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// pageBytes is how much of the journal one answer may hold, in bytes of its JSON.
const pageBytes = 8 << 20

// Entries returns up to limit entries of the journal after a version, oldest
// first. As an answer holds about 8 MB, or else one entry, there may be more
// even where it has fewer than limit.
func (r *reader) Entries(ctx context.Context, after account.Version, limit int) ([]account.Entry, error) {
	return entries(ctx, r.session, r.env, after, limit)
}

// Entries returns up to limit entries (at least 1) of an environment's journal
// after a version, oldest first; none if there is no such environment. As an
// answer holds about 8 MB, or else one entry, there may be more even where it has
// fewer than limit; there is none only after the last.
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
	}, `SELECT s.entry
		FROM (SELECT j.entry, j.version, SUM(octet_length(j.entry)) OVER (ORDER BY j.version) - octet_length(j.entry) AS preceding
			FROM (SELECT version, entry FROM journal WHERE environment = ? AND version > ? ORDER BY version LIMIT ?) AS j) AS s
		WHERE s.preceding < ? ORDER BY s.version`, env, after, max(limit, 1), pageBytes)
}

// Head returns the version of the newest entry of an environment's journal. NotFound fault: environment_not_found.
func (db *DB) Head(ctx context.Context, env account.EnvironmentID) (account.Version, error) {
	return one(ctx, db.outside(), noEnvironment(env), scanValue[account.Version], `SELECT head FROM environments WHERE id = ?`, env)
}

// Snapshot calls fn for every entity of an environment, in the order of
// [directory.Reader.Entities], all of one version, which it returns. Errors are
// those of Read, and fn's.
func (db *DB) Snapshot(ctx context.Context, env account.EnvironmentID, fn func(account.Entity) error) (account.Version, error) {
	var version account.Version
	err := db.Read(ctx, env, func(r directory.Reader) error {
		var err error
		if version, err = r.Head(ctx); err != nil {
			return err
		}
		return r.Entities(ctx, fn)
	})
	return version, err
}

// Heads returns the version of the newest entry of every environment's journal.
func (db *DB) Heads(ctx context.Context) (map[account.EnvironmentID]account.Version, error) {
	return heads(ctx, db.outside())
}

func heads(ctx context.Context, s *session) (map[account.EnvironmentID]account.Version, error) {
	type head struct {
		env     account.EnvironmentID
		version account.Version
	}
	all, err := list(ctx, s, func(r row) (h head, err error) {
		err = r.Scan(&h.env, &h.version)
		return h, err
	}, `SELECT id, head FROM environments`)
	if err != nil {
		return nil, err
	}
	versions := make(map[account.EnvironmentID]account.Version, len(all))
	for _, h := range all {
		versions[h.env] = h.version
	}
	return versions, nil
}
