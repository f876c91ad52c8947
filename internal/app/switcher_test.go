package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestW1_ABranchThatIsNotThere: a branch to list must be there, and for a user
// near what they may open; what is elsewhere is told from what is nowhere by nobody.
func TestW1_ABranchThatIsNotThere(t *testing.T) {
	w := newWorld(t, oneMachine)
	const none = "/v1/users/euadmin/accounts?under="
	w.op.refuse("account_not_found", "GET", none+"nowhere", nil)
	if ids := w.op.reach("euadmin", "under=initech"); len(ids) != 0 {
		t.Errorf("an operator lists a branch that the user may not open: %v", ids)
	}
	w.op.refuse("account_not_found", "GET", "/v1/users/banned/accounts?under=nowhere", nil)

	me := w.as("euadmin")
	list := func(query string) []string {
		return me.must("GET", "/v1/me/accounts?"+query, nil).list("accounts", "id")
	}
	for query, want := range map[string][]string{
		"under=globex-eu": {"globex-eu"},
		"under=globex":    {"globex-eu"}, // above what they may open: the paths show it
		"under=globex-eu&permission=fe.secure.read.users": {"globex-eu"},
	} {
		if diff := cmp.Diff(want, list(query)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	for _, permission := range []string{"", "&permission=fe.secure.read.users"} {
		elsewhere := me.refuse("account_not_found", "GET", "/v1/me/accounts?under=initech"+permission, nil)
		nowhere := me.refuse("account_not_found", "GET", "/v1/me/accounts?under=nowhere"+permission, nil)
		below := me.refuse("account_not_found", "GET", "/v1/me/accounts?under=globex-eu-fr"+permission, nil)
		for _, a := range []answer{elsewhere, nowhere, below} {
			if a.status != 404 || a.body["field"] != "under" {
				t.Errorf("refused with %s", a.raw)
			}
		}
	}
	// where they may open the branch, and hold the permission nowhere in it, the list is empty
	viewer := w.as("viewer")
	const write = "permission=fe.account-hierarchy.write.subAccount"
	if got := viewer.must("GET", "/v1/me/accounts?under=globex&"+write, nil).body["total"]; got != 0.0 {
		t.Errorf("a branch without the permission: total %v", got)
	}
	viewer.refuse("account_not_found", "GET", "/v1/me/accounts?under=initech&"+write, nil)
}

// TestUsersAskOnlyWhatTheyMayDo: what Tenantry's own objects are made of is not told to users, nor whether they are there.
func TestUsersAskOnlyWhatTheyMayDo(t *testing.T) {
	w := newWorld(t, oneMachine)
	owner := w.as("owner")
	if !owner.allowed("user:owner", "access", "account:globex-eu") ||
		!owner.allowed("user:owner", "read_users", "account:globex") ||
		!owner.allowed("user:owner", "fe.secure.read.users", "account:globex") {
		t.Error("owners may ask what they may do in accounts")
	}
	for _, q := range [][2]string{
		{"sub_account_management", "account:globex"},
		{"parent", "account:globex-eu"},
		{"environment", "account:globex"},
		{"assignment", "account:globex"},
		{"create_sub_account", "account:globex"},
		{"move_account", "account:globex"},
		{"member_access", "account:globex"},
		{"branch_access", "account:globex"},
		{"read_users", "role:admin"},
		{"read_users", "role:nowhere"},
		{"fe.secure.read.users", "role:admin"},
		{"access", "role:admin"},
		{"member", "assignment:globex/admin"},
		{"read_users", "assignment:globex/admin"},
		{"holder", "assignment:nowhere/admin"},
		{"blocked", "environment:prod"},
		{"sub_accounts_enabled", "environment:prod"},
		{"view_backoffice", "environment:prod"},
		{"read_users", "environment:prod"},
		{"self", "user:owner"},
		{"read_users", "user:viewer"},
		{"any", "version:1"},
		{"any", "operator:op"},
		{"any", "api_token:x"},
	} {
		owner.refuse("unknown_permission", "POST", "/v1/check", obj{"subject": "user:owner", "permission": q[0], "resource": q[1]})
	}
	// operators may
	for _, q := range [][2]string{{"sub_account_management", "account:globex"}, {"create_sub_account", "account:globex"}, {"sub_accounts_enabled", "environment:prod"}} {
		if !w.op.allowed("user:owner", q[0], q[1]) {
			t.Errorf("an operator asks about %v", q)
		}
	}
}
