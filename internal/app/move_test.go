package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

const writeSubAccounts = "fe.account-hierarchy.write.subAccount"

// movers adds to the world a second branch, and somebody who may take from the
// first and put into the second, and holds nothing else:
//
//	globex
//	├ globex-eu  mallory (remover)
//	│ └ globex-eu-fr
//	└ globex-us  mallory (adder)
func movers(w *world) {
	w.t.Helper()
	w.account(w.op, "globex-us", "globex")
	w.role(w.op, "remover", deleteSubAccount)
	w.role(w.op, "adder", writeSubAccounts, "fe.account-hierarchy.write.sub-account-management")
	w.op.must("POST", "/v1/roles", obj{"key": "nothing", "permissions": []string{}})
	w.user(w.op, "mallory", []obj{{"account": "globex-eu", "roles": []string{"remover"}}, {"account": "globex-us", "roles": []string{"adder"}}})
}

const moveFR = "/v1/accounts/globex-eu-fr/move"

// impact is the figures of an answer: users, accounts and pairs that gain, and that lose.
func (a answer) impact(t testing.TB) [6]int {
	t.Helper()
	var out [6]int
	both, ok := a.body["impact"].(map[string]any)
	if !ok {
		t.Fatalf("there is no impact: %s", a.raw)
	}
	for i, side := range []string{"gains", "loses"} {
		for j, what := range []string{"users", "accounts", "pairs"} {
			out[3*i+j] = int(both[side].(map[string]any)[what].(float64))
		}
	}
	return out
}

// TestA2_InheritedAccessFollowsTheTree at once, and the answer says for whom,
// before without moving and then with it.
func TestA2_InheritedAccessFollowsTheTree(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			w.account(w.op, "globex-us", "globex")
			eu, us := w.newUser("initech"), w.newUser("initech")
			w.grant("globex-eu", eu, obj{"roles": []string{"viewer"}, "sub_account_access": true})
			w.grant("globex-us", us, obj{"roles": []string{"viewer"}, "sub_account_access": true})
			deep := w.newAccount("globex-eu-fr")
			w.grant(deep, us, obj{"roles": []string{"manager"}}) // can open the deepest already

			before := w.head("prod")
			want := [6]int{1, 1, 1, 1, 2, 2}
			dry := w.as("owner").must("POST", moveFR, obj{"parent": "globex-us", "dry_run": true})
			if dry.status != 200 || dry.body["moved"] != false || w.head("prod") != before {
				t.Errorf("the dry run: %d %s", dry.status, dry.raw)
			}
			done := w.as("owner").must("POST", moveFR, obj{"parent": "globex-us"}, "If-Match", dry.header.Get("ETag"))
			if done.body["moved"] != true || done.body["applied"] != true || done.body["parent"] != "globex-us" {
				t.Errorf("the move: %s", done.raw)
			}
			for _, a := range []answer{dry, done} {
				if diff := cmp.Diff(want, a.impact(t)); diff != "" {
					t.Errorf("impact (-want +got): %s", diff)
				}
			}
			token := done.header.Get("Consistency-Token")
			for user, open := range map[string]bool{eu: false, us: true, "owner": true, "viewer": false} {
				for _, id := range []string{"globex-eu-fr", deep} {
					if got := w.op.allowed("user:"+user, "access", "account:"+id, "Consistency-Token", token); got != open {
						t.Errorf("after the move %s opens %s: %t", user, id, got)
					}
				}
			}
			again := w.op.must("POST", moveFR, obj{"parent": "globex-us"})
			if again.body["moved"] != false || again.impact(t) != [6]int{} || again.header.Get("ETag") != done.header.Get("ETag") {
				t.Errorf("moved to where it was: %s", again.raw)
			}
			w.op.refuse("stale", "POST", moveFR, obj{"parent": "globex-eu", "dry_run": true}, "If-Match", dry.header.Get("ETag"))
		})
	}
}

