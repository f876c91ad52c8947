package httpapi

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// TestC1_IssuersOverHTTP: made, seen, changed as it was seen, and deleted.
func TestC1_IssuersOverHTTP(t *testing.T) {
	a := withStore(t, granting{})
	const body = `{"id":"login","url":"https://login.example","audiences":["shop"],"purpose":"users","link_by_email":true}`
	made := a.do("POST", "/v1/environment/issuers", body, "Idempotency-Key", "1").ok(201)
	again := a.do("POST", "/v1/environment/issuers", body, "Idempotency-Key", "1").ok(201)
	if made.body["name"] != "login" || made.body["created_at"] != again.body["created_at"] || made.header.Get("ETag") == "" {
		t.Errorf("made: %s, again: %s", made.text, again.text)
	}
	a.do("POST", "/v1/environment/issuers", body).refused(409, "issuer_exists", "id")
	a.do("POST", "/v1/environment/issuers", strings.Replace(body, `"login"`, `"other"`, 1)).refused(409, "issuer_exists", "url")
	a.do("POST", "/v1/environment/issuers", strings.Replace(body, `"users"`, `"staff"`, 1)).refused(422, "invalid_purpose", "purpose")
	a.do("POST", "/v1/environment/issuers", strings.Replace(body, `https:`, `http:`, 1)).refused(422, "invalid_issuer", "url")
	a.do("POST", "/v1/environment/issuers", `{"url":"https://x.example","audiences":[],"purpose":"users"}`).refused(422, "missing_audience", "audiences")
	a.do("POST", "/v1/environment/issuers", `{"id":"","url":"https://x.example","audiences":["x"],"purpose":"users"}`).refused(422, "invalid_id", "id")

	tag := a.do("GET", "/v1/environment/issuers/login", "").ok(200).header.Get("ETag")
	a.do("PATCH", "/v1/environment/issuers/login", `{"url":"https://evil.example"}`).refused(422, "invalid_request", "url")
	changed := a.do("PATCH", "/v1/environment/issuers/login", `{"audiences":["b","a"],"link_by_email":false}`, "If-Match", tag).ok(200)
	if diff := cmp.Diff([]any{"a", "b"}, changed.body["audiences"]); diff != "" || changed.body["link_by_email"] != false {
		t.Errorf("changed: %s", changed.text)
	}
	a.do("PATCH", "/v1/environment/issuers/login", `{"name":"Old"}`, "If-Match", tag).refused(412, "stale", "")
	list := a.do("GET", "/v1/environment/issuers", "").ok(200)
	if list.body["total"] != 1.0 {
		t.Errorf("the list: %s", list.text)
	}
	a.do("DELETE", "/v1/environment/issuers/login", "", "If-Match", changed.header.Get("ETag")).ok(200)
	a.do("GET", "/v1/environment/issuers/login", "").refused(404, "issuer_not_found", "")
	a.do("DELETE", "/v1/environment/issuers/no%20such", "").refused(422, "invalid_id", "issuer")
	log := a.do("GET", "/v1/journal?subject=issuer:login", "").ok(200)
	if strings.Count(log.text, `"issuer":{`) != 4 || strings.Count(log.text, `"kind"`) != 3 {
		t.Errorf("the log: %s", log.text)
	}
}

