package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestA5_ABranchIsDeletedFromBelow: no account with children, whatever is asked for; each once its own are gone.
func TestA5_ABranchIsDeletedFromBelow(t *testing.T) {
	w := newWorld(t, oneMachine)
	line := []string{w.newAccount("globex")}
	for range 3 {
		line = append(line, w.newAccount(line[len(line)-1]))
	}
	for i, id := range slices.Backward(line) {
		for _, above := range line[:i] {
			for _, query := range []string{"", "?delete_users=true"} {
				w.as("owner").refuse("account_has_children", "DELETE", "/v1/accounts/"+above+query, nil)
			}
		}
		w.as("owner").must("DELETE", "/v1/accounts/"+id, nil)
	}
	w.op.refuse("account_not_found", "DELETE", "/v1/accounts/"+line[0], nil)
	w.inStep(t)
}

// TestU1_WhoBelongsNowhereElse stands in the way and is named, up to ten of them; if that is asked for, they go with the account.
func TestU1_WhoBelongsNowhereElse(t *testing.T) {
	w := newWorld(t, oneMachine)
	top := w.newAccount("globex")
	path := "/v1/accounts/" + top
	var only []string
	elsewhere := w.newUser(top, "initech")
	for i := range 11 {
		only = append(only, w.newUser(top))
		if i == 1 {
			refused := w.op.refuse("users_without_account", "DELETE", path, nil)
			detail := refused.body["detail"].(string)
			if !strings.Contains(detail, only[0]) || !strings.Contains(detail, only[1]) || strings.Contains(detail, elsewhere) || !strings.Contains(detail, "2 users") {
				t.Errorf("the refusal says: %s", detail)
			}
		}
	}
	before := w.head("prod")
	detail := w.op.refuse("users_without_account", "DELETE", path+"?delete_users=false", nil).body["detail"].(string)
	if n := strings.Count(detail, "user-"); n != 10 || !strings.Contains(detail, "11 users") || !strings.Contains(detail, "…") {
		t.Errorf("the refusal names %d: %s", n, detail)
	}
	for _, user := range only {
		w.op.must("GET", "/v1/users/"+user, nil)
	}
	if w.head("prod") != before {
		t.Error("what was refused is in the journal")
	}

	w.op.must("POST", "/v1/users/"+only[0]+"/block", nil)
	w.as("owner").refuse(noPermission, "DELETE", path+"?delete_users=true", nil) // U5: not a blocked one
	w.op.must("DELETE", path+"?delete_users=true", nil)
	for _, user := range only {
		w.op.refuse("user_not_found", "GET", "/v1/users/"+user, nil)
	}
	w.opens(t, elsewhere, "initech", true)
	w.inStep(t)
	w.user(w.op, only[0], []obj{{"account": "initech", "roles": []string{"viewer"}}})
	w.opens(t, only[0], "initech", true) // somebody new, who is not blocked
	w.inStep(t)
}

// TestU1_AnExpiredMembershipIsOne: who has one elsewhere, be it over, belongs there.
func TestU1_AnExpiredMembershipIsOne(t *testing.T) {
	w, clock := timed(t)
	top := w.newAccount("globex")
	user := w.newUser(top)
	w.grant("initech", user, obj{"roles": []string{"viewer"}, "expires_at": clock.now().Add(time.Minute)})
	clock.move(time.Hour)
	w.op.must("DELETE", "/v1/accounts/"+top+"?delete_users=true", nil)
	if got := w.op.must("GET", "/v1/users/"+user, nil).body["memberships"].([]any); len(got) != 1 {
		t.Errorf("they have %v", got)
	}
	w.opens(t, user, "initech", false)
	w.op.refuse("users_without_account", "DELETE", "/v1/accounts/initech/members/"+user, nil) // the last one, though it is over
	w.grant("initech", user, obj{"roles": []string{"viewer"}})
	w.opens(t, user, "initech", true)
	w.inStep(t)
}