// TestA2_WhoMayMove: delete at the old parent, create at the new one; to and from the top is for operators.
func TestA2_WhoMayMove(t *testing.T) {
	w := newWorld(t, oneMachine)
	movers(w)
	there := obj{"parent": "globex-us"}
	for _, user := range []string{"euadmin", "clerk", "viewer", "outsider", "owner"} {
		code := "permission_denied"
		if user == "owner" {
			code = ""
		}
		if got := w.as(user).do("POST", moveFR, obj{"parent": "globex-us", "dry_run": true}).code(); got != code {
			t.Errorf("%s: %q, want %q", user, got, code)
		}
	}
	for _, c := range []struct{ path, parent string }{{moveFR, ""}, {"/v1/accounts/globex/move", "initech"}, {"/v1/accounts/initech/move", "globex-us"}} {
		body := obj{"parent": nil}
		if c.parent != "" {
			body["parent"] = c.parent
		}
		w.as("owner").refuse("permission_denied", "POST", c.path, body)
		w.as("outsider").refuse("permission_denied", "POST", c.path, body)
	}
	// what a refused user learns is the same whether or not there is such a parent or account
	known := w.as("mallory").refuse("permission_denied", "POST", moveFR, obj{"parent": "initech"}).problem("initech")
	if unknown := w.as("mallory").refuse("permission_denied", "POST", moveFR, obj{"parent": "no-such"}).problem("no-such"); known != unknown {
		t.Errorf("a parent that is there: %s\none that is not: %s", known, unknown)
	}
	w.as("mallory").refuse("hierarchy_cycle", "POST", "/v1/accounts/globex-eu-fr/move", obj{"parent": w.under("globex-eu-fr")})
	w.op.must("PATCH", "/v1/accounts/globex-us", obj{"sub_account_management": false})
	w.as("mallory").refuse("sub_account_management_off", "POST", moveFR, there)
	w.op.refuse("sub_account_management_off", "POST", moveFR, there)
	w.op.must("PATCH", "/v1/accounts/globex-us", obj{"sub_account_management": true})
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": false})
	w.as("mallory").refuse("sub_accounts_disabled", "POST", moveFR, there)
	w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": true})
	w.op.must("PATCH", "/v1/environment", obj{"max_depth": 4})
	w.as("mallory").refuse("too_deep", "POST", moveFR, obj{"parent": w.under("globex-us")})
	w.as("mallory").must("POST", moveFR, there)
	w.as("mallory").refuse("permission_denied", "POST", moveFR, obj{"parent": "globex-eu"}) // there is no way back
}

// under makes an account in which mallory may create others.
func (w *world) under(parent string) string {
	w.t.Helper()
	id := w.newAccount(parent)
	w.grant(id, "mallory", obj{"roles": []string{"adder"}})
	return id
}

