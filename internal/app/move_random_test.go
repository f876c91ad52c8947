package app_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
)

// moveGrove is a random hierarchy with people who may move some of it.
type moveGrove struct {
	accounts, users []string
}

// moveRoles are what people hold in it; every one is about moving.
var moveRoles = map[account.RoleKey][]account.PermissionKey{
	"mover":   {deleteSubAccount, writeSubAccounts, "fe.account-hierarchy.write.sub-account-management"},
	"viewer":  {readSubAccounts},
	"manager": {readSubAccounts, readUsers, writeSubAccounts},
	"empty":   {},
}

func drawMoveGrove(t *rapid.T, s *service, env account.EnvironmentID) *moveGrove {
	g := &moveGrove{}
	now := time.Now().UTC()
	var changes []account.Change
	add := func(e *account.Entity) { changes = append(changes, changed(nil, e)) }
	for key, permissions := range moveRoles {
		add(account.Of(account.Role{Key: key, Permissions: account.Set(permissions)}))
	}
	for i := range rapid.IntRange(4, 8).Draw(t, "accounts") {
		a := account.Account{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "A", SubAccountManagement: true, CreatedAt: now}
		a.AccessMode = rapid.SampledFrom([]account.AccessMode{account.DefaultOff, account.DefaultOff, account.DefaultOff, account.AlwaysOn}).Draw(t, "mode")
		if i > 0 {
			a.Parent = account.ID(rapid.SampledFrom(g.accounts).Draw(t, "parent"))
		}
		add(account.Of(a))
		g.accounts = append(g.accounts, string(a.ID))
	}
	used := map[account.Assignment]bool{}
	for i := range 3 {
		u := account.UserID(fmt.Sprintf("u%d", i))
		add(account.Of(account.User{ID: u, Email: string(u) + "@example.com", CreatedAt: now}))
		g.users = append(g.users, string(u))
		for _, id := range g.accounts {
			if rapid.Bool().Draw(t, "stranger") {
				continue
			}
			roles := rapid.SliceOfN(rapid.SampledFrom([]account.RoleKey{"mover", "mover", "viewer", "manager", "empty"}), 1, 3).Draw(t, "roles")
			m := account.Membership{Account: account.ID(id), User: u, Roles: account.Set(roles), CreatedAt: now}
			m.BranchAccess = rapid.SampledFrom([]account.BranchAccess{"", account.GrantedAccess, account.GrantedAccess}).Draw(t, "branch access")
			add(account.Of(m))
			for _, role := range m.Roles {
				used[account.Assignment{Account: m.Account, Role: role}] = true
			}
		}
	}
	for a := range used {
		alwaysOn := false
		for _, c := range changes {
			alwaysOn = alwaysOn || c.After.Account != nil && c.After.Account.ID == a.Account && c.After.Account.AccessMode == account.AlwaysOn
		}
		a.AlwaysOn = alwaysOn
		add(account.Of(a))
	}
	if err := plantIn(s, env, changes...); err != nil {
		t.Fatal(err)
	}
	return g
}

// holds is what every user holds at every account: user, permission, account.
func (g *moveGrove) holds(t *rapid.T, c caller) map[[3]string]bool {
	var items []obj
	var keys [][3]string
	for _, u := range g.users {
		for _, p := range []string{"access", readSubAccounts, writeSubAccounts, deleteSubAccount, readUsers} {
			for _, id := range g.accounts {
				items = append(items, obj{"subject": "user:" + u, "permission": p, "resource": "account:" + id})
				keys = append(keys, [3]string{u, p, id})
			}
		}
	}
	a, err := c.try("POST", "/v1/check/bulk", obj{"items": items})
	if err != nil || a.status != 200 {
		t.Fatalf("bulk check: %v %s", err, a.raw)
	}
	out := map[[3]string]bool{}
	for i, item := range a.body["items"].([]any) {
		out[keys[i]] = item.(map[string]any)["allowed"] == true
	}
	return out
}