// furniture is what an account may have besides members.
func furniture(id account.ID, now time.Time) []account.Change {
	by := account.Actor{Environment: "prod", System: true}
	roles := []account.RoleKey{"viewer"}
	switches := func(branch bool) account.Change {
		return account.Change{After: account.Of(account.FeatureSwitch{Account: id, Feature: "reports", Branch: branch, On: true})}
	}
	return []account.Change{
		{After: account.Of(account.Assignment{Account: id, Role: "viewer"})},
		{After: account.Of(account.APIToken{ID: "robot", Account: id, Name: "Robot", Roles: roles, BranchAccess: account.GrantedAccess, CreatedBy: by, CreatedAt: now})},
		{After: account.Of(account.Invitation{
			ID: "invitation", Account: id, Email: "new@example.com", Roles: roles, Mode: account.DefaultOff, InvitedBy: by, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})},
		switches(false), switches(true),
	}
}

// belongings is how many of each the account has.
func (w *world) belongings(t *testing.T, id account.ID) string {
	t.Helper()
	var out string
	err := w.Store.Read(t.Context(), "prod", func(r directory.Reader) error {
		tokens, err := r.APITokensIn(t.Context(), id)
		if err != nil {
			return err
		}
		invitations, err := r.InvitationsIn(t.Context(), id)
		if err != nil {
			return err
		}
		switches, err := r.FeatureSwitches(t.Context(), id)
		if err != nil {
			return err
		}
		assignments, err := r.Assignments(t.Context(), id)
		out = fmt.Sprintf("%d tokens, %d invitations, %d switches, %d assignments", len(tokens), len(invitations), len(switches), len(assignments))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestA5_WhatAnAccountHasGoesWithIt: its API tokens, open invitations, feature switches and plan; and
// an account that is made anew with its id has none of it.
func TestA5_WhatAnAccountHasGoesWithIt(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			id := account.ID(w.newAccount("globex"))
			now := time.Now().UTC().Truncate(time.Microsecond)
			w.plant(
				account.Change{After: account.Of(account.Feature{Key: "reports"})},
				account.Change{After: account.Of(account.Plan{Key: "gold", Features: []account.FeatureKey{"reports"}})})
			w.plant(furniture(id, now)...)
			catchUp(t, w.service)
			robot := func(want bool) {
				t.Helper()
				if got := w.op.allowed("api_token:robot", readSubAccounts, "account:"+string(id)); got != want {
					t.Errorf("the API token reads: %v", got)
				}
			}
			robot(true)
			if got := w.belongings(t, id); got != "1 tokens, 1 invitations, 2 switches, 1 assignments" {
				t.Errorf("it has %s", got)
			}
			before := w.head("prod")
			w.as("owner").must("DELETE", "/v1/accounts/"+string(id), nil)
			if n := w.head("prod") - before; n != 1 {
				t.Errorf("%d entries", n)
			}
			const none = "0 tokens, 0 invitations, 0 switches, 0 assignments"
			if got := w.belongings(t, id); got != none {
				t.Errorf("what is left: %s", got)
			}
			w.inStep(t)
			w.account(w.op, string(id), "globex")
			w.grant(string(id), w.newUser("initech"), obj{"roles": []string{"viewer"}}) // the same assignment again
			robot(false)
			if got := w.belongings(t, id); got != strings.Replace(none, "0 assignments", "1 assignments", 1) {
				t.Errorf("the new one has %s", got)
			}
			w.inStep(t)
		})
	}
}

// duel is two requests of which only one can succeed, and with what codes the other may be refused.
type duel struct {
	name  string
	sides [2]func(i int) (method, path string, body any)
	codes [2]string // how each side loses
}

