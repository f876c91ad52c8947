package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestU5_ABlockedUserPassesNoCheck: not one, of any name, and opens nothing; unblocked, all is as before.
func TestU5_ABlockedUserPassesNoCheck(t *testing.T) {
	w := newWorld(t, oneMachine)
	var items []obj
	ask := func(resource string, permissions ...string) {
		for _, p := range permissions {
			items = append(items, obj{"subject": "user:owner", "permission": p, "resource": resource})
		}
	}
	own := []string{
		"access", "create_sub_account", "update_account", "delete_account", "delegate_sub_account_management",
		"set_sub_account_management", "sub_account_management",
	}
	for _, id := range []string{"globex", "globex-eu", "globex-eu-fr", "initech"} {
		ask("account:"+id, append(w.permissions(), own...)...)
	}
	ask("assignment:globex/admin", "holder", "member", "branch_member", "read_users")
	ask("role:admin", "read_users")
	ask("environment:prod", "sub_accounts_enabled")
	answers := func(headers ...string) (allowed []bool) {
		for _, item := range w.op.must("POST", "/v1/check/bulk", obj{"items": items}, headers...).body["items"].([]any) {
			item := item.(map[string]any) // with an error, if it is no question for callers
			allowed = append(allowed, item["allowed"].(bool))
		}
		return allowed
	}
	before, list := answers(), w.op.sorted("owner")
	if n := len(list); n != 4 || !slices.Contains(before, true) {
		t.Fatalf("the owner opens %v", list)
	}
	token := w.op.must("POST", "/v1/users/owner/block", nil).header.Get("Consistency-Token")
	for i, allowed := range answers("Consistency-Token", token) {
		if allowed {
			t.Errorf("a blocked user passes %v", items[i])
		}
	}
	if got := w.op.sorted("owner"); len(got) != 0 {
		t.Errorf("a blocked user opens %v", got)
	}
	w.as("owner").refuse("user_blocked", "GET", "/v1/me/accounts", nil)
	if got := w.op.must("GET", "/v1/users/owner", nil); got.body["blocked"] != true || len(got.body["memberships"].([]any)) != 2 {
		t.Errorf("more than the block has changed: %s", got.raw)
	}
	w.op.must("POST", "/v1/users/owner/unblock", nil)
	if diff := cmp.Diff(before, answers()); diff != "" {
		t.Errorf("after the unblocking: %s", diff)
	}
	if diff := cmp.Diff(list, w.as("owner").sorted("owner")); diff != "" {
		t.Error(diff)
	}
}

// TestU6_AnExpiredMembershipGrantsNothing: allowed before, and denied after with
// nobody's doing: within the quantum of the engine, which is one second for the
// embedded one and five for SpiceDB as it comes.
func TestU6_AnExpiredMembershipGrantsNothing(t *testing.T) {
	const busy = 3 * time.Second // what a busy machine may need besides
	for _, s := range []struct {
		shape
		quantum time.Duration
	}{{oneMachine, time.Second}, {manyMachines(t), 5 * time.Second}} {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s.shape)
			user := w.newUser("initech")
			ends := time.Now().Add(3 * time.Second).Truncate(time.Second)
			w.grant("globex", user, obj{"roles": []string{"viewer"}, "sub_account_access": true, "expires_at": ends})
			all := []string{"globex", "globex-eu", "globex-eu-fr", "initech"}
			got := w.op.sorted(user)
			if !slices.Equal(got, all) || !w.op.allowed("user:"+user, "access", "account:globex-eu-fr") {
				t.Fatalf("before the end: %v", got)
			}
			over := func() bool {
				check := w.op.allowed("user:"+user, "access", "account:globex-eu-fr")
				list := w.as(user).must("GET", "/v1/me/accounts", nil).list("accounts", "id")
				tree := w.as(user).do("GET", "/v1/accounts/globex/tree", nil)
				return !check && slices.Equal(list, []string{"initech"}) && tree.code() == "permission_denied"
			}
			late := time.NewTimer(time.Until(ends.Add(s.quantum + busy)))
			defer late.Stop()
			again := time.NewTicker(50 * time.Millisecond)
			defer again.Stop()
			for !over() {
				select {
				case <-again.C:
				case <-late.C:
					t.Fatalf("the membership has not ended %s after its end", s.quantum+busy)
				}
			}
			if early := time.Until(ends); early > 0 {
				t.Errorf("the membership ended %s too early", early)
			}
			t.Logf("over %s after the end", time.Since(ends))
			// it is still there, and can be prolonged
			w.grant("globex", user, obj{"roles": []string{"viewer"}})
			if got := w.op.sorted(user); !slices.Equal(got, all) {
				t.Errorf("prolonged: %v", got)
			}
		})
	}
}

// TestU1_TheLastMembership ends only together with the user, and only if that is asked for.
func TestU1_TheLastMembership(t *testing.T) {
	w := newWorld(t, oneMachine)
	one, two := w.newUser("globex-eu-fr"), w.newUser("globex-eu-fr", "initech")
	member := "/v1/accounts/globex-eu-fr/members/"

	w.op.refuse("users_without_account", "DELETE", member+one, nil)
	w.op.refuse("users_without_account", "DELETE", "/v1/accounts/globex-eu-fr", nil)
	w.op.refuse("users_without_account", "DELETE", "/v1/accounts/globex-eu-fr?delete_users=false", nil)
	w.op.must("DELETE", member+two, nil)
	w.op.refuse("users_without_account", "DELETE", "/v1/accounts/initech/members/"+two, nil)
	w.op.must("DELETE", "/v1/accounts/initech/members/"+two+"?delete_user=true", nil)
	w.op.refuse("user_not_found", "GET", "/v1/users/"+two, nil)

	both := w.newUser("globex-eu-fr", "initech")
	w.op.must("DELETE", "/v1/accounts/globex-eu-fr?delete_users=true", nil)
	w.op.refuse("user_not_found", "GET", "/v1/users/"+one, nil)
	if got := w.op.sorted(both); !slices.Equal(got, []string{"initech"}) {
		t.Errorf("who has another account is still there, in %v", got)
	}
	w.inStep(t)
}

