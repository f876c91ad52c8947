package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

//nolint:gosec // G101: names of columns are no credential
const secretColumns = `s.id, s.client, s.expires_at, s.created_at, s.version`

func scanSecret(r row) (s account.Versioned[account.ClientSecret], err error) {
	var expires sql.NullInt64
	var created int64
	v := &s.Value
	err = r.Scan(&v.ID, &v.Client, &expires, &created, &s.Version)
	v.ExpiresAt, v.CreatedAt = timeOrNil(expires), timeOf(created)
	return s, err
}

// Credential returns what a client is authenticated by (C1, C2). NotFound fault:
// client_not_found, also for an environment that does not exist: whether there is
// one, or a client of the name, takes the same work.
func (db *DB) Credential(ctx context.Context, env account.EnvironmentID, id account.ClientID) (account.ClientCredential, error) {
	found, err := list(ctx, db.everyTime(), scanCredential, credentialOf, env, id)
	if err != nil {
		return account.ClientCredential{}, err
	}
	if len(found) == 0 {
		return account.ClientCredential{}, noClient(id)
	}
	out := found[0]
	for _, more := range found[1:] {
		out.Secrets = append(out.Secrets, more.Secrets...)
	}
	return out, nil
}

// credentialOf gives a row for each secret of a client, one if there is none.
const credentialOf = `SELECT ` + clientColumns + `, e.exchange_only, s.id, s.expires_at, s.created_at, s.hash
	FROM clients c JOIN environments e ON e.id = c.environment
	LEFT JOIN client_secrets s ON s.environment = c.environment AND s.client = c.id
	WHERE c.environment = ? AND c.id = ? ORDER BY s.id`

func scanCredential(r row) (c account.ClientCredential, err error) {
	var secret sql.NullString
	var expires, created sql.NullInt64
	var hash []byte
	client, err := scanClientAnd(r, &c.ExchangeOnly, &secret, &expires, &created, &hash)
	c.Client = client.Value
	if secret.Valid {
		c.Secrets = []account.KeptSecret{{Hash: hash, ClientSecret: account.ClientSecret{
			ID: account.SecretID(secret.String), Client: c.Client.ID, ExpiresAt: timeOrNil(expires), CreatedAt: timeOf(created.Int64),
		}}}
	}
	return c, err
}

// SetSecret keeps the hash of a client's secret; it is never part of the journal (C2).
func (t *tx) SetSecret(ctx context.Context, id account.SecretID, hash []byte) error {
	n, err := t.exec(ctx, `UPDATE client_secrets SET hash = ? WHERE environment = ? AND id = ?`, hash, t.env, id)
	if err == nil && n == 0 {
		err = noSecret(id)
	}
	return err
}

// ClientSecrets returns the secrets of a client, expired ones included, in the order of their ids.
func (r *reader) ClientSecrets(ctx context.Context, id account.ClientID) ([]account.Versioned[account.ClientSecret], error) {
	return list(ctx, r.session, scanSecret,
		`SELECT `+secretColumns+` FROM client_secrets s WHERE s.environment = ? AND s.client = ? ORDER BY s.id`, r.env, id)
}

// SecretUses returns when those of a client's secrets were used last that have been used.
func (r *reader) SecretUses(ctx context.Context, id account.ClientID) (map[account.SecretID]time.Time, error) {
	return lastUses[account.SecretID](ctx, r.session,
		`SELECT s.id, s.last_used_at FROM client_secrets s WHERE s.environment = ? AND s.client = ? AND s.last_used_at IS NOT NULL`, r.env, id)
}

// ClientUses returns when those of the clients named were used last, with any of the
// secrets that they have, that have been used.
func (r *reader) ClientUses(ctx context.Context, ids []account.ClientID) (map[account.ClientID]time.Time, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return lastUses[account.ClientID](ctx, r.session, `SELECT s.client, MAX(s.last_used_at) FROM client_secrets s
		WHERE s.environment = ? AND s.last_used_at IS NOT NULL AND s.client IN (SELECT value FROM @texts(?) AS named)
		GROUP BY s.client`, r.env, named)
}

// NoteSecretUses keeps when secrets of an environment's clients were used last. It
// never goes back, and passes over secrets that are gone.
func (db *DB) NoteSecretUses(ctx context.Context, env account.EnvironmentID, uses map[account.SecretID]time.Time) error {
	return noteUses(ctx, db, env, uses, `UPDATE client_secrets SET last_used_at = ?
		WHERE environment = ? AND id = ? AND (last_used_at IS NULL OR last_used_at < ?)`)
}
