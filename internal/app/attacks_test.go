package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	readSubAccounts  = "fe.account-hierarchy.read.subAccount"
	deleteSubAccount = "fe.account-hierarchy.delete.subAccount"
	writeAccess      = "fe.account-hierarchy.write.subAccountAccess"
	writeManagement  = "fe.account-hierarchy.write.sub-account-management"
)

// TestU4_NobodyHandsOutWhatTheyLack attacks through members and roles.
func TestU4_NobodyHandsOutWhatTheyLack(t *testing.T) {
	w := newWorld(t, oneMachine)
	clerk := w.as("clerk") // may invite and change members of globex-eu, and little else
	members := "/v1/accounts/globex-eu/members/"
	guest := w.newUser("lobby")

	clerk.must("PUT", members+guest, obj{"roles": []string{"viewer", "manager"}})
	for _, body := range []obj{
		{"roles": []string{"admin"}},
		{"roles": []string{"viewer", "admin"}},
	} {
		clerk.refuse("permission_denied", "PUT", members+guest, body)
		clerk.refuse("permission_denied", "PUT", members+w.newUser("lobby"), body)
		clerk.refuse("permission_denied", "PUT", members+"clerk", body)
	}
	clerk.refuse("permission_denied", "PUT", "/v1/accounts/globex/members/clerk", obj{"roles": []string{"viewer"}})
	w.as("euadmin").refuse("permission_denied", "PUT", "/v1/accounts/globex/members/euadmin", obj{"roles": []string{"viewer"}})
	w.as("euadmin").refuse("permission_denied", "PUT", "/v1/accounts/globex-eu-fr/members/euadmin", obj{"roles": []string{"viewer"}})
	// what they lack can be taken away, and a change that keeps it is none
	w.grant("globex-eu", guest, obj{"roles": []string{"admin", "viewer"}})
	clerk.must("PUT", members+guest, obj{"roles": []string{"admin", "viewer"}})
	clerk.must("PUT", members+guest, obj{"roles": []string{"viewer"}})
	clerk.refuse("permission_denied", "PUT", members+guest, obj{"roles": []string{"admin"}})
}

// TestU4_RolesAreNotEditedUpward: who edits roles puts nothing into them that they do not hold.
func TestU4_RolesAreNotEditedUpward(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "steward", "account": "globex-eu", "permissions": []string{
		"fe.secure.write.roles", "fe.secure.invite.users", readSubAccounts,
	}})
	steward := w.newUser("lobby")
	w.grant("globex-eu", steward, obj{"roles": []string{"steward"}})
	c := w.as(steward)
	more := []string{"fe.secure.write.roles", "fe.secure.invite.users", readSubAccounts, deleteSubAccount}

	c.refuse("permission_denied", "PATCH", "/v1/roles/steward", obj{"permissions": more})
	c.refuse("permission_denied", "PATCH", "/v1/roles/steward", obj{"permissions": []string{"fe.account-hierarchy.write.subAccountManagement"}})
	c.refuse("permission_denied", "POST", "/v1/roles", obj{"key": "boss", "account": "globex-eu", "permissions": more})
	c.refuse("permission_denied", "POST", "/v1/roles", obj{"key": "boss", "permissions": []string{readSubAccounts}})
	c.refuse("permission_denied", "POST", "/v1/roles", obj{"key": "boss", "account": "globex", "permissions": []string{}})
	c.refuse("permission_denied", "POST", "/v1/roles", obj{"key": "boss", "account": "globex-eu-fr", "permissions": []string{}})
	for _, role := range []string{"admin", "viewer"} {
		c.refuse("permission_denied", "PATCH", "/v1/roles/"+role, obj{"permissions": []string{readSubAccounts}})
		c.refuse("permission_denied", "DELETE", "/v1/roles/"+role, nil)
	}
	if w.op.allowed("user:"+steward, deleteSubAccount, "account:globex-eu") {
		t.Error("the role was edited upward")
	}
	c.must("PATCH", "/v1/roles/steward", obj{"permissions": []string{"fe.secure.write.roles", readSubAccounts}})
	c.refuse("permission_denied", "PATCH", "/v1/roles/steward", obj{"permissions": []string{"fe.secure.invite.users"}})
	w.op.must("PATCH", "/v1/roles/steward", obj{"permissions": more})
}