// TestU4_NoMoveGivesMoreThanTheMoverHas: whatever users move in random trees,
// nobody gains a permission at an account at which the mover did not hold it.
func TestU4_NoMoveGivesMoreThanTheMoverHas(t *testing.T) {
	s := start(t, oneMachine.make(t))
	round, moved, refused, gained := 0, 0, 0, 0
	deadline := time.Now().Add(6 * time.Second)
	rapid.Check(t, func(rt *rapid.T) {
		if round > 2 && time.Now().After(deadline) {
			return // what there is time for on a slow machine
		}
		round++
		env := account.EnvironmentID(fmt.Sprintf("moves%d", round))
		s.environment(env)
		op, delegate := s.client(env, "op", false, account.PortalAdmin), s.client(env, "delegate", true, account.PortalAdmin)
		g := drawMoveGrove(rt, s, env)
		before := g.holds(rt, op)
		for range 8 {
			mover := rapid.SampledFrom(g.users).Draw(rt, "mover")
			id, to := rapid.SampledFrom(g.accounts[1:]).Draw(rt, "account"), rapid.SampledFrom(g.accounts).Draw(rt, "parent")
			a, err := delegate.as(mover).try("POST", "/v1/accounts/"+id+"/move", obj{"parent": to})
			if err != nil || a.status >= 500 || a.status == 202 {
				rt.Fatalf("%v %s", err, a.raw)
			}
			after := g.holds(rt, op)
			if a.status != 200 {
				refused++
			} else if a.body["moved"] == true {
				moved++
			}
			for key := range after {
				if !after[key] || before[key] {
					continue
				}
				gained++
				if a.status != 200 || !before[[3]string{mover, key[1], key[2]}] {
					rt.Fatalf("%s moved %s below %s (%d), and %s gained %s at %s, which the mover did not hold there", mover, id, to, a.status, key[0], key[1], key[2])
				}
			}
			before = after
		}
	})
	t.Logf("%d trees, %d moves, %d refused, %d gains", round, moved, refused, gained)
	if moved == 0 || gained == 0 {
		t.Error("there was nothing to be seen")
	}
}

// TestA2_NoCycleByUsersAtOnce: of two moves by users that would close a cycle
// together one succeeds at most, while an operator deletes and creates below.
func TestA2_NoCycleByUsersAtOnce(t *testing.T) {
	const rounds = 25
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := newWorld(t, shape)
			name := func(side string, round int) string { return fmt.Sprintf("%s-%d", side, round) }
			for i := range rounds {
				w.account(w.op, name("a", i), "globex")
				w.account(w.op, name("b", i), "globex")
			}
			answers := atOnce(t, 4*rounds, func(i int) (answer, error) {
				a, b := name("a", i/4), name("b", i/4)
				switch i % 4 {
				case 0:
					return w.as("owner").try("POST", "/v1/accounts/"+a+"/move", obj{"parent": b})
				case 1:
					return w.as("owner").try("POST", "/v1/accounts/"+b+"/move", obj{"parent": a})
				case 2:
					return w.op.try("DELETE", "/v1/accounts/"+a, nil)
				default:
					return w.as("owner").try("POST", "/v1/accounts", obj{"name": "Below", "parent": b})
				}
			})
			for i := range rounds {
				one, other := answers[4*i], answers[4*i+1]
				if one.status == 200 && other.status == 200 {
					t.Errorf("round %d: both moves succeeded: %s and %s", i, one.raw, other.raw)
				}
				for _, a := range answers[4*i : 4*i+4] {
					switch a.code() {
					case "", "hierarchy_cycle", "account_has_children", "account_not_found", "permission_denied", "too_deep":
					default:
						t.Errorf("round %d: %d %s", i, a.status, a.raw)
					}
				}
			}
			w.isATree(t)
		})
	}
}
