package store

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// APITokenCredential returns an API token with the hash of its secret, for
// authentication (C1, C2). NotFound fault: api_token_not_found, also for an
// environment that does not exist.
func (db *DB) APITokenCredential(ctx context.Context, env account.EnvironmentID, id account.APITokenID) (account.APIToken, []byte, error) {
	type credential struct {
		token account.Versioned[account.APIToken]
		hash  []byte
	}
	found, err := one(ctx, db.everyTime(), noAPIToken(id), func(r row) (c credential, err error) {
		c.token, err = scanAPITokenAnd(r, &c.hash)
		return c, err
	}, `SELECT `+apiTokenColumns+`, t.secret_hash FROM api_tokens t WHERE t.environment = ? AND t.id = ?`, env, id)
	return found.token.Value, found.hash, err
}

// SetAPITokenSecret keeps the hash of an API token's secret; it is never part of the journal (C2).
func (t *tx) SetAPITokenSecret(ctx context.Context, id account.APITokenID, hash []byte) error {
	n, err := t.exec(ctx, `UPDATE api_tokens SET secret_hash = ? WHERE environment = ? AND id = ?`, hash, t.env, id)
	if err == nil && n == 0 {
		err = noAPIToken(id)
	}
	return err
}

// NoteUses keeps when API tokens of an environment were used last. It never goes
// back, and passes over tokens that are gone.
func (db *DB) NoteUses(ctx context.Context, env account.EnvironmentID, uses map[account.APITokenID]time.Time) error {
	return noteUses(ctx, db, env, uses, `UPDATE api_tokens SET last_used_at = ?
		WHERE environment = ? AND id = ? AND (last_used_at IS NULL OR last_used_at < ?)`)
}

// APITokenUses returns when those of the API tokens named were used last that have been used.
func (r *reader) APITokenUses(ctx context.Context, ids []account.APITokenID) (map[account.APITokenID]time.Time, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return lastUses[account.APITokenID](ctx, r.session, `SELECT t.id, t.last_used_at FROM api_tokens t
		WHERE t.environment = ? AND t.last_used_at IS NOT NULL AND t.id IN (SELECT value FROM @texts(?) AS named)`, r.env, named)
}
