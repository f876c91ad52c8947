package app_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

const switchPath = "/v1/me/switch"

// TestW2_ATokenForOneAccount follows one from the switch to what is done with it.
func TestW2_ATokenForOneAccount(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := newWorld(t, shape)
			before := w.head("prod")
			a := w.as("owner").must("POST", switchPath, obj{"account": "globex-eu"})
			if w.head("prod") != before {
				t.Error("a switch changes nothing, and is in the journal")
			}
			if a.body["token_type"] != "Bearer" || a.header.Get("Consistency-Token") == "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %v", a.raw, a.header)
			}
			opened := a.body["account"].(map[string]any)
			if opened["id"] != "globex-eu" || opened["name"] != "GLOBEX-EU" || !cmp.Equal(opened["path"], []any{map[string]any{"id": "globex", "name": "GLOBEX"}}) {
				t.Errorf("the account: %v", opened)
			}
			token := a.body["token"].(string)
			for _, other := range []string{"globex-eu-fr", "initech", "lobby", `"globex"`} {
				if claims := string(payloadOf(t, token)); strings.Contains(claims, other) {
					t.Errorf("the token names other accounts: %s", claims)
				}
			}
			inEU := caller{s: w.service, token: token}

			// what the user may do there, and the journal has both on it
			inEU.must("GET", "/v1/accounts/globex-eu", nil)
			inEU.must("GET", "/v1/accounts/globex-eu/members", nil)
			inEU.must("GET", "/v1/accounts/globex-eu/tree", nil)
			inEU.must("GET", "/v1/accounts/globex-eu/features", nil)
			inEU.must("GET", "/v1/accounts/globex-eu/access", nil)
			inEU.must("GET", "/v1/journal?account=globex-eu", nil)
			inEU.must("GET", "/v1/permissions", nil)
			inEU.must("POST", "/v1/explain", obj{"subject": "user:owner", "permission": readSubAccounts, "resource": "account:globex-eu"})
			if !inEU.allowed("user:owner", "access", "account:globex-eu") || !inEU.allowed("user:owner", readSubAccounts, "account:globex-eu") {
				t.Error("the user may, in the account")
			}
			made := inEU.must("POST", "/v1/accounts", obj{"id": "made-there", "name": "Made there", "parent": "globex-eu"})
			entries := w.op.must("GET", "/v1/journal?order=desc&limit=1", nil).body["entries"].([]any)
			by := entries[0].(map[string]any)["actor"]
			want := map[string]any{"name": "user:owner", "user": "owner", "account": "globex-eu", "client": "delegate"}
			if diff := cmp.Diff(any(want), by); diff != "" || made.status != 201 {
				t.Error(diff)
			}

			// nothing about the user's other accounts, or about all of them
			for _, path := range []string{me, "/v1/users/owner", "/v1/users/owner/accounts", "/v1/accounts", "/v1/accounts/globex", "/v1/accounts/made-there", "/v1/environment", "/v1/journal"} {
				inEU.refuse("outside_account", "GET", path, nil)
			}
			for _, resource := range []string{"account:globex", "account:made-there", "account:nowhere", "document:1", "environment:prod", "role:admin"} {
				inEU.refuse("outside_account", "POST", "/v1/check", obj{"subject": "user:owner", "permission": "access", "resource": resource}).is(t, 403, "outside_account", "resource")
			}
			inEU.refuse("outside_account", "POST", "/v1/check", obj{"subject": "user:owner", "permission": "feature:none", "resource": "account:globex"})
			inEU.refuse("permission_denied", "POST", "/v1/check", obj{"subject": "user:viewer", "permission": "access", "resource": "account:globex-eu"})
			both := inEU.must("POST", "/v1/check/bulk", obj{"items": []obj{
				{"subject": "user:owner", "permission": "access", "resource": "account:globex"},
				{"subject": "user:owner", "permission": "access", "resource": "account:globex-eu"},
			}}).body["items"].([]any)
			outside, inside := both[0].(map[string]any), both[1].(map[string]any)
			if outside["allowed"] != false || outside["error"].(map[string]any)["code"] != "outside_account" || inside["allowed"] != true {
				t.Errorf("in bulk: %v", both)
			}

			// no other token comes of it
			inEU.refuse("outside_account", "POST", switchPath, obj{"account": "globex"})
			inEU.refuse("outside_account", "POST", switchPath, obj{"account": "globex-eu"}) // it does not prolong itself
			inEU.as("viewer").refuse("may_not_act_for_users", "GET", "/v1/accounts/globex-eu", nil)
		})
	}
}