// TestE4_OperatorsOverHTTP: people have ids that no client has.
func TestE4_OperatorsOverHTTP(t *testing.T) {
	a := withStore(t, granting{})
	const mara = `{"id":"mara","email":"Mara@vendor.example","roles":["admin"]}`
	made := a.do("POST", "/v1/environment/operators", mara).ok(201)
	if made.body["email"] != "mara@vendor.example" || made.body["issuer"] != "" || made.body["subject"] != "" {
		t.Errorf("made: %s", made.text)
	}
	a.do("POST", "/v1/environment/operators", mara).refused(409, "operator_exists", "id")
	a.do("POST", "/v1/environment/operators", strings.Replace(mara, `"mara"`, `"other"`, 1)).refused(409, "operator_exists", "email")
	a.do("POST", "/v1/environment/operators", `{"email":"x","roles":["admin"]}`).refused(422, "invalid_email", "email")
	a.do("POST", "/v1/environment/operators", `{"email":"x@y.example","roles":[]}`).refused(422, "missing_role", "roles")
	a.do("POST", "/v1/environment/operators", `{"email":"x@y.example","roles":["root"]}`).refused(422, "unknown_portal_role", "roles")
	a.do("POST", "/v1/environment/operators", `{"email":"x@y.example","roles":["admin"],"subject":"1"}`).refused(422, "invalid_issuer", "issuer")
	a.do("POST", "/v1/environment/operators", `{"email":"x@y.example","roles":["admin"],"issuer":"https://x.example"}`).refused(422, "invalid_subject", "subject")
	a.do("POST", "/v1/environment/operators", `{"email":"x@y.example","roles":["admin"],"issuer":"https://x.example","subject":"1"}`).refused(404, "issuer_not_found", "issuer")
	a.do("POST", "/v1/environment/clients", `{"id":"mara","roles":["admin"]}`).refused(409, "client_exists", "id")
	a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["backoffice_viewer"]}`).ok(201)
	a.do("POST", "/v1/environment/operators", strings.Replace(mara, `"mara"`, `"shop"`, 1)).refused(409, "operator_exists", "id")

	a.do("POST", "/v1/environment/issuers", `{"id":"staff","url":"https://staff.example","audiences":["tenantry"],"purpose":"operators"}`).ok(201)
	a.do("POST", "/v1/environment/operators", `{"id":"zoe","email":"zoe@vendor.example","roles":["admin"],"issuer":"https://staff.example","subject":"1"}`).ok(201)
	a.do("PATCH", "/v1/environment/operators/zoe", `{"roles":["backoffice_viewer"]}`).refused(409, "last_admin", "")
	a.do("DELETE", "/v1/environment/operators/zoe", "").refused(409, "last_admin", "")
	a.do("DELETE", "/v1/environment/issuers/staff", "").refused(409, "last_admin", "")
	a.do("POST", "/v1/environment/clients", `{"id":"office","roles":["admin"]}`).ok(201)
	a.do("DELETE", "/v1/environment/issuers/staff", "").ok(200)
	a.do("DELETE", "/v1/environment/operators/zoe", "").ok(200)
	a.do("POST", "/v1/environment/operators", `{"id":"noor","email":"noor@vendor.example","roles":["admin"]}`).ok(201)
	changed := a.do("PATCH", "/v1/environment/operators/mara", `{"roles":["backoffice_viewer"],"name":"Mara"}`, "If-Match", made.header.Get("ETag")).ok(200)
	if changed.body["name"] != "Mara" {
		t.Errorf("changed: %s", changed.text)
	}
	page := a.do("GET", "/v1/environment/operators?limit=1", "").ok(200)
	next, _ := page.body["next_cursor"].(string)
	rest := a.do("GET", "/v1/environment/operators?limit=1&cursor="+next, "").ok(200)
	if !strings.Contains(page.text, `"mara"`) || page.body["total"] != 2.0 || !strings.Contains(rest.text, `"noor"`) || rest.body["next_cursor"] != nil {
		t.Errorf("pages: %s %s", page.text, rest.text)
	}
	a.do("GET", "/v1/environment/operators?cursor=x", "").refused(422, "invalid_cursor", "cursor")
	a.do("DELETE", "/v1/environment/operators/mara", "").ok(200)
	a.do("GET", "/v1/environment/operators/mara", "").refused(404, "operator_not_found", "")
	log := a.do("GET", "/v1/journal?subject=operator:mara", "").ok(200)
	if strings.Count(log.text, `"operator":{`) != 4 {
		t.Errorf("the log: %s", log.text)
	}
}

// withAda is an API on an environment with the user ada, an issuer for users, and one for operators.
func withAda(t *testing.T) *api {
	t.Helper()
	a := withStore(t, granting{})
	a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["admin"]}`).ok(201) // who it calls as
	a.do("POST", "/v1/accounts", `{"id":"globex","name":"Globex"}`).ok(201)
	a.do("POST", "/v1/roles", `{"key":"r","permissions":[]}`).ok(201)
	a.do("POST", "/v1/users", `{"id":"ada","email":"ada@globex.example","name":"Ada","memberships":[{"account":"globex","roles":["r"]}]}`).ok(201)
	a.do("POST", "/v1/users", `{"id":"bob","email":"bob@globex.example","memberships":[{"account":"globex","roles":["r"]}]}`).ok(201)
	a.do("POST", "/v1/environment/issuers", `{"id":"login","url":"https://login.example","audiences":["shop"],"purpose":"users"}`).ok(201)
	a.do("POST", "/v1/environment/issuers", `{"id":"staff","url":"https://staff.example","audiences":["shop"],"purpose":"operators"}`).ok(201)
	return a
}

