package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const manageTokens = "fe.secure.write.tenantApiTokens"

// machinist makes clerk a member of globex-eu who may also make API tokens, and no more.
func (w *world) machinist() {
	w.t.Helper()
	w.op.must("POST", "/v1/roles", obj{"key": "machinist", "permissions": []string{manageTokens}})
	w.grant("globex-eu", "clerk", obj{"roles": []string{"manager", "machinist"}})
}

// TestU4_APITokenBeyondTheMaker: who may make tokens cannot make one that may do
// more than they, by its roles, by its reach, or by another token in between.
func TestU4_APITokenBeyondTheMaker(t *testing.T) {
	w := newWorld(t, oneMachine)
	clerk := w.as("clerk")
	plain := obj{"name": "Robot", "roles": []string{"manager"}}
	clerk.refuse("permission_denied", "POST", tokensOfEU, plain)
	w.machinist()
	before := w.head("prod")
	clerk.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"admin"}})
	clerk.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager", "admin"}})
	clerk.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager"}, "sub_account_access": true})
	clerk.refuse("permission_denied", "POST", "/v1/accounts/globex/api-tokens", obj{"name": "Robot", "roles": []string{"manager"}})
	clerk.refuse("permission_denied", "POST", "/v1/accounts/globex-eu-fr/api-tokens", obj{"name": "Robot", "roles": []string{"manager"}})
	if w.head("prod") != before {
		t.Error("something was written")
	}

	robot := caller{s: w.service, token: clerk.must("POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager", "machinist"}}).body["token"].(string)}
	robot.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"admin"}})
	robot.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager"}, "sub_account_access": true})
	robot.refuse("permission_denied", "PUT", "/v1/accounts/globex-eu/members/clerk", obj{"roles": []string{"admin"}})
	robot.refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", obj{"sub_account_access": "always_on"})
	robot.must("POST", tokensOfEU, obj{"name": "Robot's robot", "roles": []string{"manager"}})

	// what the mode gives needs no right of its own, and no more than the roles are given
	w.mode("globex-eu", "default_on")
	clerk.refuse("permission_denied", "POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager"}, "sub_account_access": false})
	clerk.must("POST", tokensOfEU, plain)
}

// TestU4_RoleThatAnAPITokenHolds: who edits a role has to hold what they add also where only a machine has the role.
func TestU4_RoleThatAnAPITokenHolds(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "keeper", "permissions": []string{"fe.secure.write.roles", "fe.secure.invite.users"}})
	w.grant("globex", "viewer", obj{"roles": []string{"viewer", "keeper"}})
	w.op.must("POST", "/v1/roles", obj{"key": "gadget", "account": "globex", "permissions": []string{"fe.secure.read.users"}})
	robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"gadget"}})
	more := obj{"permissions": []string{"fe.secure.read.users", "fe.secure.invite.users"}}
	w.as("viewer").refuse("permission_denied", "PATCH", "/v1/roles/gadget", more)
	w.op.must("DELETE", tokensOfEU+"/"+strings.Split(robot.token, ".")[1], nil)
	w.as("viewer").must("PATCH", "/v1/roles/gadget", more)
}

// may is which permissions of the catalogue a subject holds at which accounts of the globex branch.
func (w *world) may(subject string) map[string]bool {
	w.t.Helper()
	var items []obj
	var names []string
	for _, id := range []string{"globex", "globex-eu", "globex-eu-fr"} {
		for _, p := range append(w.permissions(), "access") {
			items = append(items, obj{"subject": subject, "permission": p, "resource": "account:" + id})
			names = append(names, p+" at "+id)
		}
	}
	held := map[string]bool{}
	for i, r := range w.op.must("POST", "/v1/check/bulk", obj{"items": items}).body["items"].([]any) {
		if r.(map[string]any)["allowed"] == true {
			held[names[i]] = true
		}
	}
	return held
}

