package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Key is a signing key as operators see it.
type Key struct {
	ID        string
	CreatedAt time.Time
	State     account.KeyState
	Until     *time.Time // when it verifies no more; nil while that is open
}

// Keys returns the keys whose signatures count, or will, oldest first; at most
// account.MaxKeys and those made by themselves. It needs manage_security.
func (d *Directory) Keys(ctx context.Context, actor account.Actor) ([]Key, error) {
	now := d.cfg.Now()
	return read(ctx, d, actor, inEnvironment("manage_security", "see the signing keys"), func(ctx context.Context, r Reader) ([]Key, error) {
		ring, err := r.KeyRing(ctx)
		if err != nil {
			return nil, err
		}
		var out []Key
		for _, k := range ring.Live(now) {
			out = append(out, Key{ID: k.ID, CreatedAt: k.CreatedAt, State: ring.State(k, now), Until: k.Until()})
		}
		return out, nil
	})
}

// RotateKeys has tokens signed with a key that is made from now on. With revoke,
// what older keys signed is not accepted any more: every token that was issued
// opens nothing from then on. It needs manage_security.
//
// Faults: Conflict (too_many_keys) if it was asked for too often, and revoke is not set; Denied.
func (d *Directory) RotateKeys(ctx context.Context, req Request, revoke bool) (Result[account.Environment], error) {
	return write(ctx, d, req, "keys.rotate", revoke, func(ctx context.Context, r Reader, p *plan) (account.Environment, error) {
		p.kind = account.KeysRotated
		p.environment("manage_security", "rotate the signing keys")
		found, err := r.Environment(ctx)
		if err != nil {
			return account.Environment{}, err
		}
		ring, err := r.KeyRing(ctx)
		if err != nil {
			return account.Environment{}, err
		}
		if n := len(ring.Live(p.now)); n >= account.MaxKeys && !revoke {
			return account.Environment{}, fault.New(fault.Conflict, "too_many_keys",
				"there are %d signing keys that verify already; wait until some have had their day, or revoke them", n)
		}
		env := found.Value
		env.KeysRotatedAt = new(ring.NextAt(p.now))
		if revoke {
			env.KeysRevokedAt = env.KeysRotatedAt
		}
		p.change(account.Of(found.Value), account.Of(env))
		if !revoke {
			return env, nil
		}
		return env, endSessions(ctx, r, p, func(account.Impersonation) bool { return true }) // their tokens are worthless
	})
}
