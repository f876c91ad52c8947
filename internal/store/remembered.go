package store

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/directory"
)

// rememberFor is how long the outcome of a request is kept under its idempotency key.
const rememberFor = 24 * time.Hour

// Recall returns what Remember kept under a key in the last 24 hours, and whether it did.
func (t *tx) Recall(ctx context.Context, key string) (directory.Remembered, bool, error) {
	all, err := list(ctx, t.session, func(row row) (r directory.Remembered, err error) {
		err = row.Scan(&r.Fingerprint, &r.Version, &r.Result)
		return r, err
	}, `SELECT fingerprint, version, result FROM remembered WHERE environment = ? AND id = ? AND created_at > ?`,
		t.env, key, t.now().Add(-rememberFor).UnixMicro())
	if err != nil || len(all) == 0 {
		return directory.Remembered{}, false, err
	}
	return all[0], true, nil
}

// Remember keeps the outcome of a request under its idempotency key, for 24
// hours, and drops what is older. A key that is still in use is an error: who
// remembers has recalled before, under the same lock.
func (t *tx) Remember(ctx context.Context, key string, r directory.Remembered) error {
	now := t.now()
	if _, err := t.exec(ctx, `DELETE FROM remembered WHERE environment = ? AND created_at <= ?`,
		t.env, now.Add(-rememberFor).UnixMicro()); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO remembered (environment, id, fingerprint, version, result, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		t.env, key, notNil(r.Fingerprint), r.Version, notNil(r.Result), now.UnixMicro())
	return err
}

// notNil keeps nil from becoming NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
