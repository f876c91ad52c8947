package app_test

import (
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// giveToken makes an API token of an account.
func (w *world) giveToken(at, id string, branch account.BranchAccess, expires *time.Time, roles ...account.RoleKey) {
	w.t.Helper()
	changes := []account.Change{changed(nil, account.Of(account.APIToken{
		ID: account.APITokenID(id), Account: account.ID(at), Name: id, Roles: account.Set(roles), BranchAccess: branch, ExpiresAt: expires, CreatedAt: time.Now(),
	}))}
	err := w.Store.Read(w.t.Context(), "prod", func(r directory.Reader) error {
		for _, role := range roles {
			n, err := r.RoleHolders(w.t.Context(), account.ID(at), role)
			if err != nil {
				return err
			}
			if n == 0 {
				changes = append(changes, changed(nil, account.Of(account.Assignment{Account: account.ID(at), Role: role})))
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.plant(changes...)
}

func changed(before, after *account.Entity) account.Change {
	return account.Change{Before: before, After: after}
}

// plant writes changes to prod that have no request of their own.
func (w *world) plant(changes ...account.Change) {
	w.t.Helper()
	if err := plantIn(w.service, "prod", changes...); err != nil {
		w.t.Fatal(err)
	}
}

// plantIn writes changes to an environment that have no request of their own, and waits until they are in force.
func plantIn(s *service, env account.EnvironmentID, changes ...account.Change) error {
	ctx := s.t.Context()
	var version account.Version
	err := s.Store.Write(ctx, env, func(tx directory.Tx) (err error) {
		version, err = tx.Append(ctx, account.Entry{At: time.Now(), Actor: account.Actor{System: true}, Kind: account.Imported, Changes: changes})
		return err
	})
	if err != nil {
		return fmt.Errorf("plant: %w", err)
	}
	return s.Relay.InForce(ctx, env, version)
}
