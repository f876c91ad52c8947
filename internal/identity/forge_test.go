package identity_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// ring is a Keyring on keys in memory, of the environments prod and dev. Its time
// stands still at clock, unless a test gives it another.
type ring struct {
	*identity.Keyring
	mu           sync.Mutex
	byID         map[string]account.SigningKey
	settings     account.KeyRing // what every environment says of its keys
	environments []account.Environment
	away         error
}

func newRing() *ring { return newRingAt(func() time.Time { return clock }) }

func newRingAt(now func() time.Time) *ring {
	r := &ring{byID: map[string]account.SigningKey{}, settings: account.KeyRing{TokenMinutes: 15}, environments: []account.Environment{{ID: "dev"}, {ID: "prod"}}}
	r.Keyring = identity.NewKeyring(ringStore{r}, identity.KeyConfig{Now: now})
	return r
}

// ringStore is the store of a ring.
type ringStore struct{ *ring }

func (r ringStore) SigningKey(_ context.Context, id string) (account.SigningKey, error) {
	keys, err := r.SigningKeys(context.Background(), 0)
	for _, key := range keys {
		if key.ID == id {
			return key, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "signing_key_not_found", "there is no signing key %s", id)
	}
	return account.SigningKey{}, err
}

func (r ringStore) SigningKeys(ctx context.Context, _ int) ([]account.SigningKey, error) {
	var out []account.SigningKey
	for _, env := range r.environments {
		ring, err := r.KeyRing(ctx, env.ID)
		if err != nil {
			return nil, err
		}
		for _, key := range ring.Keys {
			if ring.RevokedAt == nil || !key.CreatedAt.Before(*ring.RevokedAt) {
				out = append(out, key)
			}
		}
	}
	return out, nil
}

func (r ringStore) KeyRing(_ context.Context, env account.EnvironmentID) (account.KeyRing, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.settings
	for _, key := range r.byID {
		if key.Environment == env {
			out.Keys = append(out.Keys, key)
		}
	}
	slices.SortFunc(out.Keys, func(a, b account.SigningKey) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for i := 1; i < len(out.Keys); i++ {
		out.Keys[i-1].ReplacedAt = &out.Keys[i].CreatedAt
	}
	return out, r.away
}

func (r ringStore) KeepKeys(ctx context.Context, env account.EnvironmentID, revise func(account.KeyRing) (*account.SigningKey, []account.SigningKey, error)) error {
	kept, err := r.KeyRing(ctx, env)
	if err != nil {
		return err
	}
	fresh, gone, err := revise(kept)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range gone {
		delete(r.byID, key.ID)
	}
	if fresh != nil {
		r.byID[fresh.ID] = *fresh
	}
	return nil
}

func (r ringStore) Environments(context.Context) ([]account.Environment, error) {
	return r.environments, r.away
}

// sessions knows of one that goes on, in prod and in dev: shop as ada.
type sessions struct{}

func (sessions) MayImpersonate(_ context.Context, _ account.EnvironmentID, claimed account.Impersonation) error {
	if claimed == (account.Impersonation{ID: "imp_1", User: "ada", Operator: "shop"}) {
		return nil
	}
	return fault.New(fault.Unauthenticated, "unauthenticated", "the impersonation is over")
}

var session = account.Impersonation{
	ID: "imp_1", User: "ada", Operator: "shop", Reason: "Ticket 1", CreatedAt: clock, ExpiresAt: clock.Add(15 * time.Minute),
}

// us is in whose name tokens are issued.
const us = "https://tenantry.example"

// forge is a place where tokens are issued, verified and forged.
type forge struct {
	t    testing.TB
	keys *ring
	now  time.Time
}

func (f *forge) issue(env account.EnvironmentID) string {
	f.t.Helper()
	token, err := identity.NewSigner(f.keys, us, func() time.Time { return f.now }).Impersonation(f.t.Context(), env, session)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

func (f *forge) verify(token, actFor string) (account.Actor, error) {
	a := identity.New(identity.Sources{Keys: f.keys, Impersonating: sessions{}, Opening: passes{}, Now: func() time.Time { return f.now }, Credentials: vault{}, Acting: acting{}, Issuer: us})
	caller, err := a.Authenticate(context.Background(), identity.Presented{Authorization: "Bearer " + token, ActForUser: actFor})
	return caller.Actor, err
}

// key is the private key of an environment, and its id.
func (f *forge) key(env account.EnvironmentID) (string, ed25519.PrivateKey) {
	f.t.Helper()
	key, _, err := f.keys.Signing(f.t.Context(), env)
	if err != nil {
		f.t.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(key.Private)
	if err != nil {
		f.t.Fatal(err)
	}
	return key.ID, private.(ed25519.PrivateKey)
}

type claims map[string]any

// sign makes a token by hand, without the library that the code under test uses.
func sign(header, body claims, signature func([]byte) []byte) string {
	part := func(c claims) string {
		text, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(body)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature([]byte(signed)))
}

func by(key ed25519.PrivateKey) func([]byte) []byte {
	return func(text []byte) []byte { return ed25519.Sign(key, text) }
}

// with returns the claims with some replaced, or left out where the value is nil.
func (c claims) with(changes claims) claims {
	out := maps.Clone(c)
	maps.Copy(out, changes)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}

// read returns what a token claims.
func read(t testing.TB, token string) (body claims) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}
