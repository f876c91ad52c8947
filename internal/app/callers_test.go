package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// TestW1_AUsersAccountsAreTheirOwn: and who may not see them does not learn whether there is such a user.
func TestW1_AUsersAccountsAreTheirOwn(t *testing.T) {
	w := newWorld(t, oneMachine)
	if diff := cmp.Diff([]string{"globex", "globex-eu", "globex-eu-fr", "lobby"}, w.as("owner").sorted("owner")); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"/v1/users/{}/accounts", "/v1/users/{}", "/v1/accounts/{}", "/v1/accounts/{}/tree", "/v1/accounts?under={}"} {
		there, absent := "owner", "no-such"
		if strings.HasPrefix(path, "/v1/accounts") {
			there = "globex"
		}
		a := w.as("outsider").refuse("permission_denied", "GET", strings.ReplaceAll(path, "{}", there), nil)
		b := w.as("outsider").refuse("permission_denied", "GET", strings.ReplaceAll(path, "{}", absent), nil)
		if got := strings.ReplaceAll(a.body["detail"].(string), there, absent); got != b.body["detail"] || a.status != b.status {
			t.Errorf("%s tells what exists: %s, %s", path, a.raw, b.raw)
		}
	}
	check := obj{"subject": "user:owner", "permission": "access", "resource": "account:globex"}
	w.as("outsider").refuse("permission_denied", "POST", "/v1/check", check)
	w.as("outsider").refuse("permission_denied", "POST", "/v1/check/bulk", obj{"items": []obj{
		{"subject": "user:outsider", "permission": "access", "resource": "account:initech"}, check,
	}})
	w.as("outsider").refuse("permission_denied", "POST", "/v1/check", obj{"subject": "user:outsider#x", "permission": "access", "resource": "account:globex"})
}

// TestC1_ActingForUsers: only who may, only for users there are and who are not blocked, and then with the user's rights alone.
func TestC1_ActingForUsers(t *testing.T) {
	w := newWorld(t, oneMachine)
	me := "/v1/me/accounts"
	w.op.as("owner").refuse("may_not_act_for_users", "GET", me, nil).is(t, 403, "may_not_act_for_users", "Act-For-User")
	w.op.as("no-such").refuse("may_not_act_for_users", "GET", me, nil)
	w.as("banned").refuse("user_blocked", "GET", me, nil).is(t, 403, "user_blocked", "Act-For-User")
	w.as("no-such").refuse("user_not_found", "GET", me, nil).is(t, 404, "user_not_found", "Act-For-User")
	w.as("dev-user").refuse("user_not_found", "GET", me, nil)
	w.as("dev/owner").refuse("invalid_id", "GET", me, nil).is(t, 422, "invalid_id", "Act-For-User")
	w.delegate.refuse("invalid_request", "GET", me, nil, "Act-For-User", "")
	twice := func(name, value string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/v1/environment", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.delegate.token)
		req.Header[name] = append(req.Header[name], value, value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode < 400 {
			t.Errorf("two headers %s: %d", name, resp.StatusCode)
		}
	}
	twice("Act-For-User", "owner")
	twice("Authorization", "Bearer "+w.delegate.token)

	// the delegate is an admin; the users it acts for are not
	w.as("viewer").refuse("permission_denied", "GET", "/v1/environment", nil)
	w.as("viewer").refuse("permission_denied", "POST", "/v1/environment/clients", obj{"roles": []string{"admin"}})
	w.as("owner").refuse("permission_denied", "POST", "/v1/accounts/globex-eu/move", obj{"parent": "initech"})
	w.op.must("DELETE", "/v1/environment/clients/delegate", nil)
	w.as("owner").refuse("unauthenticated", "GET", me, nil)
}

// TestE4_ARevokedOrDemotedOperator opens nothing, whatever it was.
func TestE4_ARevokedOrDemotedOperator(t *testing.T) {
	w := newWorld(t, oneMachine)
	mole := w.client("prod", "mole", false, account.PortalAdmin)
	mole.must("GET", "/v1/users", nil)
	w.op.must("DELETE", "/v1/environment/clients/mole", nil)
	mole.refuse("unauthenticated", "GET", "/v1/users", nil)
	// the same id again is another client
	again := w.client("prod", "mole", false, account.BackofficeViewer)
	mole.refuse("unauthenticated", "GET", "/v1/users", nil)
	again.must("GET", "/v1/users", nil)
	again.refuse("permission_denied", "POST", "/v1/users/owner/block", nil)
	if !w.op.allowed("operator:mole", "view_backoffice", "environment:prod") || w.op.allowed("operator:mole", "manage_security", "environment:prod") {
		t.Error("the engine still knows the first mole")
	}
}