// TestC1_IdentitiesOverHTTP: an operator links and unlinks; users see their own.
func TestC1_IdentitiesOverHTTP(t *testing.T) {
	a := withAda(t)
	const body = `{"issuer":"https://login.example","subject":"1"}`
	made := a.do("POST", "/v1/users/ada/identities", body).ok(201)
	id, _ := made.body["id"].(string)
	a.do("POST", "/v1/users/bob/identities", body).refused(409, "identity_exists", "subject")
	a.do("POST", "/v1/users/ada/identities", body).refused(409, "identity_exists", "subject")
	a.do("POST", "/v1/users/nobody/identities", body).refused(404, "user_not_found", "")
	a.do("POST", "/v1/users/ada/identities", `{"issuer":"https://staff.example","subject":"1"}`).refused(422, "invalid_purpose", "issuer")
	a.do("POST", "/v1/users/ada/identities", `{"issuer":"https://login.example/","subject":"1"}`).refused(404, "issuer_not_found", "issuer")
	a.do("POST", "/v1/users/ada/identities", `{"issuer":"https://login.example","subject":""}`).refused(422, "invalid_subject", "subject")
	for _, seen := range []answer{a.do("GET", "/v1/users/ada/identities", ""), a.do("GET", "/v1/me/identities", "", "Act-For-User", "ada")} {
		if seen.ok(200); seen.body["total"] != 1.0 || !strings.Contains(seen.text, id) {
			t.Errorf("seen: %s", seen.text)
		}
	}
	a.do("GET", "/v1/me/identities", "").refused(422, "no_acting_user", "Act-For-User")
	a.do("GET", "/v1/users/nobody/identities", "").refused(404, "user_not_found", "")
	a.do("DELETE", "/v1/users/bob/identities/"+id, "").refused(404, "identity_not_found", "")
	a.do("DELETE", "/v1/users/ada/identities/"+id, "", "If-Match", `"1"`).refused(412, "stale", "")
	a.do("DELETE", "/v1/users/ada/identities/"+id, "", "If-Match", made.header.Get("ETag")).ok(200)
	a.do("DELETE", "/v1/users/ada/identities/"+id, "").refused(404, "identity_not_found", "")
	log := a.do("GET", "/v1/journal?subject=user:ada&kind=identity.*", "").ok(200)
	if strings.Count(log.text, `"identity":{`) != 2 {
		t.Errorf("the log: %s", log.text)
	}
	for range 20 {
		a.do("POST", "/v1/users/ada/identities", `{"issuer":"https://login.example","subject":"`+account.NewID("s")+`"}`).ok(201)
	}
	a.do("POST", "/v1/users/ada/identities", body).refused(409, "too_many_identities", "")
}

// invite makes an invitation, whose token is returned.
func (a *api) invite(email string) string {
	a.t.Helper()
	made := a.do("POST", "/v1/accounts/globex/invitations", `{"email":"`+email+`","roles":["r"],"delivery":"link"}`).ok(201)
	token, _ := made.body["token"].(string)
	if token == "" {
		a.t.Fatalf("there is no token: %s", made.text)
	}
	return token
}

// TestI1_AcceptingLinks: with the token of a provider the invitation is accepted by
// its subject, who is the user from then on; or nothing happens.
func TestI1_AcceptingLinks(t *testing.T) {
	a := withAda(t)
	accept := func(token string, headers ...string) answer {
		t.Helper()
		return a.do("POST", "/v1/invitations/accept", `{"token":"`+token+`"}`, headers...)
	}
	ada := []string{"Authorization", "Bearer ada", "Tenantry-Environment", "prod"}
	token := a.invite("new@globex.example")
	accept(token, "Authorization", "Bearer forged", "Tenantry-Environment", "prod").refused(401, "unauthenticated", "")
	accept(token, "Authorization", "Bearer ada", "Tenantry-Environment", "dev").refused(404, "invitation_invalid", "token")
	accept(token, "Authorization", "Bearer ada", "Tenantry-Environment", "").refused(422, "invalid_request", "Tenantry-Environment")
	got := accept(token, ada...).ok(200)
	user, _ := got.body["user"].(map[string]any)
	seen := a.do("GET", "/v1/users/"+user["id"].(string)+"/identities", "").ok(200)
	if got.body["new_user"] != true || seen.body["total"] != 1.0 || !strings.Contains(seen.text, `"subject":"1"`) {
		t.Errorf("accepted: %s, %s", got.text, seen.text)
	}
	log := a.do("GET", "/v1/journal?kind=invitation.accepted", "").ok(200)
	if strings.Count(log.text, `"identity":{`) != 1 || strings.Count(log.text, `"kind"`) != 1 {
		t.Errorf("it is one entry: %s", log.text)
	}

	// the subject is somebody else's, or the user is another subject
	other := a.invite("other@globex.example")
	accept(other, ada...).refused(409, "identity_conflict", "Authorization")
	if n := a.do("GET", "/v1/users?q=other@", "").ok(200).body["total"]; n != 0.0 {
		t.Errorf("%v users were made", n)
	}
	accept(other).ok(200) // without a token it is as before
	a.do("DELETE", "/v1/users/"+user["id"].(string), "").ok(200)
	a.do("POST", "/v1/users/ada/identities", `{"issuer":"https://login.example","subject":"2"}`).ok(201)
	known := a.invite("ada@globex.example")
	accept(known, ada...).refused(409, "identity_conflict", "Authorization")
	accept(known, "Authorization", "Bearer ada").ok(200) // not looked at
	a.do("POST", "/v1/users/bob/identities", `{"issuer":"https://login.example","subject":"1"}`).ok(201)
	accept(a.invite("bob@globex.example"), ada...).ok(200) // who it is already
	if n := a.do("GET", "/v1/users/bob/identities", "").ok(200).body["total"]; n != 1.0 {
		t.Errorf("bob is %v subjects", n)
	}
	a.do("DELETE", "/v1/environment/issuers/login", "").ok(200)
	accept(a.invite("last@globex.example"), ada...).refused(401, "identity_unknown", "")
}

