package storetest

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func signingKey(id string, env account.EnvironmentID, at time.Time) account.SigningKey {
	return account.SigningKey{ID: id, Environment: env, Private: []byte("\x00\xff" + id), CreatedAt: at}
}

// keepKey adds a key and deletes some.
func (w *world) keepKey(env account.EnvironmentID, fresh *account.SigningKey, gone ...account.SigningKey) {
	w.Helper()
	err := w.db.KeepKeys(w.ctx, env, func(account.KeyRing) (*account.SigningKey, []account.SigningKey, error) { return fresh, gone, nil })
	if err != nil {
		w.Fatal(err)
	}
}

// testSigningKeys: each knows when the next was made; revoked ones are found by nobody but who keeps them.
func testSigningKeys(w *world) {
	t := w.T
	w.found("other")
	_, err := w.db.SigningKey(w.ctx, "key_x")
	wantFault(t, "no key", err, fault.NotFound, "signing_key_not_found")
	_, err = w.db.KeyRing(w.ctx, "nowhere")
	wantFault(t, "keys of no environment", err, fault.NotFound, "environment_not_found")
	err = w.db.KeepKeys(w.ctx, "nowhere", nil)
	wantFault(t, "no environment", err, fault.NotFound, "environment_not_found")
	ring, err := w.db.KeyRing(w.ctx, w.env)
	want(t, "no keys", len(ring.Keys), err, 0)

	first, second := signingKey("b", w.env, born), signingKey("a", w.env, born.Add(time.Microsecond))
	other := signingKey("c", "other", born.Add(time.Hour))
	w.keepKey(w.env, &first)
	w.keepKey(w.env, &second)
	w.keepKey("other", &other)
	first.ReplacedAt = &second.CreatedAt

	ring, err = w.db.KeyRing(w.ctx, w.env)
	want(t, "ring", ring, err, account.KeyRing{Keys: []account.SigningKey{first, second}})
	found, err := w.db.SigningKey(w.ctx, "b")
	want(t, "key", found, err, first)
	all, err := w.db.SigningKeys(w.ctx, 10)
	want(t, "all keys", all, err, []account.SigningKey{first, second, other})
	all, err = w.db.SigningKeys(w.ctx, 2)
	want(t, "two keys", all, err, []account.SigningKey{first, second})

	after := environment(w.env)
	after.TokenMinutes, after.KeysRotatedAt, after.KeysRevokedAt = 7, new(born.Add(time.Hour)), new(second.CreatedAt)
	w.write(update(environment(w.env), after))
	ring, err = w.db.KeyRing(w.ctx, w.env)
	want(t, "ring with a rotation", ring, err, account.KeyRing{
		Keys: []account.SigningKey{first, second}, RotatedAt: after.KeysRotatedAt, RevokedAt: after.KeysRevokedAt, TokenMinutes: 7,
	})
	_, err = w.db.SigningKey(w.ctx, "b")
	wantFault(t, "a revoked key", err, fault.NotFound, "signing_key_not_found")
	all, err = w.db.SigningKeys(w.ctx, 10)
	want(t, "keys that are left", all, err, []account.SigningKey{second, other})
	w.read(func(r directory.Reader) {
		ring, err := r.KeyRing(w.ctx)
		for _, k := range ring.Keys {
			if k.Private != nil {
				t.Errorf("%s comes with its private part", k.ID)
			}
		}
		want(t, "keys without private parts", len(ring.Keys), err, 2)
	})

	w.keepKey(w.env, nil, first, other) // which is not this environment's
	all, err = w.db.SigningKeys(w.ctx, 10)
	want(t, "after a deletion", all, err, []account.SigningKey{second, other})
	broken := fault.New(fault.Internal, "internal", "no randomness")
	err = w.db.KeepKeys(w.ctx, w.env, func(account.KeyRing) (*account.SigningKey, []account.SigningKey, error) {
		return nil, []account.SigningKey{second}, broken
	})
	wantFault(t, "no key could be made", err, fault.Internal, "internal")
	all, err = w.db.SigningKeys(w.ctx, 10)
	want(t, "after a failure", len(all), err, 2)
}
