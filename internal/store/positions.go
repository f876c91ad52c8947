package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Position returns how far an engine has applied an environment's journal, and
// the engine's token of that moment; 0 and "" if it has applied nothing yet.
func (db *DB) Position(ctx context.Context, env account.EnvironmentID, engine string) (account.Version, string, error) {
	type position struct {
		version account.Version
		token   string
	}
	all, err := list(ctx, db.outside(), func(r row) (p position, err error) {
		err = r.Scan(&p.version, &p.token)
		return p, err
	}, `SELECT version, token FROM positions WHERE environment = ? AND engine = ?`, env, engine)
	if err != nil || len(all) == 0 {
		return 0, "", err
	}
	return all[0].version, all[0].token, nil
}

// SavePosition notes that an engine has applied an environment's journal up to
// a version. It never goes back: a version that is not greater than the one
// noted changes nothing. NotFound fault: environment_not_found.
func (db *DB) SavePosition(ctx context.Context, env account.EnvironmentID, engine string, version account.Version, token string) error {
	return db.write(ctx, db.brief, func(s *session) error {
		if _, err := one(ctx, s, noEnvironment(env), scanValue[int], `SELECT 1 FROM environments WHERE id = ?`, env); err != nil {
			return err
		}
		_, err := s.exec(ctx, `INSERT INTO positions (environment, engine, version, token) VALUES (?, ?, ?, ?)
			ON CONFLICT (environment, engine) DO UPDATE SET version = excluded.version, token = excluded.token
			WHERE excluded.version > positions.version`, env, engine, version, token)
		return err
	})
}

// ForgetPosition makes the environment's journal count as not applied by the engine at all.
func (db *DB) ForgetPosition(ctx context.Context, env account.EnvironmentID, engine string) error {
	return db.write(ctx, db.brief, func(s *session) error {
		_, err := s.exec(ctx, `DELETE FROM positions WHERE environment = ? AND engine = ?`, env, engine)
		return err
	})
}