// as takes whatever comes for one caller.
type as struct {
	known
	caller identity.Caller
}

func (a as) Authenticate(context.Context, identity.Presented) (identity.Caller, error) {
	return a.caller, nil
}

// TestWhoAmI: every kind of caller is told whom it is taken for.
func TestWhoAmI(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	ctx, req := t.Context(), directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := d.CreateClient(ctx, req, account.Client{ID: "shop", Name: "Shop", Roles: []account.PortalRole{account.PortalAdmin}})
	must(err)
	_, err = d.CreateOperator(ctx, req, account.Operator{ID: "mara", Email: "mara@vendor.example", Roles: []account.PortalRole{account.BackofficeViewer}})
	must(err)
	_, err = d.CreateRole(ctx, req, account.Role{Key: "r"})
	must(err)
	_, err = d.CreateAccount(ctx, req, directory.NewAccount{ID: "globex", Name: "Globex"})
	must(err)
	_, err = d.CreateUser(ctx, req, directory.NewUser{ID: "ada", Email: "ada@globex.example", Memberships: []directory.Grant{{Account: "globex", Roles: []account.RoleKey{"r"}}}})
	must(err)
	robot, _, err := d.CreateAPIToken(ctx, req, directory.NewAPIToken{Account: "globex", Name: "Robot", Roles: []account.RoleKey{"r"}})
	must(err)
	all := []any{"admin", "check", "read", "write"}
	for _, c := range []struct {
		actor  account.Actor
		scopes account.Scopes
		want   map[string]any
	}{
		{account.Actor{Client: "shop"}, "check read", map[string]any{"kind": "client", "id": "shop", "name": "Shop", "roles": []any{"admin"}, "scopes": []any{"check", "read"}}},
		{account.Actor{Client: "mara", Person: true}, "", map[string]any{"kind": "operator", "id": "mara", "email": "mara@vendor.example", "roles": []any{"backoffice_viewer"}, "scopes": all}},
		{account.Actor{User: "ada"}, "", map[string]any{"kind": "user", "id": "ada", "email": "ada@globex.example", "scopes": all}},
		{account.Actor{User: "ada", Account: "globex"}, "", map[string]any{"kind": "user", "id": "ada", "account": "globex"}},
		{account.Actor{User: "ada", Client: "shop"}, "check", map[string]any{"kind": "user", "id": "ada", "client": "shop", "roles": []any{}, "scopes": []any{"check"}}},
		{account.Actor{User: "ada", Client: "mara", Impersonation: "imp"}, "", map[string]any{"kind": "user", "client": "mara", "impersonation": "imp"}},
		{account.Actor{APIToken: robot.Value.ID}, "", map[string]any{"kind": "api_token", "id": string(robot.Value.ID), "name": "Robot", "account": "globex"}},
	} {
		c.actor.Environment = "prod"
		a := serve(t, Deps{Directory: d, Authenticator: as{caller: identity.Caller{Actor: c.actor, Scopes: c.scopes}}}, Config{})
		got := a.do("GET", "/v1/me", "").ok(200)
		c.want["environment"] = "prod"
		for field, want := range c.want {
			if diff := cmp.Diff(want, got.body[field]); diff != "" {
				t.Errorf("%+v: %s: %s", c.actor, field, diff)
			}
		}
	}
	a := serve(t, Deps{Directory: d, Authenticator: as{caller: identity.Caller{Actor: account.Actor{Environment: "prod", User: "gone"}}}}, Config{})
	a.do("GET", "/v1/me", "").refused(404, "user_not_found", "")
}

// TestL1_TheLogTellsPeopleFromMachines among operators.
func TestL1_TheLogTellsPeopleFromMachines(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	mara := as{caller: identity.Caller{Actor: account.Actor{Environment: "prod", Client: "mara", Person: true}}}
	a := serve(t, Deps{Directory: d, Authenticator: mara}, Config{})
	a.do("POST", "/v1/accounts", `{"id":"globex","name":"Globex"}`).ok(201)
	log := a.do("GET", "/v1/journal?actor=operator:mara", "").ok(200)
	if !strings.Contains(log.text, `"actor":{"name":"operator:mara","client":"mara","person":true}`) {
		t.Errorf("the log: %s", log.text)
	}
}
