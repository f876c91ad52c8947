package app_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

const (
	tokenTypes    = "urn:ietf:params:oauth:token-type:"
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
)

// exchange asks the token endpoint, as a client with a secret, for what the fields say.
func (s *service) exchange(t *testing.T, client, secret string, fields map[string]string) answer {
	t.Helper()
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: raw}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		t.Fatal(err)
	}
	return a
}

// scoped makes a client without portal roles worth mentioning, with scopes.
func (s *service) scoped(env account.EnvironmentID, id account.ClientID, scopes account.Scopes) caller {
	s.t.Helper()
	_, secret, err := s.Directory.CreateClient(s.t.Context(), directory.Request{Actor: account.Actor{Environment: env, System: true}},
		account.Client{ID: id, Roles: []account.PortalRole{account.BackofficeViewer}, ActForUsers: true, Scopes: scopes})
	if err != nil {
		s.t.Fatal(err)
	}
	return caller{s: s, token: identity.FormatToken(env, id, secret)}
}

// TestW2_TokenExchange: what /v1/me/switch does, by RFC 8693.
func TestW2_TokenExchange(t *testing.T) {
	w := newWorld(t, oneMachine)
	shop := w.scoped("prod", "shop", "check")
	session, _ := w.impersonate(w.support, "owner")
	good := map[string]string{
		"grant_type": tokenExchange, "subject_token": session.token, "subject_token_type": tokenTypes + "jwt", "resource": "urn:tenantry:account:globex-eu",
	}
	a := w.exchange(t, "prod.shop", shop.token, good)
	if a.status != 200 || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	token := a.body["access_token"].(string)
	delete(a.body, "access_token")
	lasts, _ := a.body["expires_in"].(float64)
	if delete(a.body, "expires_in"); lasts < 600 || lasts > 900 {
		t.Errorf("it lasts %v s", lasts)
	}
	if diff := cmp.Diff(map[string]any{"token_type": "Bearer", "issued_token_type": tokenTypes + "access_token"}, a.body); diff != "" {
		t.Error(diff)
	}
	inEU := caller{s: w.service, token: token}
	inEU.must("GET", "/v1/accounts/globex-eu", nil)
	inEU.refuse("outside_account", "GET", "/v1/accounts/globex", nil)
	with := func(more map[string]string) map[string]string {
		out := maps.Clone(good)
		maps.Copy(out, more)
		maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
		return out
	}
	for _, kind := range []string{"access_token", "jwt"} {
		if a := w.exchange(t, "prod.shop", shop.token, with(map[string]string{"requested_token_type": tokenTypes + kind})); a.body["issued_token_type"] != tokenTypes+kind {
			t.Errorf("%s: %s", kind, a.raw)
		}
	}

	devSession, _ := w.impersonate(w.client("dev", "support", false, account.Impersonator, account.BackofficeViewer), "owner")
	over, overID := w.impersonate(w.support, "owner")
	w.support.must("DELETE", "/v1/impersonations/"+overID, nil)
	robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"admin"}})
	before := w.head("prod")
	for _, tt := range []struct {
		name string
		more map[string]string
		code string
	}{
		{"no subject", map[string]string{"subject_token": ""}, "invalid_request"},
		{"no type", map[string]string{"subject_token_type": ""}, "invalid_request"},
		{"another type", map[string]string{"subject_token_type": tokenTypes + "saml2"}, "invalid_request"},
		{"no token", map[string]string{"subject_token": "eyJ.e30.x"}, "invalid_request"},
		{"a client's secret", map[string]string{"subject_token": w.op.token}, "invalid_request"},
		{"an API token", map[string]string{"subject_token": robot.token}, "invalid_request"},
		{"a token for one account", map[string]string{"subject_token": token}, "invalid_request"},
		{"dev's user", map[string]string{"subject_token": devSession.token}, "invalid_request"},
		{"an impersonation that is over", map[string]string{"subject_token": over.token}, "invalid_request"},
		{"an actor", map[string]string{"actor_token": session.token}, "invalid_request"},
		{"an actor's type", map[string]string{"actor_token_type": tokenTypes + "jwt"}, "invalid_request"},
		{"another wish", map[string]string{"requested_token_type": tokenTypes + "refresh_token"}, "invalid_request"},
		{"a scope", map[string]string{"scope": "admin"}, "invalid_scope"},
		{"no account", map[string]string{"resource": ""}, "invalid_target"},
		{"another resource", map[string]string{"resource": "https://app.example"}, "invalid_target"},
		{"no id", map[string]string{"resource": "urn:tenantry:account:a/b"}, "invalid_target"},
		{"an audience", map[string]string{"audience": "tenantry:dev"}, "invalid_target"},
		{"an account of others", map[string]string{"resource": "urn:tenantry:account:initech"}, "invalid_target"},
		{"an account of dev", map[string]string{"resource": "urn:tenantry:account:dev-only"}, "invalid_target"},
		{"an account that is not there", map[string]string{"resource": "urn:tenantry:account:nowhere"}, "invalid_target"},
	} {
		if a := w.exchange(t, "prod.shop", shop.token, with(tt.more)); a.status != 400 || a.code() != tt.code || a.body["access_token"] != nil {
			t.Errorf("%s: want %s, got %d %s", tt.name, tt.code, a.status, a.raw)
		}
	}
	if w.head("prod") != before {
		t.Error("something was written")
	}
	reader := w.scoped("prod", "reader", "read")
	if a := w.exchange(t, "prod.reader", reader.token, good); a.code() != "unauthorized_client" {
		t.Errorf("without the scope: %d %s", a.status, a.raw)
	}
	if a := w.exchange(t, "prod.shop", reader.token, good); a.status != 401 || a.code() != "invalid_client" {
		t.Errorf("with another's secret: %d %s", a.status, a.raw)
	}

	// what the client got ends with it, and a block binds at once
	w.op.must("DELETE", "/v1/environment/clients/shop", nil)
	inEU.refuse("unauthenticated", "GET", "/v1/accounts/globex-eu", nil)
	w.op.must("POST", "/v1/users/owner/block", nil)
	again := w.scoped("prod", "shop", "")
	if a := w.exchange(t, "prod.shop", again.token, good); a.code() != "invalid_request" {
		t.Errorf("a blocked user: %d %s", a.status, a.raw)
	}
}

// TestW2_AnAccountTokenIsNoWayAroundScopes: one that a client got for a user may be used for no more than the client may.
func TestW2_AnAccountTokenIsNoWayAroundScopes(t *testing.T) {
	w := newWorld(t, oneMachine)
	checker := w.scoped("prod", "checker", "check")
	c := w.opened(checker.as("owner"), "globex-eu")
	var claims struct{ Scope string }
	if err := json.Unmarshal(payloadOf(t, c.token), &claims); err != nil || claims.Scope != "check" {
		t.Errorf("the token may be used for %q: %v", claims.Scope, err)
	}
	c.must("POST", "/v1/check", obj{"subject": "user:owner", "permission": "access", "resource": "account:globex-eu"})
}
