package app_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

const (
	createRight  = "fe.account-hierarchy.write.subAccount"
	disabled     = "sub_accounts_disabled"
	managingOff  = "sub_account_management_off"
	noPermission = "permission_denied"
)

// asked is a caller of the capability tests, and the subject that they are in checks.
type asked struct {
	caller
	subject string
}

// chain is the people around a parent account, top > parent > child, and the portal's.
func (w *world) chain() (top, parent, child string, people map[string]asked) {
	w.t.Helper()
	w.role(w.op, "creator", createRight)
	w.role(w.op, "allower", writeManagement)
	top = w.newAccount("")
	parent = w.newAccount(top)
	child = w.newAccount(parent)
	people = map[string]asked{
		"editor": {w.client("prod", "chain-editor", false, account.BackofficeEditor), "operator:chain-editor"},
		"reader": {w.client("prod", "chain-reader", false, account.BackofficeViewer), "operator:chain-reader"},
	}
	for name, m := range map[string]struct {
		at, role string
		branch   bool
	}{
		"creator":         {parent, "creator", false},
		"creator above":   {top, "creator", true},
		"creator at top":  {top, "creator", false},
		"allower":         {parent, "allower", false},
		"allower above":   {top, "allower", true},
		"allower at top":  {top, "allower", false},
		"allower below":   {child, "allower", false},
		"viewer":          {parent, "viewer", true},
		"admin of a twin": {"initech", "admin", true},
	} {
		user := w.newUser("initech")
		w.grant(m.at, user, obj{"roles": []string{m.role}, "sub_account_access": m.branch})
		people[name] = asked{w.as(user), "user:" + user}
	}
	return top, parent, child, people
}

// TestE2_A3_WhoMayCreate: all three have to be there, the right, the account's flag and the environment's;
// and the schema says of each the same as the request is answered with.
func TestE2_A3_WhoMayCreate(t *testing.T) {
	w := newWorld(t, oneMachine)
	_, parent, _, people := w.chain()
	withRight := []string{"editor", "creator", "creator above"}
	for _, c := range []struct {
		environment, account bool
		code                 string // for who has the right
	}{
		{true, true, ""},
		{true, false, managingOff},
		{false, true, disabled},
		{false, false, disabled},
		{true, true, ""}, // and back
	} {
		w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": c.environment})
		w.op.must("PATCH", "/v1/accounts/"+parent, obj{"sub_account_management": c.account})
		for name, who := range people {
			want := noPermission
			if slices.Contains(withRight, name) {
				want = c.code
			}
			a := who.do("POST", "/v1/accounts", obj{"name": "Child", "parent": parent})
			if a.code() != want {
				t.Errorf("environment %v, account %v: %s is answered with %d %s", c.environment, c.account, name, a.status, a.raw)
			}
			if got := w.op.allowed(who.subject, "create_sub_account", "account:"+parent); got != (want == "") {
				t.Errorf("environment %v, account %v: the schema says %v of %s", c.environment, c.account, got, name)
			}
		}
	}
}

// TestA3_WhoTogglesAChild: an operator always; a user of the parent who holds the permission there, while the parent has it on.
func TestA3_WhoTogglesAChild(t *testing.T) {
	w := newWorld(t, oneMachine)
	top, parent, child, people := w.chain()
	for _, c := range []struct {
		parentHasIt bool
		may         []string
	}{
		{true, []string{"editor", "allower", "allower above"}},
		{false, []string{"editor"}},
	} {
		w.op.must("PATCH", "/v1/accounts/"+parent, obj{"sub_account_management": c.parentHasIt})
		for name, who := range people {
			may := slices.Contains(c.may, name)
			for _, set := range []bool{false, true, true} { // the last changes nothing, and needs the same
				before := w.head("prod")
				a := who.do("PATCH", "/v1/accounts/"+child, obj{"sub_account_management": set})
				if may && a.body["sub_account_management"] != set || !may && a.code() != noPermission || !may && w.head("prod") != before {
					t.Errorf("parent %v: %s sets %v: %d %s", c.parentHasIt, name, set, a.status, a.raw)
				}
			}
			if got := w.op.allowed(who.subject, "set_sub_account_management", "account:"+child); got != may {
				t.Errorf("parent %v: the schema says %v of %s", c.parentHasIt, got, name)
			}
		}
	}
	// of the parent itself it is the business of the top's users, and of the top of operators alone
	w.op.must("PATCH", "/v1/accounts/"+parent, obj{"sub_account_management": true})
	for name, may := range map[string][]string{top: {"editor"}, parent: {"editor", "allower above", "allower at top"}} {
		for who, c := range people {
			if code := c.do("PATCH", "/v1/accounts/"+name, obj{"sub_account_management": true}).code(); (code == "") != slices.Contains(may, who) {
				t.Errorf("%s of %s: %q", who, name, code)
			}
		}
	}
}

