package store

import (
	"context"
	"database/sql"

	"github.com/tenantry/tenantry/internal/account"
)

// signingKeyColumns are those of a key, and when the next one of its environment was made.
const signingKeyColumns = `k.id, k.environment, k.private_key, k.created_at, ` + replacedAt

// Keys of one environment are made one after the other, each later than the one before.
const replacedAt = `(SELECT MIN(n.created_at) FROM signing_keys n WHERE n.environment = k.environment AND n.created_at > k.created_at)`

// notRevoked leaves out the keys that their environment, e, has revoked.
const notRevoked = `(e.keys_revoked_at IS NULL OR k.created_at >= e.keys_revoked_at)`

func scanSigningKey(r row) (k account.SigningKey, err error) {
	var created int64
	var replaced sql.NullInt64
	err = r.Scan(&k.ID, &k.Environment, &k.Private, &created, &replaced)
	k.CreatedAt, k.ReplacedAt = timeOf(created), timeOrNil(replaced)
	return k, err
}

const signingKeyByID = `SELECT ` + signingKeyColumns + ` FROM signing_keys k JOIN environments e ON e.id = k.environment WHERE k.id = ? AND ` + notRevoked

// SigningKey returns a key by its id, of whichever environment, unless it was
// revoked. NotFound fault: signing_key_not_found.
func (db *DB) SigningKey(ctx context.Context, id string) (account.SigningKey, error) {
	return one(ctx, db.everyTime(), noSigningKey(id), scanSigningKey, signingKeyByID, id)
}

// SigningKeys returns the keys of every environment that were not revoked, by
// environment and oldest first; limit at most.
func (db *DB) SigningKeys(ctx context.Context, limit int) ([]account.SigningKey, error) {
	return list(ctx, db.outside(), scanSigningKey, `SELECT `+signingKeyColumns+` FROM signing_keys k JOIN environments e ON e.id = k.environment
		WHERE `+notRevoked+` ORDER BY k.environment, k.created_at LIMIT ?`, max(limit, 1))
}

// KeyRing returns the keys of an environment. NotFound fault: environment_not_found.
func (db *DB) KeyRing(ctx context.Context, env account.EnvironmentID) (account.KeyRing, error) {
	return keyRing(ctx, db.outside(), env)
}

// KeepKeys changes the keys of an environment: revise is told what there is, and
// returns a key to add, nil for none, and those to delete. Of several who come at
// once, each is told what the one before has left. It may be called more than once.
// NotFound fault: environment_not_found.
func (db *DB) KeepKeys(ctx context.Context, env account.EnvironmentID, revise func(account.KeyRing) (fresh *account.SigningKey, gone []account.SigningKey, err error)) error {
	return db.write(ctx, db.brief, func(s *session) error {
		_, err := one(ctx, s, noEnvironment(env), scanValue[int], `SELECT 1 FROM environments WHERE id = ?`+s.dialect.lock, env)
		if err != nil {
			return err
		}
		ring, err := keyRing(ctx, s, env)
		if err != nil {
			return err
		}
		fresh, gone, err := revise(ring)
		if err != nil {
			return err
		}
		for _, k := range gone {
			if _, err := s.exec(ctx, `DELETE FROM signing_keys WHERE environment = ? AND id = ?`, env, k.ID); err != nil {
				return err
			}
		}
		if fresh == nil {
			return nil
		}
		_, err = s.exec(ctx, `INSERT INTO signing_keys (id, environment, private_key, created_at) VALUES (?, ?, ?, ?)`,
			fresh.ID, env, fresh.Private, micros(fresh.CreatedAt))
		return err
	})
}

// ringOf gives a row for each key of an environment, one if there is none.
const ringOf = `SELECT e.keys_rotated_at, e.keys_revoked_at, e.token_minutes, k.id, k.private_key, k.created_at, ` + replacedAt + `
	FROM environments e LEFT JOIN signing_keys k ON k.environment = e.id WHERE e.id = ? ORDER BY k.created_at`

func keyRing(ctx context.Context, s *session, env account.EnvironmentID) (account.KeyRing, error) {
	rows, err := list(ctx, s, func(r row) (ring account.KeyRing, err error) {
		var rotated, revoked, created, replaced sql.NullInt64
		var id sql.NullString
		key := account.SigningKey{Environment: env}
		err = r.Scan(&rotated, &revoked, &ring.TokenMinutes, &id, &key.Private, &created, &replaced)
		ring.RotatedAt, ring.RevokedAt = timeOrNil(rotated), timeOrNil(revoked)
		if id.Valid {
			key.ID, key.CreatedAt, key.ReplacedAt = id.String, timeOf(created.Int64), timeOrNil(replaced)
			ring.Keys = []account.SigningKey{key}
		}
		return ring, err
	}, ringOf, env)
	if err != nil {
		return account.KeyRing{}, err
	}
	if len(rows) == 0 {
		return account.KeyRing{}, noEnvironment(env)
	}
	ring := rows[0]
	for _, more := range rows[1:] {
		ring.Keys = append(ring.Keys, more.Keys...)
	}
	return ring, nil
}

// KeyRing returns the environment's signing keys, without what they sign with.
func (r *reader) KeyRing(ctx context.Context) (account.KeyRing, error) {
	ring, err := keyRing(ctx, r.session, r.env)
	for i := range ring.Keys {
		ring.Keys[i].Private = nil
	}
	return ring, err
}
