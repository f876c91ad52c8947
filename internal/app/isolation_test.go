package app_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestE1_IdsOfAnotherEnvironment: what only dev has does not exist in prod, wherever it is named.
func TestE1_IdsOfAnotherEnvironment(t *testing.T) {
	w := newWorld(t, oneMachine)
	export, head := w.export("prod"), w.head("prod")
	viewer := obj{"roles": []string{"viewer"}}
	for _, c := range []struct {
		method, path string
		body         any
		code         string
	}{
		{"GET", "/v1/accounts/dev-only", nil, "account_not_found"},
		{"PATCH", "/v1/accounts/dev-only", obj{"name": "Mine"}, "account_not_found"},
		{"DELETE", "/v1/accounts/dev-only", nil, "account_not_found"},
		{"GET", "/v1/accounts/dev-only/tree", nil, "account_not_found"},
		{"GET", "/v1/accounts/dev-only/summary", nil, "account_not_found"},
		{"GET", "/v1/accounts/dev-only/members", nil, "account_not_found"},
		{"GET", "/v1/accounts/dev-only/roles", nil, "account_not_found"},
		{"GET", "/v1/accounts?under=dev-only", nil, "account_not_found"},
		{"POST", "/v1/accounts/dev-only/move", obj{"parent": "globex"}, "account_not_found"},
		{"POST", "/v1/accounts/globex/move", obj{"parent": "dev-only"}, "account_not_found"},
		{"POST", "/v1/accounts", obj{"name": "Child", "parent": "dev-only"}, "account_not_found"},
		{"POST", "/v1/accounts", obj{"name": "Child", "parent": "dev/dev-only"}, "invalid_id"},
		{"PUT", "/v1/accounts/dev-only/members/owner", viewer, "account_not_found"},
		{"PUT", "/v1/accounts/globex/members/dev-user", viewer, "user_not_found"},
		{"PUT", "/v1/accounts/globex/members/viewer", obj{"roles": []string{"dev-role"}}, "role_not_found"},
		{"DELETE", "/v1/accounts/globex/members/dev-user", nil, "membership_not_found"},
		{"GET", "/v1/users/dev-user", nil, "user_not_found"},
		{"GET", "/v1/users/dev-user/accounts", nil, "user_not_found"},
		{"POST", "/v1/users/dev-user/block", nil, "user_not_found"},
		{"PATCH", "/v1/roles/dev-role", obj{"name": "Mine"}, "role_not_found"},
		{"DELETE", "/v1/roles/dev-role", nil, "role_not_found"},
		{"POST", "/v1/roles", obj{"key": "mine", "account": "dev-only", "permissions": []string{}}, "account_not_found"},
		{"POST", "/v1/check", obj{"subject": "user:owner", "permission": "access", "resource": "account:dev/globex"}, "invalid_id"},
		{"POST", "/v1/check", obj{"subject": "user:dev/owner", "permission": "access", "resource": "account:globex"}, "invalid_id"},
		{"POST", "/v1/check", obj{"subject": "operator:op", "permission": "admin", "resource": "environment:dev"}, "environment_not_found"},
	} {
		a := w.op.do(c.method, c.path, c.body)
		if a.code() != c.code {
			t.Errorf("%s %s %v: want %s, got %d %s", c.method, c.path, c.body, c.code, a.status, a.raw)
		}
	}
	if w.head("prod") != head || w.export("prod") != export {
		t.Error("the directory has changed")
	}
}

// TestE1_EqualIdsAreDifferentThings: rights held in one environment hold in no other.
func TestE1_EqualIdsAreDifferentThings(t *testing.T) {
	w := newWorld(t, oneMachine)
	if !w.op.allowed("user:owner", "access", "account:globex") || w.dev.allowed("user:owner", "access", "account:globex") {
		t.Error("the owner opens globex of prod, and not that of dev")
	}
	if w.op.allowed("user:viewer", "access", "account:initech") || !w.dev.allowed("user:viewer", "access", "account:initech") {
		t.Error("the viewer opens initech of dev, and not that of prod")
	}
	for _, subject := range []string{"assignment:globex/admin", "assignment:dev/initech/viewer", "version:1", "role:admin", "account:globex"} {
		if a := w.dev.do("POST", "/v1/check", obj{"subject": subject, "permission": "access", "resource": "account:globex"}); a.body["allowed"] == true {
			t.Errorf("%s is allowed: %s", subject, a.raw)
		}
	}
	prod, dev := w.as("owner").sorted("owner"), w.dev.as("owner").sorted("owner")
	if diff := cmp.Diff([][]string{{"globex", "globex-eu", "globex-eu-fr", "lobby"}, {"initech"}}, [][]string{prod, dev}); diff != "" {
		t.Error(diff)
	}
	// what is blocked, deleted and renamed here is not so there
	w.dev.must("POST", "/v1/users/owner/block", nil)
	w.dev.must("DELETE", "/v1/accounts/globex-eu-fr", nil)
	w.dev.must("PATCH", "/v1/roles/admin", obj{"permissions": []string{}})
	if got := w.as("owner").sorted("owner"); !slices.Equal(got, prod) {
		t.Errorf("after changes in dev the owner's accounts in prod are %v", got)
	}
	w.as("owner").must("POST", "/v1/accounts", obj{"name": "Still allowed", "parent": "globex-eu-fr"})
	w.dev.as("banned").must("GET", "/v1/me/accounts", nil)
}

// TestE1_TokensAndCursors: a consistency token of another environment is refused; a cursor shows nothing of it.
func TestE1_TokensAndCursors(t *testing.T) {
	w := newWorld(t, oneMachine)
	check := obj{"subject": "user:owner", "permission": "access", "resource": "account:globex"}
	token := w.dev.must("POST", "/v1/check", check).header.Get("Consistency-Token")
	if token == "" {
		t.Fatal("there is no consistency token")
	}
	w.dev.must("POST", "/v1/check", check, "Consistency-Token", token)
	for _, path := range []string{"/v1/check", "/v1/check/bulk"} {
		var body any = check
		if path != "/v1/check" {
			body = obj{"items": []obj{check}}
		}
		w.op.refuse("invalid_consistency_token", "POST", path, body, "Consistency-Token", token).is(t, 422, "invalid_consistency_token", "Consistency-Token")
	}
	w.op.refuse("invalid_consistency_token", "GET", "/v1/users/owner/accounts", nil, "Consistency-Token", token)

	cursor := func(c caller, path string) string {
		next, _ := c.must("GET", path, nil).body["next_cursor"].(string)
		if next == "" {
			t.Fatalf("%s has no second page", path)
		}
		return url.QueryEscape(next)
	}
	for _, c := range []struct{ path, list, id string }{
		{"/v1/accounts?limit=1", "accounts", "id"},
		{"/v1/users?limit=1", "users", "id"},
		{"/v1/accounts/initech/members?limit=1", "members", "user"},
	} {
		a := w.op.must("GET", c.path+"&cursor="+cursor(w.dev, c.path), nil)
		if strings.Contains(string(a.raw), "dev-") || len(a.list(c.list, c.id)) > 1 {
			t.Errorf("%s with a cursor of dev: %s", c.path, a.raw)
		}
	}
	// a user's cursor used for another one shows only what is that one's
	w.grant("globex", "outsider", obj{"roles": []string{"viewer"}})
	mine := cursor(w.as("outsider"), "/v1/me/accounts?limit=1")
	for _, id := range w.as("viewer").must("GET", "/v1/me/accounts?limit=1&cursor="+mine, nil).list("accounts", "id") {
		if id != "globex" {
			t.Errorf("the viewer sees %s", id)
		}
	}
}
