package identity

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// KeyStore keeps the keys that issued tokens are signed with; store.DB is one.
type KeyStore interface {
	// SigningKey returns a key by its id, unless it was revoked. NotFound and Unavailable faults.
	SigningKey(ctx context.Context, id string) (account.SigningKey, error)
	// SigningKeys returns the keys of every environment that were not revoked, limit at most.
	SigningKeys(ctx context.Context, limit int) ([]account.SigningKey, error)
	// KeyRing returns the keys of an environment. NotFound and Unavailable faults.
	KeyRing(ctx context.Context, env account.EnvironmentID) (account.KeyRing, error)
	// KeepKeys changes the keys of an environment: adds one, unless it is nil, and deletes some. Those
	// who come at once take turns, however many processes there are; revise may be called more than once.
	KeepKeys(ctx context.Context, env account.EnvironmentID, revise func(account.KeyRing) (fresh *account.SigningKey, gone []account.SigningKey, err error)) error
	// Environments returns every environment.
	Environments(ctx context.Context) ([]account.Environment, error)
}

// KeyConfig adjusts a Keyring; the zero value is good for production.
type KeyConfig struct {
	Age time.Duration // of the newest key when the next one is made; account.KeyAge if 0
	Now func() time.Time
	Log *slog.Logger // nil for silence
}

// Keyring keeps the signing keys: it makes the next one in time, says which one
// signs and which ones verify, and deletes those that are of no use any more.
// Nothing is remembered between two calls, so what was revoked opens nothing at once.
type Keyring struct {
	store KeyStore
	cfg   KeyConfig

	changes atomic.Uint64
}

// NewKeyring returns the keys in a store.
func NewKeyring(store KeyStore, cfg KeyConfig) *Keyring {
	cfg.Age = cmp.Or(cfg.Age, account.KeyAge)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Keyring{store: store, cfg: cfg}
}

// SigningKey returns the key with an id, if what it signed counts. NotFound (signing_key_not_found) and Unavailable faults.
func (k *Keyring) SigningKey(ctx context.Context, id string) (account.SigningKey, error) {
	key, err := k.store.SigningKey(ctx, id)
	if err == nil && !key.Verifies(k.cfg.Now()) {
		err = fault.New(fault.NotFound, "signing_key_not_found", "%s has had its day", key)
	}
	if err != nil {
		return account.SigningKey{}, err
	}
	return key, nil
}

// Signing returns the key that an environment's tokens are signed with now, and
// how long its tokens live. It makes a key if there is to be another. NotFound
// (environment_not_found) and Unavailable faults.
func (k *Keyring) Signing(ctx context.Context, env account.EnvironmentID) (account.SigningKey, time.Duration, error) {
	ring, err := k.current(ctx, env)
	if err != nil {
		return account.SigningKey{}, 0, err
	}
	key, found := ring.Signing(k.cfg.Now())
	if !found {
		return account.SigningKey{}, 0, fault.New(fault.Unavailable, "busy", "the signing keys of the environment kept changing; try again")
	}
	return key, time.Duration(ring.TokenMinutes) * time.Minute, nil
}

// Keep makes the environment's next key if it is time, and deletes those that are
// of no use any more. NotFound (environment_not_found) and Unavailable faults.
func (k *Keyring) Keep(ctx context.Context, env account.EnvironmentID) error {
	_, err := k.current(ctx, env)
	return err
}

// current is the ring of an environment as it is to be now.
func (k *Keyring) current(ctx context.Context, env account.EnvironmentID) (account.KeyRing, error) {
	ring, err := k.store.KeyRing(ctx, env)
	if now := k.cfg.Now(); err != nil || !ring.WantsKey(now, k.cfg.Age) && len(ring.Spent(now)) == 0 {
		return ring, err
	}
	err = k.store.KeepKeys(ctx, env, func(ring account.KeyRing) (*account.SigningKey, []account.SigningKey, error) {
		now := k.cfg.Now()
		if !ring.WantsKey(now, k.cfg.Age) { // another was faster
			return nil, ring.Spent(now), nil
		}
		fresh, err := newKey(env, ring.NextAt(now))
		return &fresh, ring.Spent(now), err
	})
	k.changes.Add(1) // also after an error: it may have been done all the same
	if err != nil {
		return account.KeyRing{}, err
	}
	return k.store.KeyRing(ctx, env)
}

// Changes tells how often this process has changed keys: what was published before the last time is old.
func (k *Keyring) Changes() uint64 { return k.changes.Load() }

// MaxPublished is the most keys that are published, of all environments together.
const MaxPublished = 5000

// Published returns the public keys that verify issued tokens, of every
// environment, as a JSON Web Key Set (RFC 7517). Unavailable faults, also
// (too_many_keys) if there are more than MaxPublished: a set that lacks some would be taken for all there are.
func (k *Keyring) Published(ctx context.Context) (jose.JSONWebKeySet, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	keys, err := k.store.SigningKeys(ctx, MaxPublished+1)
	if err != nil {
		return set, err
	}
	if len(keys) > MaxPublished {
		return set, fault.New(fault.Unavailable, "too_many_keys", "there are more than %d signing keys, too many to publish", MaxPublished)
	}
	now := k.cfg.Now()
	for _, key := range keys {
		if !key.Verifies(now) {
			continue
		}
		public, err := publicKey(key)
		if err != nil {
			return set, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID, Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	return set, nil
}

// keepEvery is how often Run looks after the keys.
const keepEvery = 10 * time.Minute

// Run keeps the keys of every environment that has some, until ctx ends. Without
// it keys are kept whenever one signs.
func (k *Keyring) Run(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		if err := k.keepAll(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.WarnContext(ctx, "the signing keys could not be looked after; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keepAll keeps the keys of every environment that has some: who signs nothing needs none.
func (k *Keyring) keepAll(ctx context.Context) error {
	envs, err := k.store.Environments(ctx)
	for _, e := range envs {
		ring, oneErr := k.store.KeyRing(ctx, e.ID)
		if oneErr == nil && len(ring.Keys) > 0 {
			oneErr = k.Keep(ctx, e.ID)
		}
		if oneErr != nil {
			err = errors.Join(err, fmt.Errorf("environment %s: %w", e.ID, oneErr))
		}
	}
	return err
}

// publicKey is what a key's signatures are verified with.
func publicKey(key account.SigningKey) (ed25519.PublicKey, error) {
	private, err := privateKey(key)
	if err != nil {
		return nil, err
	}
	return ed25519.PublicKey(private[ed25519.PrivateKeySize-ed25519.PublicKeySize:]), nil
}