// TestA3_CreatedWithIt: who creates a sub-account gives it the flag only if they could set it.
func TestA3_CreatedWithIt(t *testing.T) {
	w := newWorld(t, oneMachine)
	_, parent, _, people := w.chain()
	both := w.newUser("initech")
	w.grant(parent, both, obj{"roles": []string{"creator", "allower"}})
	people["both"] = asked{caller: w.as(both)}
	for name, code := range map[string]string{"editor": "", "both": "", "creator": noPermission, "allower": noPermission, "reader": noPermission} {
		a := people[name].do("POST", "/v1/accounts", obj{"name": "Child", "parent": parent, "sub_account_management": true})
		if a.code() != code {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	people["creator"].must("POST", "/v1/accounts", obj{"name": "Child", "parent": parent, "sub_account_management": false})
	w.op.must("PATCH", "/v1/accounts/"+parent, obj{"sub_account_management": false})
	for _, with := range []bool{false, true} { // an operator is told what is really in the way
		people["editor"].refuse(managingOff, "POST", "/v1/accounts", obj{"name": "Child", "parent": parent, "sub_account_management": with})
	}
}

// goesOn sees that what was there before the capability was turned off is there still, at globex > globex-eu > globex-eu-fr.
func (w *world) goesOn(t *testing.T) {
	t.Helper()
	for _, id := range everywhere {
		w.opens(t, "owner", id, true)
	}
	w.opens(t, "euadmin", "globex-eu-fr", false)
	tree := w.as("owner").must("GET", "/v1/accounts/globex/tree", nil)
	if tree.body["total"] != 3.0 {
		t.Errorf("the tree: %s", tree.raw)
	}
	user := w.newUser("initech")
	w.grant("globex-eu", user, obj{"roles": []string{"viewer"}, "sub_account_access": true}) // S2: it has children
	w.opens(t, user, "globex-eu-fr", true)
	w.mode("globex-eu", always)
	w.opens(t, "euadmin", "globex-eu-fr", true)
	w.mode("globex-eu", off)
	w.grant("globex-eu", "euadmin", obj{"roles": []string{"admin"}, "sub_account_access": false})
	w.as("euadmin").must("PATCH", "/v1/accounts/globex-eu-fr", obj{"name": w.fresh("Renamed")})
	w.op.must("DELETE", "/v1/accounts/globex-eu/members/"+user, nil)
}

// TestA3_TurnedOffWhereThereAreSubAccounts: they stay, with all access; nothing new comes directly below.
// What is below goes by its own flag, which the parent's users cannot change meanwhile.
func TestA3_TurnedOffWhereThereAreSubAccounts(t *testing.T) {
	w := newWorld(t, oneMachine)
	eu, fr := obj{"name": "Child", "parent": "globex-eu"}, obj{"name": "Child", "parent": "globex-eu-fr"}
	loose := w.newAccount("initech")
	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": false})
	w.goesOn(t)

	w.as("owner").refuse(managingOff, "POST", "/v1/accounts", eu)
	w.op.refuse(managingOff, "POST", "/v1/accounts", eu)
	w.op.refuse(managingOff, "POST", "/v1/accounts/"+loose+"/move", obj{"parent": "globex-eu"})
	w.as("euadmin").refuse(noPermission, "PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})
	w.as("owner").refuse(noPermission, "PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})

	below := w.as("owner").must("POST", "/v1/accounts", fr).body["id"].(string) // by its own flag
	w.as("owner").must("PATCH", "/v1/accounts/"+below, obj{"sub_account_management": true})
	w.op.must("PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})
	w.as("owner").refuse(managingOff, "POST", "/v1/accounts", fr)
	w.as("owner").must("POST", "/v1/accounts", obj{"name": "Child", "parent": below})
	w.as("owner").refuse(noPermission, "PATCH", "/v1/accounts/"+below, obj{"sub_account_management": false})

	w.as("owner").must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": true}) // its parent had it on all the time
	w.as("euadmin").must("PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": true})
	w.as("euadmin").must("POST", "/v1/accounts", eu)
	w.inStep(t)
}

// TestA3_TheLastSubAccountIsGone: an account that may have none, and has none any more, is no parent account (S2).
func TestA3_TheLastSubAccountIsGone(t *testing.T) {
	w := newWorld(t, oneMachine)
	top, child := w.branch(off)
	user, kept := w.newUser("initech"), w.newUser("initech")
	w.set(top, kept, "true")
	w.op.must("PATCH", "/v1/accounts/"+top, obj{"sub_account_management": false})
	w.set(top, user, "true") // it has a child
	w.op.must("DELETE", "/v1/accounts/"+child, nil)
	w.set(top, user, "false")
	w.set(top, user, "true").is(t, 409, "not_a_parent_account", "sub_account_access")
	w.op.must("PATCH", "/v1/accounts/"+top, obj{"sub_account_management": true})
	child = w.newAccount(top)
	w.opens(t, kept, child, true) // who had it has it in what comes later, too
	w.opens(t, user, child, false)
}

// TestE2_TurnedOffWhereThereAreSubAccounts: access goes on, all that is there can be changed and deleted, and no account gets one.
func TestE2_TurnedOffWhereThereAreSubAccounts(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": false})
	w.goesOn(t)
	for _, c := range []caller{w.op, w.as("owner"), w.as("euadmin")} {
		c.refuse(disabled, "POST", "/v1/accounts", obj{"name": "Child", "parent": "globex-eu"})
	}
	w.op.refuse(disabled, "POST", "/v1/accounts/initech/move", obj{"parent": "globex"})
	w.op.refuse(disabled, "POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": "globex"})
	for i, set := range []bool{false, true} { // the flag is for when it is on again
		w.as("owner").must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": set})
		w.op.refuse(disabled, "POST", "/v1/accounts", obj{"name": fmt.Sprint("Child ", i), "parent": "globex-eu"})
	}
	w.account(w.op, "a-root", "")
	w.op.must("POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": nil})
	w.opens(t, "owner", "globex-eu-fr", false)
	w.as("owner").must("DELETE", "/v1/accounts/globex-eu", obj{}) // what is gone does not come back before
	w.op.refuse(disabled, "POST", "/v1/accounts", obj{"id": "globex-eu", "name": "Again", "parent": "globex"})
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": true})
	w.op.must("POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": "globex"})
	w.opens(t, "owner", "globex-eu-fr", true)
	w.inStep(t)
}
