package app_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

// metadata is what a stranger finds out about a service by its address alone.
func (s *service) metadata() (issuer, tokens, keys string) {
	s.t.Helper()
	a := caller{s: s}.must("GET", "/.well-known/oauth-authorization-server", nil)
	text := func(name string) string { value, _ := a.body[name].(string); return value }
	return text("issuer"), text("token_endpoint"), text("jwks_uri")
}

// wire is the client_id of a caller with a client's secret.
func (c caller) wire() string {
	token, err := identity.ParseToken(c.token)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return identity.WireID(token.Environment, token.Client)
}

// exchanged is the caller with an access token in place of the secret.
func (c caller) exchanged(scopes ...string) caller {
	c.s.t.Helper()
	a := caller{s: c.s}.must("POST", "/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.wire()}, "client_secret": {c.token}, "scope": {strings.Join(scopes, " ")},
	})
	c.token = a.body["access_token"].(string)
	return c
}

// TestC1_StandardClientsGetAndUseTokens: golang.org/x/oauth2 finds its way by the metadata, in both ways to show a secret.
func TestC1_StandardClientsGetAndUseTokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	issuer, endpoint, _ := w.metadata()
	if issuer != w.url || endpoint != w.url+"/oauth2/token" {
		t.Fatalf("the metadata of %s names %s and %s", w.url, issuer, endpoint)
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		cfg := clientcredentials.Config{ClientID: w.op.wire(), ClientSecret: w.op.token, TokenURL: endpoint, Scopes: []string{"read", "check"}, AuthStyle: style}
		token, err := cfg.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left := time.Until(token.Expiry)
		if token.Type() != "Bearer" || token.Extra("scope") != "check read" || left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("%s %v for %s", token.Type(), token.Extra("scope"), left)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/v1/accounts", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := cfg.Client(t.Context()).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("with the token: %d", resp.StatusCode)
		}
	}
	ours, err := client.New(w.url, w.op.token, client.WithTokenExchange("check"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if allowed, err := ours.Check(t.Context(), "user:owner", "access", "account:globex"); err != nil || !allowed {
			t.Errorf("with our own client: %t, %v", allowed, err)
		}
		w.op.must("POST", "/v1/environment/keys/rotate", obj{"revoke": true}) // it gets another token by itself
	}
	cfg := clientcredentials.Config{ClientID: w.op.wire(), ClientSecret: w.op.token + "x", TokenURL: endpoint}
	_, err = cfg.Token(t.Context())
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refused.ErrorCode != "invalid_client" || refused.Response.StatusCode != http.StatusUnauthorized || strings.Contains(err.Error(), w.op.token) {
		t.Errorf("a wrong secret: %v", err)
	}
	// acting for users is as with the secret
	acting := w.delegate.exchanged().as("owner")
	if !slices.Equal(acting.sorted("owner"), w.as("owner").sorted("owner")) {
		t.Error("the token and the secret do not act alike")
	}
	w.op.exchanged().as("owner").refuse("may_not_act_for_users", "GET", me, nil)
}

// TestC1_AStrangerVerifiesTokens by what is published, with go-oidc: our signature, issuer and audience hold for others too.
func TestC1_AStrangerVerifiesTokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	issuer, _, keys := w.metadata()
	set := oidc.NewRemoteKeySet(t.Context(), keys)
	verify := func(env, token string) (map[string]any, error) {
		verifier := oidc.NewVerifier(issuer, set, &oidc.Config{ClientID: "tenantry:" + env, SupportedSigningAlgs: []string{"EdDSA"}})
		got, err := verifier.Verify(t.Context(), token)
		if err != nil {
			return nil, err
		}
		var claims map[string]any
		return claims, got.Claims(&claims)
	}
	prod, dev := w.op.exchanged("check").token, w.dev.exchanged().token
	got, err := verify("prod", prod)
	if err != nil || got["sub"] != "prod.op" || got["client_id"] != "prod.op" || got["scope"] != "check" || got["env"] != "prod" || got["token_use"] != "client" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := verify("dev", dev); err != nil {
		t.Errorf("dev's: %v", err)
	}
	if _, err := verify("dev", prod); err == nil {
		t.Error("prod's token is taken for dev's")
	}
	session, _ := w.impersonate(w.support, "owner")
	if got, err := verify("prod", session.token); err != nil || got["token_use"] != "impersonation" {
		t.Errorf("an impersonation: %v, %v", got, err)
	}
	published := string(caller{s: w.service}.must("GET", "/.well-known/jwks.json", nil).raw)
	if strings.Contains(published, `"d"`) {
		t.Error("private keys are published")
	}
}

// TestC1_RevocationBindsTokensAtOnce: of the client, of the secret that the token was got with, of the keys.
func TestC1_RevocationBindsTokensAtOnce(t *testing.T) {
	w := newWorld(t, oneMachine)
	mole := w.client("prod", "mole", true, account.PortalAdmin)
	token := mole.exchanged()
	token.must("GET", "/v1/users", nil)
	w.op.must("DELETE", "/v1/environment/clients/mole", nil)
	token.refuse("unauthenticated", "GET", "/v1/users", nil)
	token.as("owner").refuse("unauthenticated", "GET", me, nil)
	w.client("prod", "mole", true, account.PortalAdmin) // another with the same id
	token.refuse("unauthenticated", "GET", "/v1/users", nil)
	caller{s: w.service}.refuse("invalid_client", "POST", "/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"prod.mole"}, "client_secret": {mole.token},
	})

	shop := w.client("prod", "shop", false, account.BackofficeViewer)
	token = shop.exchanged()
	token.must("GET", "/v1/users", nil)
	w.plant(changed(account.Of(w.secretOf("shop")), nil))
	token.refuse("unauthenticated", "GET", "/v1/users", nil)
}