// TestA3_AMoveDoesNotSmuggleSubAccounts: who may not allow the children of an
// account to have sub-accounts does not move one there that may.
func TestA3_AMoveDoesNotSmuggleSubAccounts(t *testing.T) {
	w := newWorld(t, oneMachine)
	movers(w)
	w.role(w.op, "only-adder", writeSubAccounts)
	w.grant("globex-us", "mallory", obj{"roles": []string{"only-adder"}})
	w.as("mallory").refuse("permission_denied", "POST", moveFR, obj{"parent": "globex-us"})
	w.op.must("PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})
	w.as("mallory").must("POST", moveFR, obj{"parent": "globex-us"})
}

// TestU2_AUserDoesNotMoveARoleOut of its branch, and is not told whose it is.
func TestU2_AUserDoesNotMoveARoleOut(t *testing.T) {
	w := newWorld(t, oneMachine)
	movers(w)
	w.op.must("POST", "/v1/roles", obj{"key": "eu-secret", "account": "globex-eu", "permissions": []string{}})
	member := w.newUser("initech")
	w.grant("globex-eu-fr", member, obj{"roles": []string{"eu-secret"}})
	a := w.as("mallory").refuse("role_out_of_branch", "POST", moveFR, obj{"parent": "globex-us"})
	if detail := a.body["detail"].(string); strings.Contains(detail, "eu-secret") {
		t.Errorf("a user is told: %s", detail)
	}
	w.op.must("DELETE", "/v1/accounts/globex-eu-fr/members/"+member, nil)
	w.as("mallory").must("POST", moveFR, obj{"parent": "globex-us"})
}

// TestU4_NobodyInheritsByAMove what the mover does not hold in the whole branch,
// the mover least of all: whoever it is for, and however they come by it.
func TestU4_NobodyInheritsByAMove(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			movers(w)
			w.op.must("POST", "/v1/accounts", obj{"id": "stop", "name": "Stop", "parent": "globex-us", "sub_account_management": true})
			for i, inherits := range []func(at string){
				func(at string) { w.grant(at, "mallory", obj{"roles": []string{"adder"}, "sub_account_access": true}) },
				func(at string) {
					w.grant(at, "mallory", obj{"roles": []string{"adder", "admin"}, "sub_account_access": true})
				},
				func(at string) {
					w.grant(at, w.newUser("initech"), obj{"roles": []string{"viewer"}, "sub_account_access": true})
				},
				func(at string) { // blocked now, and the block can be lifted
					user := w.newUser("initech")
					w.grant(at, user, obj{"roles": []string{"viewer"}, "sub_account_access": true})
					w.op.must("POST", "/v1/users/"+user+"/block", nil)
				},
				func(at string) { // a role without permissions opens accounts, too
					w.grant(at, w.newUser("initech"), obj{"roles": []string{"nothing"}, "sub_account_access": true})
				},
				func(at string) { w.op.must("PATCH", "/v1/accounts/"+at, obj{"sub_account_access": "always_on"}) },
				func(at string) { // kept
					w.op.must("PATCH", "/v1/accounts/"+at, obj{"sub_account_access": "always_on"})
					w.op.must("PATCH", "/v1/accounts/"+at, obj{"sub_account_access": "default_off"})
				},
				func(at string) { w.giveToken(at, "machine-"+at, account.GrantedAccess, nil, "viewer") },
			} {
				for _, near := range []bool{true, false} { // at the new parent, and above it
					top := w.under("globex-us")
					into := top
					if !near {
						into = w.under(top)
					}
					w.op.must("POST", moveFR, obj{"parent": into, "dry_run": true})
					w.as("mallory").must("POST", moveFR, obj{"parent": into, "dry_run": true})
					inherits(top)
					before := w.head("prod")
					for _, dry := range []bool{true, false} {
						a := w.as("mallory").refuse("permission_denied", "POST", moveFR, obj{"parent": into, "dry_run": dry})
						if detail := a.body["detail"].(string); strings.Contains(detail, "branch_") || strings.Contains(detail, "needs ") {
							t.Errorf("case %d: the refusal tells what others hold: %s", i, detail)
						}
					}
					w.as("owner").must("POST", moveFR, obj{"parent": into, "dry_run": true}) // who holds everything there
					if w.head("prod") != before {
						t.Errorf("case %d left a trace", i)
					}
				}
			}
		})
	}
}

// TestU4_WhatAMoveHandsOutIsHeldInTheBranch: held at the moved account alone is
// not enough, held in all of the branch is; what expired is not handed out, and
// what an account above both places gives is none of the mover's business.
func TestU4_WhatAMoveHandsOutIsHeldInTheBranch(t *testing.T) {
	w := newWorld(t, oneMachine)
	movers(w)
	there := obj{"parent": "globex-us", "dry_run": true}
	w.as("mallory").must("POST", moveFR, there) // owner has everything in both by sub-account access at globex
	viewer := w.newUser("initech")
	w.grant("globex-us", viewer, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	w.as("mallory").refuse("permission_denied", "POST", moveFR, there)
	w.grant("globex-eu-fr", "mallory", obj{"roles": []string{"viewer"}})
	w.as("mallory").refuse("permission_denied", "POST", moveFR, there)
	w.grant("globex-eu-fr", "mallory", obj{"roles": []string{"viewer"}, "sub_account_access": true})
	w.as("mallory").must("POST", moveFR, there)
	w.grant("globex-us", viewer, obj{"roles": []string{"greeter"}, "sub_account_access": true})
	w.as("mallory").refuse("permission_denied", "POST", moveFR, there)

	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	w.plant(changed(nil, account.Of(account.APIToken{
		ID: "ended", Account: "globex-us", Name: "Ended", Roles: []account.RoleKey{"admin"}, BranchAccess: account.GrantedAccess, ExpiresAt: &past,
	})), changed(nil, account.Of(account.Assignment{Account: "globex-us", Role: "admin"})))
	w.grant("globex-us", viewer, obj{"roles": []string{"viewer"}, "sub_account_access": true})
	w.as("mallory").must("POST", moveFR, obj{"parent": "globex-us"})
	if !w.op.allowed("user:"+viewer, readSubAccounts, "account:globex-eu-fr") || w.op.allowed("user:mallory", writeSubAccounts, "account:globex-eu-fr") {
		t.Error("the viewer of the new parent sees the branch, and mallory may do there what she could")
	}
}