// TestU5_APITokensGoOnWithoutTheirMaker: whatever happens to who made it, a token
// may do what its roles say at its account; no more, and no less.
func TestU5_APITokensGoOnWithoutTheirMaker(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.machinist()
	made := w.as("clerk").must("POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"manager"}})
	robot, me := caller{s: w.service, token: made.body["token"].(string)}, "api_token:"+made.body["id"].(string)
	before := w.may(me)
	if len(before) != 6 { // the five of manager, and access
		t.Errorf("it may %v", before)
	}
	for _, event := range []struct {
		name string
		make func()
	}{
		{"the maker is promoted", func() { w.grant("globex-eu", "clerk", obj{"roles": []string{"admin"}, "sub_account_access": true}) }},
		{"the maker is demoted", func() { w.grant("globex-eu", "clerk", obj{"roles": []string{"viewer"}}) }},
		{"the maker is blocked", func() {
			a := w.op.must("POST", "/v1/users/clerk/block", nil)
			if a.body["api_tokens"] != float64(1) {
				t.Errorf("%s", a.raw)
			}
		}},
		{"the maker is unblocked", func() { w.op.must("POST", "/v1/users/clerk/unblock", nil) }},
		{"the maker is removed", func() { w.op.must("DELETE", "/v1/accounts/globex-eu/members/clerk", nil) }},
		{"the maker is deleted", func() { w.op.must("DELETE", "/v1/users/clerk", nil) }},
	} {
		event.make()
		if diff := cmp.Diff(before, w.may(me)); diff != "" {
			t.Errorf("%s: %s", event.name, diff)
		}
		robot.must("GET", "/v1/accounts/globex-eu/members", nil)
	}
	// the role is the measure: what it loses, the token loses
	w.op.must("PATCH", "/v1/roles/manager", obj{"permissions": []string{"fe.secure.read.users"}})
	if diff := cmp.Diff(map[string]bool{"fe.secure.read.users at globex-eu": true, "access at globex-eu": true}, w.may(me)); diff != "" {
		t.Error(diff)
	}
}

// TestU5_BlockingCanRevokeAPITokens: those that the user made, also with tokens of theirs, in one entry.
func TestU5_BlockingCanRevokeAPITokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "gadget", "permissions": []string{manageTokens}})
	w.grant("globex", "owner", obj{"roles": []string{"admin", "gadget"}, "sub_account_access": true})
	body := obj{"name": "Robot", "roles": []string{"gadget"}}
	create := func(c caller, id string) caller {
		return caller{s: w.service, token: c.must("POST", "/v1/accounts/"+id+"/api-tokens", body).body["token"].(string)}
	}
	first := create(w.as("owner"), "globex-eu")
	second := create(first, "globex-eu")
	third := create(second, "globex-eu")
	elsewhere := create(w.as("owner"), "globex-eu-fr")
	operators := create(w.op, "globex-eu")
	// the token in the middle is gone: what it made is the user's all the same
	w.op.must("DELETE", tokensOfEU+"/"+strings.Split(second.token, ".")[1], nil)

	blocked := w.op.must("POST", "/v1/users/owner/block", obj{})
	if blocked.body["api_tokens"] != float64(3) || blocked.body["blocked"] != true {
		t.Fatalf("%s", blocked.raw)
	}
	for _, c := range []caller{first, third, elsewhere, operators} {
		c.must("GET", "/v1/me/accounts", nil)
	}
	before := w.head("prod")
	again := w.op.must("POST", "/v1/users/owner/block", obj{"revoke_api_tokens": true}, "If-Match", blocked.header.Get("ETag"))
	if again.body["api_tokens"] != float64(3) || w.head("prod") != before+1 {
		t.Errorf("%s; the journal went from %d to %d", again.raw, before, w.head("prod"))
	}
	for _, c := range []caller{first, third, elsewhere} {
		c.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	}
	operators.must("GET", "/v1/me/accounts", nil)
	changes := w.op.must("GET", fmt.Sprintf("/v1/journal?after=%d", before), nil).body["entries"].([]any)[0].(map[string]any)["changes"].([]any)
	gone := 0
	for _, c := range changes {
		thing, _ := c.(map[string]any)["before"].(map[string]any)
		if thing["api_token"] != nil {
			gone++
		}
	}
	if gone != 3 {
		t.Errorf("the journal shows %d tokens that went: %v", gone, changes)
	}
	// the user's own state is as it was: its ETag still fits
	w.op.must("POST", "/v1/users/owner/unblock", nil, "If-Match", again.header.Get("ETag"))

	// the role is carried by the operator's token and by the user; then by nobody, at globex-eu-fr even before
	w.op.must("DELETE", tokensOfEU+"/"+strings.Split(operators.token, ".")[1], nil)
	w.grant("globex", "owner", obj{"roles": []string{"admin"}})
	w.op.must("DELETE", "/v1/roles/gadget", nil)
	w.op.refuse("invalid_request", "POST", "/v1/users/owner/block", obj{"revoke": true})
	w.op.refuse("invalid_json", "POST", "/v1/users/owner/block", `{"revoke_api_tokens": true`)
	w.op.refuse("invalid_request", "POST", "/v1/users/owner/block", "null")
}
