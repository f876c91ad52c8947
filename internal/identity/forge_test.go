package identity_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// ring is keys in memory.
type ring struct {
	byID map[string]account.SigningKey
	away error
}

func newRing() *ring { return &ring{byID: map[string]account.SigningKey{}} }

func (r *ring) SigningKey(_ context.Context, id string) (account.SigningKey, error) {
	key, ok := r.byID[id]
	if !ok && r.away == nil {
		return key, fault.New(fault.NotFound, "signing_key_not_found", "there is no signing key %s", id)
	}
	return key, r.away
}

func (r *ring) NewestSigningKey(_ context.Context, env account.EnvironmentID, create func() (account.SigningKey, error)) (account.SigningKey, error) {
	for _, key := range r.byID {
		if key.Environment == env {
			return key, nil
		}
	}
	key, err := create()
	r.byID[key.ID] = key
	return key, err
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
	key, err := f.keys.NewestSigningKey(f.t.Context(), env, nil)
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