// TestU4_AnExpiredMembershipIsNotRevived: giving an ended membership a new
// expiry hands out its roles anew, and so does prolonging one.
func TestU4_AnExpiredMembershipIsNotRevived(t *testing.T) {
	w := newWorld(t, oneMachine)
	clerk := w.as("clerk")
	guest := w.newUser("lobby")
	path := "/v1/accounts/globex-eu/members/" + guest
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Second)

	w.grant("globex-eu", guest, obj{"roles": []string{"admin"}, "expires_at": soon})
	clerk.refuse("permission_denied", "PUT", path, obj{"roles": []string{"admin"}})
	clerk.refuse("permission_denied", "PUT", path, obj{"roles": []string{"admin"}, "expires_at": soon.Add(time.Hour)})
	clerk.must("PUT", path, obj{"roles": []string{"admin"}, "expires_at": soon.Add(-time.Minute)})
	clerk.must("PUT", path, obj{"roles": []string{"viewer"}})

	// sub-account access is given anew with it (S2)
	w.grant("globex-eu", guest, obj{"roles": []string{"viewer"}, "sub_account_access": true, "expires_at": soon})
	clerk.refuse("permission_denied", "PUT", path, obj{"roles": []string{"viewer"}})
	w.as("euadmin").must("PUT", path, obj{"roles": []string{"viewer"}})
}