// payloadOf is what a token claims.
func payloadOf(t *testing.T, token string) []byte {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestW2_WhoMaySwitch: users, where they may go, and an account that is not theirs is as one that is not there.
func TestW2_WhoMaySwitch(t *testing.T) {
	w := newWorld(t, oneMachine)
	session, _ := w.impersonate(w.support, "owner")
	robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"admin"}})
	for _, c := range []caller{w.op, w.delegate, w.support, robot, w.dev} {
		c.refuse("not_a_user", "POST", switchPath, obj{"account": "globex-eu"}).is(t, 403, "not_a_user", "")
	}
	w.as("banned").refuse("user_blocked", "POST", switchPath, obj{"account": "globex"})
	for _, body := range []any{obj{}, obj{"account": ""}, obj{"account": "a b"}, obj{"account": []string{"globex", "globex-eu"}}, obj{"account": "globex", "user": "viewer"}} {
		if a := w.as("owner").do("POST", switchPath, body); a.status != 422 {
			t.Errorf("%v: %d %s", body, a.status, a.raw)
		}
	}
	viewer := w.as("viewer")
	theirs := viewer.refuse("permission_denied", "POST", switchPath, obj{"account": "globex-eu"})
	for _, id := range []string{"initech", "dev-only", "nowhere"} {
		a := viewer.refuse("permission_denied", "POST", switchPath, obj{"account": id})
		if got := strings.ReplaceAll(a.body["detail"].(string), id, "globex-eu"); got != theirs.body["detail"] || a.status != theirs.status {
			t.Errorf("%s is told from an account that is there: %s", id, a.raw)
		}
	}
	// an impersonator switches as the user, is named, and stays one
	inEU := w.opened(session, "globex-eu")
	a := inEU.must("GET", "/v1/accounts/globex-eu", nil)
	if by := a.header.Get("Impersonated-By"); by != "operator:support" {
		t.Errorf("Impersonated-By: %q", by)
	}
	inEU.refuse("not_while_impersonating", "POST", "/v1/accounts/globex-eu/api-tokens", obj{"name": "Mine", "roles": []string{"viewer"}})
	inEU.refuse("outside_account", "GET", "/v1/impersonations", nil)
	session.refuse("permission_denied", "POST", switchPath, obj{"account": "initech"})
}

