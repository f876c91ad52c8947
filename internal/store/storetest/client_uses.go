package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// testClientUses: when secrets were used last is beside the state, never goes back, and goes with the secret.
func testClientUses(w *world) {
	t := w.T
	secret := func(id account.SecretID, client account.ClientID) account.ClientSecret {
		return account.ClientSecret{ID: id, Client: client, CreatedAt: born}
	}
	roles := []account.PortalRole{account.PortalAdmin}
	for _, id := range []account.ClientID{"b", "a", "c"} {
		w.write(create(account.Client{ID: id, Roles: roles, CreatedAt: born}))
	}
	w.write(create(secret("s1", "a")), create(secret("s2", "a")), create(secret("s3", "b")))
	note := func(uses map[account.SecretID]time.Time) {
		t.Helper()
		if err := w.db.NoteSecretUses(w.ctx, w.env, uses); err != nil {
			t.Fatal(err)
		}
	}
	late := born.Add(time.Minute)
	note(map[account.SecretID]time.Time{"s1": late, "s2": born, "gone": late})
	note(map[account.SecretID]time.Time{"s1": born})
	note(nil)
	ending := secret("s1", "a")
	ending.ExpiresAt = new(born.Add(time.Hour))
	w.write(update(secret("s1", "a"), ending))
	w.read(func(r directory.Reader) {
		uses, err := r.SecretUses(w.ctx, "a")
		want(t, "of its secrets", uses, err, map[account.SecretID]time.Time{"s1": late, "s2": born})
		byClient, err := r.ClientUses(w.ctx, []account.ClientID{"a", "b", "x"})
		want(t, "of clients", byClient, err, map[account.ClientID]time.Time{"a": late})
		byClient, err = r.ClientUses(w.ctx, nil)
		want(t, "of none", len(byClient), err, 0)
		page, total, err := r.ClientPage(w.ctx, directory.KeyPage{After: "a", Limit: 1})
		want(t, "page", valuesOf(page), err, []account.Client{{ID: "b", Roles: roles, CreatedAt: born}})
		want(t, "total", total, nil, 3)
	})
	w.write(remove(ending))
	w.read(func(r directory.Reader) {
		byClient, err := r.ClientUses(w.ctx, []account.ClientID{"a"})
		want(t, "of those that are left", byClient, err, map[account.ClientID]time.Time{"a": born})
	})
}
