package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// scoped takes every request for one of the client shop, with a token of some scopes.
type scoped account.Scopes

func (s scoped) Authenticate(_ context.Context, p identity.Presented) (identity.Caller, error) {
	actor := account.Actor{Environment: "prod", Client: "shop", User: account.UserID(p.ActForUser)}
	return identity.Caller{Actor: actor, Scopes: account.Scopes(s)}, nil
}

func (scoped) Subject(ctx context.Context, env account.EnvironmentID, token string) (identity.Caller, error) {
	return known{}.Subject(ctx, env, token)
}

func (scoped) Vouched(ctx context.Context, p identity.Presented) (account.EnvironmentID, directory.Vouched, error) {
	return known{}.Vouched(ctx, p)
}

// without is every scope but one.
func without(t *testing.T, scope account.TokenScope) account.Scopes {
	t.Helper()
	others := slices.DeleteFunc(account.AllScopes(), func(s account.TokenScope) bool { return s == scope })
	scopes, err := account.ParseScopes("scopes", others)
	if err != nil {
		t.Fatal(err)
	}
	return scopes
}

// secured are the operations that take a credential, as METHOD /path, each with the scope that the document says.
func secured(t *testing.T) map[string]account.TokenScope {
	t.Helper()
	_, doc := openAPI(t)
	out := map[string]account.TokenScope{}
	for path, item := range doc.Paths {
		for method, op := range item {
			if len(op.Security) == 0 || path == tokenPath { // where a client's secret is all
				continue
			}
			name := strings.ToUpper(method) + " " + path
			scopes := op.Security[0][securityScheme]
			if len(op.Security) != 1 || len(scopes) != 1 || !slices.Contains(account.AllScopes(), account.TokenScope(scopes[0])) {
				t.Errorf("%s: want one scope, got %v", name, op.Security)
				continue
			}
			out[name] = account.TokenScope(scopes[0])
		}
	}
	return out
}

// TestC1_EveryOperationNeedsItsScope: a token that has all others opens it neither
// for the client nor for a user, and is told which it lacks before its body is looked at.
func TestC1_EveryOperationNeedsItsScope(t *testing.T) {
	servers := map[account.Scopes]*api{}
	serving := func(has account.Scopes) *api {
		if servers[has] == nil {
			servers[has] = serve(t, Deps{Directory: newDirectory(t, broken{err: errors.New("reached")}, granting{}), Authenticator: scoped(has)}, Config{})
		}
		return servers[has]
	}
	for name, scope := range secured(t) {
		method, path, _ := strings.Cut(name, " ")
		path = strings.NewReplacer("{version}", "1", "{", "", "}", "").Replace(path)
		ask := func(has account.Scopes, user string) answer {
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("not JSON"))
			if user != "" {
				r.Header.Set(identity.ActForUser, user)
			}
			return serving(has).send(r)
		}
		for _, user := range []string{"", "ada"} {
			got := ask(without(t, scope), user).refused(http.StatusForbidden, "scope_missing", "")
			challenge := `Bearer realm="tenantry", error="insufficient_scope", scope="` + string(scope) + `"`
			if got.header.Get("WWW-Authenticate") != challenge || !strings.Contains(got.text, " "+string(scope)) {
				t.Errorf("%s: challenge %q, %s", name, got.header.Get("WWW-Authenticate"), got.text)
			}
			if got := ask(account.Scopes(scope), user); got.body["code"] == "scope_missing" || got.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s with %s alone: %d %s", name, scope, got.status, got.text)
			}
		}
	}
}

