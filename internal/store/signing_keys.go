package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

const signingKeyColumns = `k.id, k.environment, k.private_key, k.created_at`

func scanSigningKey(r row) (k account.SigningKey, err error) {
	var created int64
	err = r.Scan(&k.ID, &k.Environment, &k.Private, &created)
	k.CreatedAt = timeOf(created)
	return k, err
}

// SigningKey returns a key by its id, of whichever environment. NotFound fault: signing_key_not_found.
func (db *DB) SigningKey(ctx context.Context, id string) (account.SigningKey, error) {
	return one(ctx, db.outside(), noSigningKey(id), scanSigningKey,
		`SELECT `+signingKeyColumns+` FROM signing_keys k WHERE k.id = ?`, id)
}

// NewestSigningKey returns the key that an environment's tokens are to be signed
// with. If there is none it keeps the one that create returns; of several who come
// at once, all get the same. NotFound fault: environment_not_found.
func (db *DB) NewestSigningKey(ctx context.Context, env account.EnvironmentID, create func() (account.SigningKey, error)) (account.SigningKey, error) {
	key, found, err := newestSigningKey(ctx, db.outside(), env)
	if found || err != nil {
		return key, err
	}
	err = db.write(ctx, db.brief, func(s *session) error {
		_, err := one(ctx, s, noEnvironment(env), scanValue[int], `SELECT 1 FROM environments WHERE id = ?`+s.dialect.lock, env)
		if err != nil {
			return err
		}
		if key, found, err = newestSigningKey(ctx, s, env); found || err != nil {
			return err
		}
		if key, err = create(); err != nil {
			return err
		}
		_, err = s.exec(ctx, `INSERT INTO signing_keys (id, environment, private_key, created_at) VALUES (?, ?, ?, ?)`,
			key.ID, env, key.Private, micros(key.CreatedAt))
		return err
	})
	return key, err
}

func newestSigningKey(ctx context.Context, s *session, env account.EnvironmentID) (key account.SigningKey, found bool, err error) {
	keys, err := list(ctx, s, scanSigningKey,
		`SELECT `+signingKeyColumns+` FROM signing_keys k WHERE k.environment = ? ORDER BY k.created_at DESC, k.id DESC LIMIT 1`, env)
	if err != nil || len(keys) == 0 {
		return account.SigningKey{}, false, err
	}
	return keys[0], true, nil
}
