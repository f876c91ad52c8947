package directory_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// grove is a random hierarchy, in the plainest terms.
type grove struct {
	accounts []account.Account
	users    []account.User
	members  []account.Membership
}

func drawGrove(t *rapid.T, now time.Time) *grove {
	g := &grove{}
	for i := range rapid.IntRange(2, 12).Draw(t, "accounts") {
		a := account.Account{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "A", SubAccountManagement: true, CreatedAt: now}
		a.AccessMode = rapid.SampledFrom([]account.AccessMode{account.DefaultOff, account.DefaultOff, account.DefaultOn, account.AlwaysOn}).Draw(t, "mode")
		if i > 0 && rapid.IntRange(0, 5).Draw(t, "root?") > 0 {
			a.Parent = g.accounts[rapid.IntRange(0, i-1).Draw(t, "parent")].ID
		}
		g.accounts = append(g.accounts, a)
	}
	past, future := now.Add(-time.Hour).Truncate(time.Second), now.Add(time.Hour).Truncate(time.Second)
	for i := range rapid.IntRange(0, 5).Draw(t, "users") {
		u := account.User{ID: account.UserID(fmt.Sprintf("u%d", i)), Email: fmt.Sprintf("u%d@example.com", i), CreatedAt: now}
		u.Blocked = rapid.IntRange(0, 5).Draw(t, "blocked") == 0
		g.users = append(g.users, u)
		for _, a := range g.accounts {
			if rapid.IntRange(0, 3).Draw(t, "member") > 0 {
				continue
			}
			g.members = append(g.members, account.Membership{
				Account: a.ID, User: u.ID, Roles: []account.RoleKey{"r"}, CreatedAt: now,
				BranchAccess: rapid.SampledFrom([]account.BranchAccess{"", account.GrantedAccess, account.KeptFromAlwaysOn}).Draw(t, "branch access"),
				ExpiresAt:    rapid.SampledFrom([]*time.Time{nil, nil, &future, &past}).Draw(t, "expires"),
			})
		}
	}
	return g
}

func (g *grove) changes() []account.Change {
	changes := []account.Change{{After: account.Of(account.Role{Key: "r", Permissions: []account.PermissionKey{}})}}
	used := map[account.ID]bool{}
	for _, a := range g.accounts {
		changes = append(changes, account.Change{After: account.Of(a)})
	}
	for _, u := range g.users {
		changes = append(changes, account.Change{After: account.Of(u)})
	}
	for _, m := range g.members {
		changes = append(changes, account.Change{After: account.Of(m)})
		if !used[m.Account] {
			used[m.Account] = true
			changes = append(changes, account.Change{After: account.Of(account.Assignment{Account: m.Account, Role: "r"})})
		}
	}
	return changes
}

func (g *grove) find(id account.ID) account.Account {
	return g.accounts[slices.IndexFunc(g.accounts, func(a account.Account) bool { return a.ID == id })]
}

// path is an account and those above it.
func (g *grove) path(id account.ID) []account.ID {
	var path []account.ID
	for id != "" {
		path = append(path, id)
		id = g.find(id).Parent
	}
	return path
}

// opens is who can open which account.
func (g *grove) opens(now time.Time) map[[2]string]bool {
	open := map[[2]string]bool{}
	for _, u := range g.users {
		for _, a := range g.accounts {
			for i, at := range g.path(a.ID) {
				for _, m := range g.members {
					reaches := i == 0 || m.BranchAccess != "" || g.find(at).AccessMode == account.AlwaysOn
					if m.Account == at && m.User == u.ID && !m.Expired(now) && !u.Blocked && reaches {
						open[[2]string{string(u.ID), string(a.ID)}] = true
					}
				}
			}
		}
	}
	return open
}

// more counts what is in one set and not in the other.
func more(in, notIn map[[2]string]bool) directory.Shift {
	users, accounts, pairs := map[string]bool{}, map[string]bool{}, 0
	for pair := range in {
		if !notIn[pair] {
			users[pair[0]], accounts[pair[1]] = true, true
			pairs++
		}
	}
	return directory.Shift{Users: len(users), Accounts: len(accounts), Pairs: pairs}
}

// TestA2_TheImpactOfAMoveIsExact on random trees: a dry run says it, and the move does it.
func TestA2_TheImpactOfAMoveIsExact(t *testing.T) {
	h := newHouse(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		env := account.EnvironmentID(fmt.Sprintf("grove%d", n))
		if _, err := h.CreateEnvironment(h.ctx, h.system, account.Environment{ID: env, SubAccountsEnabled: true, MaxDepth: 40}); err != nil {
			t.Fatal(err)
		}
		now := time.Now().UTC()
		g := drawGrove(t, now)
		err := h.store.Write(h.ctx, env, func(tx directory.Tx) error {
			_, err := tx.Append(h.ctx, account.Entry{At: now, Kind: account.Imported, Actor: account.Actor{System: true}, Changes: g.changes()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(g.accounts)-1).Draw(t, "moved")
		id, to := g.accounts[i].ID, account.ID("")
		if rapid.IntRange(0, 5).Draw(t, "to the top") > 0 {
			to = rapid.SampledFrom(g.accounts).Draw(t, "to").ID
		}
		if to != "" && slices.Contains(g.path(to), id) {
			return
		}
		before := g.opens(now)
		stays := g.accounts[i].Parent == to
		g.accounts[i].Parent = to
		after := g.opens(now)
		want := directory.Impact{Gains: more(after, before), Loses: more(before, after)}

		req := directory.Request{Actor: account.Actor{Environment: env, System: true}, DryRun: true}
		for _, dry := range []bool{true, false} {
			req.DryRun = dry
			got, err := h.MoveAccount(h.ctx, req, id, to)
			if err != nil {
				t.Fatal(err)
			}
			if got.Value.Impact != want || got.Value.Moved == (dry || stays) || got.Value.Parent != to {
				t.Fatalf("%s below %q, dry run %t: got %+v, want %+v in %+v", id, to, dry, got.Value, want, g)
			}
			if head, err := h.store.Head(h.ctx, env); err != nil || (head == 2) != (dry || stays) {
				t.Fatalf("dry run %t: the journal is at %d, %v", dry, head, err)
			}
		}
	})
}

// TestA2_AMoveOfThousands counts the impact of a large move with few queries.
func TestA2_AMoveOfThousands(t *testing.T) {
	const accounts, members = 2_000, 2_000
	h := newHouse(t)
	records := []directory.Record{role("r", ""), tenant("old", ""), tenant("new", ""), tenant("branch", "old")}
	records[1].Account.AccessMode = account.AlwaysOn
	for i := range accounts - 1 {
		parent := account.ID("branch")
		if i >= 10 {
			parent = account.ID(fmt.Sprintf("a%d", i/10-1))
		}
		records = append(records, tenant(account.ID(fmt.Sprintf("a%d", i)), parent))
	}
	for i := range members {
		id := account.UserID(fmt.Sprintf("u%d", i))
		records = append(records, person(id), member("old", id, "r"))
	}
	records = append(records, person("kept"), member("old", "kept", "r"), member("a0", "kept", "r"))
	_, err := h.load(directory.LoadOptions{}, records...)
	h.must(err)
	start := time.Now()
	got, err := h.MoveAccount(h.ctx, h.system, "branch", "new")
	h.must(err)
	t.Logf("moved in %s", time.Since(start))
	want := directory.Impact{Loses: directory.Shift{Users: members + 1, Accounts: accounts, Pairs: (members+1)*accounts - 1}}
	if got.Value.Impact != want {
		t.Errorf("got %+v, want %+v", got.Value.Impact, want)
	}
}