// secretOf is the one secret of a client.
func (w *world) secretOf(id account.ClientID) (only account.ClientSecret) {
	w.t.Helper()
	err := w.Store.Read(w.t.Context(), "prod", func(r directory.Reader) error {
		secrets, err := r.ClientSecrets(w.t.Context(), id)
		if len(secrets) != 1 {
			w.t.Fatalf("%s has %d secrets", id, len(secrets))
		}
		only = secrets[0].Value
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return only
}

// TestC1_KeysRotateOnRequest: the tokens of the old key stay good; revoked, they do not.
func TestC1_KeysRotateOnRequest(t *testing.T) {
	w := newWorld(t, oneMachine)
	old, devs := w.op.exchanged(), w.dev.exchanged()
	session, _ := w.impersonate(w.support, "owner")
	if got := w.keys(); !slices.Equal(got, []string{"signing"}) {
		t.Errorf("keys: %v", got)
	}
	w.op.must("POST", "/v1/environment/keys/rotate", nil)
	if got := w.keys(); !slices.Equal(got, []string{"verifying until", "signing"}) {
		t.Errorf("keys: %v", got)
	}
	kept := w.op.exchanged()
	for _, c := range []caller{old, kept, devs} {
		c.must("GET", "/v1/users", nil)
	}
	if kid(t, old.token) == kid(t, kept.token) || w.published() != 3 { // dev's too
		t.Errorf("%d keys are published, and the new one does not sign", w.published())
	}

	w.op.must("POST", "/v1/environment/keys/rotate", obj{"revoke": true})
	for _, c := range []caller{old, kept, session} {
		c.refuse("unauthenticated", "GET", me, nil)
	}
	if on := w.op.must("GET", "/v1/impersonations", nil); on.body["total"] != 0.0 {
		t.Errorf("what goes on with worthless tokens: %s", on.raw)
	}
	devs.must("GET", "/v1/users", nil)
	w.op.exchanged().must("GET", "/v1/users", nil)
	if got := w.keys(); !slices.Equal(got, []string{"signing"}) || w.published() != 2 {
		t.Errorf("keys: %v, and %d published", got, w.published())
	}
	entries := w.op.must("GET", "/v1/journal?kind=environment.keys_rotated", nil).body["entries"].([]any)
	last := entries[len(entries)-1].(map[string]any)["changes"].([]any)[0].(map[string]any)["after"].(map[string]any)["environment"].(map[string]any)
	if len(entries) != 2 || last["keys_revoked_at"] == nil || last["keys_revoked_at"] != last["keys_rotated_at"] {
		t.Errorf("the journal says %v", last)
	}

	// it cannot be asked for without end
	refused := false
	for range account.MaxKeys + 1 {
		if a := w.op.do("POST", "/v1/environment/keys/rotate", nil); a.status >= 300 {
			a.is(t, http.StatusConflict, "too_many_keys", "")
			refused = true
			break
		}
	}
	if !refused {
		t.Error("keys without end")
	}
	w.op.must("POST", "/v1/environment/keys/rotate", obj{"revoke": true})
}

// keys is what the keys of prod are used for, oldest first.
func (w *world) keys() (states []string) {
	w.t.Helper()
	for _, k := range w.op.must("GET", "/v1/environment/keys", nil).body["keys"].([]any) {
		key := k.(map[string]any)
		state := key["state"].(string)
		if key["until"] != nil {
			state += " until"
		}
		states = append(states, state)
	}
	return states
}

// published is how many keys everybody can fetch.
func (w *world) published() int {
	w.t.Helper()
	return len(caller{s: w.service}.must("GET", "/.well-known/jwks.json", nil).body["keys"].([]any))
}

// kid is the key that a token says it is signed with.
func kid(t *testing.T, token string) string {
	t.Helper()
	var header struct{ Kid string }
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil {
		t.Fatal(err)
	}
	return header.Kid
}

// TestC1_TokensAreGoodAtEveryReplica that has the same public address, and at no other deployment.
func TestC1_TokensAreGoodAtEveryReplica(t *testing.T) {
	database := testpg.Database(t)
	spice := testspice.Start(t, testpg.Database(t))
	at := func(public string) *service {
		return start(t, app.Config{Database: database, Remote: remote(spice), PublicURL: public})
	}
	a, b, elsewhere := at("https://tenantry.example"), at("https://tenantry.example"), at("https://other.example")
	a.environment("prod")
	op := a.client("prod", "op", false, account.PortalAdmin)
	a.client("prod", "office", false, account.PortalAdmin)
	token := op.exchanged()
	there := caller{s: b, token: token.token}
	there.must("GET", "/v1/users", nil)
	caller{s: elsewhere, token: token.token}.refuse("environment_required", "GET", "/v1/users", nil)
	caller{s: b, token: op.token}.exchanged().must("POST", "/v1/environment/keys/rotate", obj{"revoke": true})
	token.refuse("unauthenticated", "GET", "/v1/users", nil)
	there.refuse("unauthenticated", "GET", "/v1/users", nil)
	fresh := op.exchanged()
	caller{s: b, token: fresh.token}.must("GET", "/v1/users", nil)
	op.must("DELETE", "/v1/environment/clients/op", nil)
	caller{s: b, token: fresh.token}.refuse("unauthenticated", "GET", "/v1/users", nil)
}