// TestS2_SubAccountAccessIsNotTaken: without write.subAccountAccess nobody gives it, takes it, or has it made the default.
func TestS2_SubAccountAccessIsNotTaken(t *testing.T) {
	w := newWorld(t, oneMachine)
	clerk := w.as("clerk")
	members := "/v1/accounts/globex-eu/members/"
	guest, manager := w.newUser("lobby"), []string{"manager"}

	clerk.refuse("permission_denied", "PUT", members+"clerk", obj{"roles": manager, "sub_account_access": true})
	clerk.refuse("permission_denied", "PUT", members+guest, obj{"roles": manager, "sub_account_access": true})
	for _, mode := range []string{"default_on", "always_on"} {
		clerk.refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", obj{"sub_account_access": mode})
		clerk.refuse("permission_denied", "POST", "/v1/accounts", obj{"name": "Mine", "parent": "globex-eu", "sub_account_access": mode})
	}
	if w.op.allowed("user:clerk", "access", "account:globex-eu-fr") {
		t.Error("the clerk took sub-account access")
	}
	// it can be taken away only with the permission, too
	w.grant("globex-eu", guest, obj{"roles": manager, "sub_account_access": true})
	clerk.refuse("permission_denied", "PUT", members+guest, obj{"roles": manager, "sub_account_access": false})
	// with the permission it can, but only where there can be sub-accounts
	w.as("euadmin").must("PUT", members+"clerk", obj{"roles": manager, "sub_account_access": true})
	w.op.must("PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})
	leaf := "/v1/accounts/globex-eu-fr/members/" + guest
	w.as("owner").refuse("not_a_parent_account", "PUT", leaf, obj{"roles": manager, "sub_account_access": true}).is(t, 409, "not_a_parent_account", "sub_account_access")
	w.op.refuse("not_a_parent_account", "PUT", leaf, obj{"roles": manager, "sub_account_access": true})
	w.op.must("PUT", leaf, obj{"roles": manager, "sub_account_access": false})
}

// TestA3_SubAccountManagement: a child's is the business of who may at the parent, while the parent has it on.
func TestA3_SubAccountManagement(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.grant("globex", "clerk", obj{"roles": []string{"manager"}}) // may write sub-accounts of globex, not this
	off, on := obj{"sub_account_management": false}, obj{"sub_account_management": true}

	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", off)
	w.as("clerk").must("PATCH", "/v1/accounts/globex-eu", obj{"name": "Renamed"})
	w.as("clerk").refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", on)
	w.as("clerk").refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", obj{"name": "Renamed again", "sub_account_management": true})
	w.as("clerk").refuse("permission_denied", "POST", "/v1/accounts", obj{"name": "Mine", "parent": "globex", "sub_account_management": true})
	w.as("euadmin").refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", on)
	w.as("owner").refuse("permission_denied", "PATCH", "/v1/accounts/globex", off) // a root: for operators
	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", on)

	w.op.must("PATCH", "/v1/accounts/globex", off)
	w.as("owner").refuse("permission_denied", "PATCH", "/v1/accounts/globex-eu", off)
	w.op.must("PATCH", "/v1/accounts/globex-eu", off)
	w.op.must("PATCH", "/v1/accounts/globex", on)
	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", on)
}

// TestA4_CreatingASubAccount needs a name, a parent, the right, and both switches.
func TestA4_CreatingASubAccount(t *testing.T) {
	w := newWorld(t, oneMachine)
	child := obj{"name": "Child", "parent": "globex-eu"}

	w.as("euadmin").refuse("missing_name", "POST", "/v1/accounts", obj{"name": " ", "parent": "globex-eu"})
	w.as("viewer").refuse("permission_denied", "POST", "/v1/accounts", obj{"name": "Child", "parent": "globex"})
	w.as("outsider").refuse("permission_denied", "POST", "/v1/accounts", child)
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": false})
	w.as("outsider").refuse("permission_denied", "POST", "/v1/accounts", child)
	for _, c := range []caller{w.as("euadmin"), w.as("owner"), w.op} {
		c.refuse("sub_account_management_off", "POST", "/v1/accounts", child).is(t, 409, "sub_account_management_off", "parent")
	}
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": true})
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": false}) // E2
	for _, c := range []caller{w.as("euadmin"), w.as("owner"), w.op} {
		c.refuse("sub_accounts_disabled", "POST", "/v1/accounts", child)
	}
	w.op.refuse("sub_accounts_disabled", "POST", "/v1/accounts/initech/move", obj{"parent": "globex-eu"})
	if w.op.allowed("user:euadmin", "create_sub_account", "account:globex-eu") {
		t.Error("the schema allows what the environment has off (E2)")
	}
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": true})
	w.as("euadmin").must("POST", "/v1/accounts", child)
}

// TestA5_DeletingNeedsTheRightAtTheParent, and no children.
func TestA5_DeletingNeedsTheRightAtTheParent(t *testing.T) {
	w := newWorld(t, oneMachine)
	boss := w.newUser("lobby")
	w.grant("globex-eu-fr", boss, obj{"roles": []string{"admin"}, "sub_account_access": true})

	w.as(boss).refuse("permission_denied", "DELETE", "/v1/accounts/globex-eu-fr", nil)
	w.as("euadmin").refuse("permission_denied", "DELETE", "/v1/accounts/globex-eu", nil)
	w.as("clerk").refuse("permission_denied", "DELETE", "/v1/accounts/globex-eu-fr", nil)
	w.as("outsider").refuse("permission_denied", "DELETE", "/v1/accounts/initech", nil)
	w.as("owner").refuse("account_has_children", "DELETE", "/v1/accounts/globex-eu", nil)
	w.op.refuse("account_has_children", "DELETE", "/v1/accounts/globex?delete_users=true", nil)
	w.as("euadmin").must("DELETE", "/v1/accounts/globex-eu-fr", nil)
	w.op.refuse("account_not_found", "DELETE", "/v1/accounts/globex-eu-fr", nil)
}

// TestA7_ABranchIsListedWhole: all descendants for who may read there, also those they cannot open, and nothing beside the branch.
func TestA7_ABranchIsListedWhole(t *testing.T) {
	w := newWorld(t, oneMachine)
	ids := func(c caller, query string) []string {
		return c.must("GET", "/v1/accounts?limit=1000&"+query, nil).list("accounts", "id")
	}
	for _, c := range []struct {
		user, query string
		want        []string
	}{
		{"viewer", "under=globex", []string{"globex", "globex-eu", "globex-eu-fr"}},
		{"viewer", "parent=globex", []string{"globex-eu"}},
		{"viewer", "under=globex&parent=globex-eu", []string{"globex-eu-fr"}},
		{"viewer", "under=globex&q=INITECH", []string{}},
		{"euadmin", "under=globex-eu", []string{"globex-eu", "globex-eu-fr"}},
		{"euadmin", "under=globex-eu&parent=globex", []string{"globex-eu"}},
		{"euadmin", "under=globex-eu&parent=initech", []string{}},
		{"euadmin", "under=globex-eu&roots=true", []string{}},
	} {
		if diff := cmp.Diff(c.want, ids(w.as(c.user), c.query)); diff != "" {
			t.Errorf("%s lists %s: %s", c.user, c.query, diff)
		}
	}
	tree := w.as("viewer").must("GET", "/v1/accounts/globex/tree", nil)
	if tree.body["total"] != 3.0 || tree.body["complete"] != true || !strings.Contains(string(tree.raw), `"globex-eu-fr"`) {
		t.Errorf("the tree of globex: %s", tree.raw)
	}
	w.as("euadmin").refuse("permission_denied", "GET", "/v1/accounts/globex/tree", nil)
	w.as("euadmin").refuse("permission_denied", "GET", "/v1/accounts/globex-eu-fr/tree", nil)
	w.as("viewer").refuse("permission_denied", "GET", "/v1/accounts/globex-eu", nil)
}
