package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Credential returns a client with the hash of its secret, nil if none was ever
// set, for authentication (C1, C2). NotFound faults: environment_not_found, client_not_found.
func (db *DB) Credential(ctx context.Context, env account.EnvironmentID, id account.ClientID) (account.Client, []byte, error) {
	type credential struct {
		client account.Versioned[account.Client]
		hash   []byte
	}
	found, err := list(ctx, db.outside(), func(r row) (c credential, err error) {
		err = scanClientAnd(r, &c.client, &c.hash)
		return c, err
	}, `SELECT `+clientColumns+`, c.secret_hash FROM clients c WHERE c.environment = ? AND c.id = ?`, env, id)
	if err != nil {
		return account.Client{}, nil, err
	}
	if len(found) == 0 {
		if _, err := db.Head(ctx, env); err != nil {
			return account.Client{}, nil, err
		}
		return account.Client{}, nil, noClient(id)
	}
	return found[0].client.Value, found[0].hash, nil
}

// SetSecret keeps the hash of a client's secret; it is never part of the journal (C2).
func (t *tx) SetSecret(ctx context.Context, id account.ClientID, hash []byte) error {
	n, err := t.exec(ctx, `UPDATE clients SET secret_hash = ? WHERE environment = ? AND id = ?`, hash, t.env, id)
	if err == nil && n == 0 {
		err = noClient(id)
	}
	return err
}