// TestW2_AccountTokensEndWithWhatTheyStandOn: at the next request, and what is made anew with the same id is something else.
func TestW2_AccountTokensEndWithWhatTheyStandOn(t *testing.T) {
	w := newWorld(t, oneMachine)
	viewer := []obj{{"account": "globex", "roles": []string{"viewer"}}, {"account": "lobby", "roles": []string{"viewer"}}}
	over := func(what string, c caller, path, code string) {
		t.Helper()
		if a := c.do("GET", path, nil); a.code() != code {
			t.Errorf("%s: %d %s", what, a.status, a.raw)
		}
	}
	const globex = "/v1/accounts/globex"

	user := w.fresh("user")
	w.user(w.op, user, viewer)
	c := w.opened(w.as(user), "globex")
	c.must("GET", globex, nil)
	w.op.must("POST", "/v1/users/"+user+"/block", nil)
	over("blocked", c, globex, "user_blocked")
	w.op.must("POST", "/v1/users/"+user+"/unblock", nil)
	c.must("GET", globex, nil)
	w.op.must("DELETE", "/v1/accounts/globex/members/"+user, nil)
	over("no member any more", c, globex, "unauthenticated")

	c = w.opened(w.as(user), "lobby")
	w.op.must("DELETE", "/v1/users/"+user, nil)
	over("deleted", c, "/v1/accounts/lobby", "unauthenticated")
	w.user(w.op, user, viewer)
	over("another user has the id", c, "/v1/accounts/lobby", "unauthenticated")

	place := w.newAccount("globex")
	c = w.opened(w.as("owner"), place)
	c.must("GET", "/v1/accounts/"+place, nil)
	w.op.must("DELETE", "/v1/accounts/"+place, nil)
	over("the account is deleted", c, "/v1/accounts/"+place, "unauthenticated")
	w.account(w.op, place, "globex")
	w.as("owner").must("GET", "/v1/accounts/"+place, nil)
	over("another account has the id", c, "/v1/accounts/"+place, "unauthenticated")
	c = w.opened(w.as("owner"), place)
	w.op.must("POST", "/v1/accounts/"+place+"/move", obj{"parent": "initech"})
	over("it is in another branch", c, "/v1/accounts/"+place, "unauthenticated")

	session, id := w.impersonate(w.support, "owner")
	c = w.opened(session, "globex")
	c.must("GET", globex, nil)
	c.must("DELETE", "/v1/impersonations/"+id, nil) // also with the token for the account
	over("the impersonation has ended", c, globex, "unauthenticated")
	session, _ = w.impersonate(w.support, "owner")
	c = w.opened(session, "globex")
	other, otherID := w.impersonate(w.support, "viewer")
	c.refuse("outside_account", "DELETE", "/v1/impersonations/"+otherID, nil)
	other.must("GET", me, nil)
	w.op.must("DELETE", "/v1/environment/clients/support", nil)
	over("the operator is revoked", c, globex, "unauthenticated")

	c = w.opened(w.as("owner"), "globex")
	w.op.must("DELETE", "/v1/environment/clients/delegate", nil)
	over("the client that acted is revoked", c, globex, "unauthenticated")
	w.client("prod", "delegate", true, account.PortalAdmin)
	over("another client has the id", c, globex, "unauthenticated")
}

// TestW2_AccountTokensAreShort: as long as the environment's tokens, and no longer than what they stand on.
func TestW2_AccountTokensAreShort(t *testing.T) {
	shape, clock := clocked()
	w := newWorld(t, shape)
	lasts := func(c caller, id string, want time.Duration) caller {
		t.Helper()
		a := c.must("POST", switchPath, obj{"account": id})
		if end := clock.now().Add(want).Format(time.RFC3339); a.body["expires_at"] != end {
			t.Errorf("it ends %v, want %s", a.body["expires_at"], end)
		}
		var claims struct {
			Issued  int64 `json:"iat"`
			Expires int64 `json:"exp"`
		}
		if err := json.Unmarshal(payloadOf(t, a.body["token"].(string)), &claims); err != nil || time.Duration(claims.Expires-claims.Issued)*time.Second != want {
			t.Errorf("it claims %+v, %v", claims, err)
		}
		return caller{s: w.service, token: a.body["token"].(string)}
	}
	until := func(after time.Duration) string { return clock.now().Add(after).Format(time.RFC3339) }

	quarter := lasts(w.as("owner"), "globex", 15*time.Minute)
	session, _ := w.impersonate(w.support, "owner") // 15 minutes as well
	w.op.must("PATCH", "/v1/environment", obj{"token_minutes": 60})
	lasts(w.as("owner"), "globex", time.Hour)
	lasts(session, "globex", 15*time.Minute)
	w.grant("globex", "viewer", obj{"roles": []string{"viewer"}, "expires_at": until(10 * time.Minute)})
	lasts(w.as("viewer"), "globex", 10*time.Minute)

	// of several ways in, the last to end counts
	w.grant("globex-eu", "owner", obj{"roles": []string{"viewer"}, "expires_at": until(10 * time.Minute)})
	lasts(w.as("owner"), "globex-eu", time.Hour)
	w.grant("globex", "owner", obj{"roles": []string{"viewer"}, "expires_at": until(20 * time.Minute), "sub_account_access": true})
	lasts(w.as("owner"), "globex-eu", 20*time.Minute)

	clock.move(15*time.Minute - time.Second)
	quarter.must("GET", "/v1/accounts/globex", nil)
	clock.move(32 * time.Second) // and the 30 s by which clocks may differ
	quarter.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil)
	w.as("viewer").refuse("permission_denied", "POST", switchPath, obj{"account": "globex"}) // the membership has expired (U6)
}