// TestC1_WhatScopesAreFor: what asks, what administers, what reads and what writes.
// An operation is here by its place, so that a new one is where it belongs or fails.
func TestC1_WhatScopesAreFor(t *testing.T) {
	asks := []string{
		"GET /v1/accounts/{account}/features", "GET /v1/me/accounts", "GET /v1/users/{user}/accounts",
		"POST /v1/check", "POST /v1/check/bulk", "POST /v1/explain",
	}
	administers := func(path string) bool {
		return slices.ContainsFunc([]string{"/v1/environment", "/v1/journal", "/v1/impersonations", "/v1/users/{user}/impersonate", "/v1/users/{user}/identities"}, func(top string) bool {
			return strings.HasPrefix(path, top)
		})
	}
	for name, scope := range secured(t) {
		method, path, _ := strings.Cut(name, " ")
		want := account.ScopeWrite
		switch {
		case slices.Contains(asks, name), path == "/v1/me", strings.HasPrefix(path, "/v1/me/"):
			want = account.ScopeCheck
		case administers(path):
			want = account.ScopeAdmin
		case method == http.MethodGet, path == "/v1/schema/orphans":
			want = account.ScopeRead
		}
		if scope != want {
			t.Errorf("%s needs %s, want %s", name, scope, want)
		}
	}
	for path, want := range map[string]account.TokenScope{"/v1/environments": account.ScopeRead, "/v1/measures": account.ScopeRead, "/v1/me": account.ScopeCheck} {
		if got := scopeFor(http.MethodGet, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestC1_ScopesAreInTheDocument, for people too.
func TestC1_ScopesAreInTheDocument(t *testing.T) {
	got := map[string]bool{}
	for _, item := range build(Deps{}, Config{}).api.OpenAPI().Paths {
		if op := item.Post; op != nil && len(op.Security) > 0 && op.Path != tokenPath {
			got[op.OperationID] = strings.HasSuffix(op.Description, " Scope: "+string(scopeOf(op))+".")
		}
	}
	for id, said := range got {
		if !said {
			t.Errorf("%s does not say its scope", id)
		}
	}
	if len(got) < 10 {
		t.Errorf("only %d operations were found", len(got))
	}
}

func TestClientsOnTheWire(t *testing.T) {
	a := withStore(t, granting{})
	const shop = `"id":"shop","name":"shop","roles":["admin"],"act_for_users":false,"created_at":"?"`
	a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["admin"],"scopes":["read","check","read"]}`).ok(201).tagged(2, 2).
		same(`{` + shop + `,"scopes":["check","read"],"version":2,"applied":true,"token":"?"}`)
	got := a.do("GET", "/v1/environment/clients/shop", "").ok(200).same(`{` + shop + `,"scopes":["check","read"],"version":2}`)
	if got.header.Get("ETag") != `"2"` {
		t.Errorf("ETag is %s", got.header.Get("ETag"))
	}
	a.do("GET", "/v1/environment/clients/shed", "").refused(404, "client_not_found", "")
	for body, field := range map[string]string{`{"scopes":[]}`: "missing_scope", `{"scopes":["all"]}`: "unknown_scope"} {
		a.do("PATCH", "/v1/environment/clients/shop", body).refused(422, field, "scopes")
		a.do("POST", "/v1/environment/clients", `{"roles":["admin"],`+body[1:]).refused(422, field, "scopes")
	}
	a.do("PATCH", "/v1/environment/clients/shop", `{"name":"New"}`, "If-Match", `"1"`).refused(412, "stale", "")
	a.do("PATCH", "/v1/environment/clients/shop", `{"scopes":["admin","check","read","write"]}`, "If-Match", `"2"`).ok(200).tagged(3, 3).
		same(`{` + shop + `,"scopes":["admin","check","read","write"],"version":3,"applied":true}`)
	a.do("PATCH", "/v1/environment/clients/shop", `{"scopes":null,"roles":null}`).ok(200).tagged(3, 3)
	for _, id := range []string{"a", "b"} {
		a.do("POST", "/v1/environment/clients", `{"id":"`+id+`","roles":["admin"]}`).ok(201)
	}
	first := a.do("GET", "/v1/environment/clients?limit=2", "").ok(200)
	next, _ := first.body["next_cursor"].(string)
	last := a.do("GET", "/v1/environment/clients?limit=2&cursor="+next, "").ok(200)
	if first.body["total"] != 3.0 || len(last.body["clients"].([]any)) != 1 || last.body["next_cursor"] != nil {
		t.Errorf("pages: %s %s", first.text, last.text)
	}
	a.do("GET", "/v1/environment/clients?cursor=x", "").refused(422, "invalid_cursor", "cursor")
}

func TestClientSecretsOnTheWire(t *testing.T) {
	a := withStore(t, granting{})
	token := a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["admin"]}`).ok(201).body["token"]
	const path = "/v1/environment/clients/shop/secrets"
	a.do("GET", path, "").ok(200).same(`{"total":1,"secrets":[{"id":"?","client":"shop","created_at":"?","expires_at":null,"version":2}]}`)
	for _, hours := range []string{"-1", "721", "9223372036854775807"} {
		a.do("POST", path, `{"overlap_hours":`+hours+`}`).refused(422, "invalid_overlap", "overlap_hours")
	}
	made := a.do("POST", path, "").ok(201).tagged(3, 3).same(`{"id":"?","client":"shop","created_at":"?","expires_at":null,"version":3,"applied":true,"token":"?"}`)
	if made.body["token"] == token || !strings.HasPrefix(made.body["token"].(string), "tenantry_prod.shop.") {
		t.Errorf("the tokens are %v and %v", token, made.body["token"])
	}
	ends := map[bool]int{}
	for _, s := range a.do("GET", path, "").ok(200).body["secrets"].([]any) {
		ends[s.(map[string]any)["expires_at"] != nil]++
	}
	if diff := cmp.Diff(map[bool]int{true: 1, false: 1}, ends); diff != "" {
		t.Errorf("which secrets end: %s", diff)
	}
	a.do("POST", path, `{"overlap_hours":0}`, "Idempotency-Key", "k").ok(201).tagged(4, 4)
	id, _ := a.do("GET", path, "").ok(200).body["secrets"].([]any)[0].(map[string]any)["id"].(string)
	a.do("DELETE", path+"/"+id, "", "If-Match", `"3"`).refused(412, "stale", "")
	a.do("DELETE", path+"/"+id, "").refused(409, "last_admin", "")
	a.do("POST", "/v1/environment/clients", `{"id":"office","roles":["admin"]}`).ok(201).tagged(5, 5)
	a.do("DELETE", path+"/"+id, "", "If-Match", `"4"`).ok(200).tagged(0, 6).same(`{"id":"` + id + `","client":"shop","created_at":"?","expires_at":null,"version":6,"applied":true}`)
	a.do("DELETE", path+"/"+id, "").refused(404, "secret_not_found", "")
	a.do("GET", path, "").ok(200).same(`{"total":0,"secrets":[]}`)

	entry := a.do("GET", "/v1/journal?after=2&limit=1", "").ok(200)
	const secret = `{"id":"?","client":"shop","created_at":"?","expires_at":`
	entry.same(`{"next_after":3,"more":true,"entries":[{"version":3,"at":"?","kind":"client.secret_added","actor":"?","request_id":"?","from":"?","changes_total":2,"changes":[
		{"before":{"client_secret":` + secret + `null}},"after":{"client_secret":` + secret + `"?"}}},{"after":{"client_secret":` + secret + `null}}}]}]}`)
	a.do("PATCH", "/v1/environment", `{"exchange_only":true}`).ok(200)
	if got := a.do("GET", "/v1/environment", "").ok(200); got.body["exchange_only"] != true {
		t.Errorf("the environment: %s", got.text)
	}
}