func duels() []duel {
	id := func(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }
	remove := func(kind string) func(int) (string, string, any) {
		return func(i int) (string, string, any) { return "DELETE", "/v1/accounts/" + id(kind, i), nil }
	}
	leave := func(kind string) func(int) (string, string, any) {
		return func(i int) (string, string, any) {
			return "DELETE", "/v1/accounts/" + id(kind, i) + "/members/" + id("both", i), nil
		}
	}
	const gone, children, homeless = "account_not_found", "account_has_children", "users_without_account"
	return []duel{
		{"a creation below", [2]func(int) (string, string, any){remove("a"), func(i int) (string, string, any) {
			return "POST", "/v1/accounts", obj{"id": id("below", i), "name": "Below", "parent": id("a", i)}
		}}, [2]string{children, gone}},
		{"a move below", [2]func(int) (string, string, any){remove("b"), func(i int) (string, string, any) {
			return "POST", "/v1/accounts/" + id("moving", i) + "/move", obj{"parent": id("b", i)}
		}}, [2]string{children, gone}},
		{"a first member", [2]func(int) (string, string, any){remove("c"), func(i int) (string, string, any) {
			return "POST", "/v1/users", obj{"id": id("first", i), "email": id("first", i) + "@example.com", "memberships": []obj{{"account": id("c", i), "roles": []string{"viewer"}}}}
		}}, [2]string{homeless, gone}},
		{"a role of its own in use", [2]func(int) (string, string, any){
			func(i int) (string, string, any) { return "DELETE", "/v1/roles/" + id("role", i), nil },
			func(i int) (string, string, any) {
				return "PUT", "/v1/accounts/" + id("d", i) + "/members/outsider", obj{"roles": []string{id("role", i)}}
			},
		}, [2]string{"role_in_use", "role_not_found"}},
		{"the other account of its members", [2]func(int) (string, string, any){remove("e"), remove("f")}, [2]string{homeless, homeless}},
		{"the other membership", [2]func(int) (string, string, any){leave("g"), leave("h")}, [2]string{homeless, homeless}},
	}
}

// TestA5_U1_OneOfTwoFails: whatever is deleted while something is made that needs it. Never is there an
// orphan, a user without an account, or a member with a role that is not there.
func TestA5_U1_OneOfTwoFails(t *testing.T) {
	const rounds = 100
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			var made []account.Change
			now := time.Now().UTC().Truncate(time.Microsecond)
			add := func(things ...*account.Entity) {
				for _, e := range things {
					made = append(made, account.Change{After: e})
				}
			}
			for i := range rounds {
				for _, kind := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "moving"} {
					id := account.ID(fmt.Sprintf("%s-%d", kind, i))
					add(account.Of(account.Account{ID: id, Name: kind, SubAccountManagement: true, AccessMode: account.DefaultOff, CreatedAt: now}))
				}
				add(account.Of(account.Role{Key: account.RoleKey(fmt.Sprintf("role-%d", i)), Account: account.ID(fmt.Sprintf("d-%d", i))}))
				for user, homes := range map[string][]string{"pair": {"e", "f"}, "both": {"g", "h"}} {
					id := account.UserID(fmt.Sprintf("%s-%d", user, i))
					add(account.Of(account.User{ID: id, Email: string(id) + "@example.com", CreatedAt: now}))
					for _, home := range homes {
						at := account.ID(fmt.Sprintf("%s-%d", home, i))
						add(account.Of(account.Membership{Account: at, User: id, Roles: []account.RoleKey{"viewer"}, CreatedAt: now}),
							account.Of(account.Assignment{Account: at, Role: "viewer"}))
					}
				}
			}
			w.plant(made...)
			catchUp(t, w.service)
			for _, d := range duels() {
				t.Run(d.name, func(t *testing.T) { w.fight(t, d, rounds) })
			}
			w.isATree(t)
			w.nobodyIsHomeless(t)
		})
	}
}

// fight sends both sides of every round at once.
func (w *world) fight(t *testing.T, d duel, rounds int) {
	t.Helper()
	answers := atOnce(t, 2*rounds, func(i int) (answer, error) {
		method, path, body := d.sides[i%2](i / 2)
		return w.op.try(method, path, body)
	})
	won := [2]int{}
	for i := range rounds {
		pair := answers[2*i : 2*i+2]
		switch {
		case pair[0].status < 300 && pair[1].code() == d.codes[1]:
			won[0]++
		case pair[1].status < 300 && pair[0].code() == d.codes[0]:
			won[1]++
		default:
			t.Errorf("round %d: %d %s and %d %s", i, pair[0].status, pair[0].raw, pair[1].status, pair[1].raw)
		}
	}
	t.Logf("%d to %d", won[0], won[1])
}

// nobodyIsHomeless sees that every user is a member somewhere (U1).
func (w *world) nobodyIsHomeless(t *testing.T) {
	t.Helper()
	for cursor, more := "", true; more; {
		page := w.op.must("GET", "/v1/users?limit=1000&cursor="+cursor, nil)
		for _, id := range page.list("users", "id") {
			if m := w.op.must("GET", "/v1/users/"+id, nil).body["memberships"].([]any); len(m) == 0 {
				t.Errorf("%s is a member of no account", id)
			}
		}
		cursor, more = page.body["next_cursor"].(string)
	}
}