// inStep checks that the engine holds what the directory implies, no more and no less.
func (w *world) inStep(t *testing.T) {
	t.Helper()
	result, err := w.Relay.Reconcile(t.Context(), "prod", true, nil)
	if err != nil || !result.Drift.Empty() {
		t.Errorf("the engine has drifted: %v %+v", err, result.Drift)
	}
}

// TestA5_NothingIsLeftOfADeletedAccount: no assignments, no roles of its own,
// no rights of its members when the same ids come back.
func TestA5_NothingIsLeftOfADeletedAccount(t *testing.T) {
	w := newWorld(t, oneMachine)
	top, child := w.branch("always_on")
	w.op.must("POST", "/v1/roles", obj{"key": "own", "account": top, "permissions": []string{readSubAccounts}})
	user, gone := w.newUser("initech"), w.newUser(top)
	w.set(top, user, "", "own", "viewer")
	w.opens(t, user, child, true)

	w.op.refuse("role_in_use", "DELETE", "/v1/roles/own", nil)
	w.op.must("DELETE", "/v1/accounts/"+child, nil)
	w.op.must("DELETE", "/v1/accounts/"+top+"?delete_users=true", nil)
	w.op.refuse("role_not_found", "PATCH", "/v1/roles/own", obj{"name": "Own"})
	w.inStep(t)

	w.account(w.op, top, "")
	w.account(w.op, child, top)
	w.user(w.op, gone, []obj{{"account": "initech", "roles": []string{"viewer"}}})
	for _, u := range []string{user, gone} {
		w.opens(t, u, top, false)
		w.opens(t, u, child, false)
	}
	if a := w.op.must("GET", "/v1/accounts/"+top+"/members", nil); a.body["total"] != 0.0 {
		t.Errorf("the new account has members: %s", a.raw)
	}
}

// TestU2_RolesOfAnAccount are usable in its branch, and stay so.
func TestU2_RolesOfAnAccount(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("initech")
	w.op.must("POST", "/v1/roles", obj{"key": "eu-role", "account": "globex-eu", "permissions": []string{readSubAccounts}})
	for id, code := range map[string]string{"globex-eu": "", "globex-eu-fr": "", "globex": "role_out_of_branch", "initech": "role_out_of_branch"} {
		a := w.set(id, user, "", "eu-role")
		if code == "" && a.status != 200 {
			t.Errorf("in %s: %d %s", id, a.status, a.raw)
		}
		if code != "" {
			a.is(t, 422, code, "roles")
		}
	}
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": "globex"})
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": nil})
	w.op.must("POST", "/v1/accounts/globex-eu/move", obj{"parent": "initech"}) // with its role
	for id, want := range map[string]bool{"globex-eu": true, "globex-eu-fr": true, "globex": false} {
		keys := w.op.must("GET", "/v1/accounts/"+id+"/roles", nil).list("roles", "key")
		if slices.Contains(keys, "eu-role") != want {
			t.Errorf("the roles of %s are %v", id, keys)
		}
	}
	// an edit is in force for all who hold the role, at once
	for _, permissions := range [][]string{{}, {deleteSubAccount}, {readSubAccounts}} {
		token := w.op.must("PATCH", "/v1/roles/eu-role", obj{"permissions": permissions}).header.Get("Consistency-Token")
		for _, p := range []string{readSubAccounts, deleteSubAccount} {
			if got := w.op.allowed("user:"+user, p, "account:globex-eu-fr", "Consistency-Token", token); got != slices.Contains(permissions, p) {
				t.Errorf("with %v, %s is %v", permissions, p, got)
			}
		}
	}
	for _, id := range []string{"globex-eu", "globex-eu-fr"} {
		w.op.refuse("role_in_use", "DELETE", "/v1/roles/eu-role", nil)
		w.op.must("DELETE", "/v1/accounts/"+id+"/members/"+user, nil)
	}
	w.op.must("DELETE", "/v1/roles/eu-role", nil)
	w.inStep(t)
}

// TestU3_AliasesAreTheSamePermission wherever a permission is named.
func TestU3_AliasesAreTheSamePermission(t *testing.T) {
	w := newWorld(t, oneMachine)
	const alias = "fe.account-hierarchy.write.subAccountManagement"
	a := w.op.must("POST", "/v1/roles", obj{"key": "delegator", "permissions": []string{alias, writeManagement, alias}})
	if got := fmt.Sprint(a.body["permissions"]); got != "["+writeManagement+"]" {
		t.Errorf("the role has %s", got)
	}
	w.set("globex", "viewer", "", "delegator")
	for _, p := range []string{alias, writeManagement, "write_sub_account_management"} {
		if !w.op.allowed("user:viewer", p, "account:globex") {
			t.Errorf("%s is not allowed", p)
		}
		if got := w.op.reach("viewer", "permission="+p); !slices.Equal(got, []string{"globex"}) {
			t.Errorf("the accounts by %s are %v", p, got)
		}
	}
}
