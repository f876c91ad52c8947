package relation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

func projector(t testing.TB) *relation.Projector {
	t.Helper()
	c, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	return relation.NewProjector(c)
}

func texts(us []relation.Update) []string {
	var out []string
	for _, u := range us {
		sign := "+ "
		if u.Delete {
			sign = "- "
		}
		out = append(out, sign+u.String())
	}
	return out
}

func updates(t *testing.T, changes ...account.Change) []string {
	t.Helper()
	us, err := projector(t).Updates(account.Entry{Environment: "prod", Version: 1, Changes: changes}, time.Unix(1000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return texts(us)
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("updates (-want +got):\n%s", d)
	}
}

func TestA1_MoveReplacesTheParentOnly(t *testing.T) {
	before := account.Account{ID: "eu", Parent: "globex", SubAccountManagement: true}
	after := before
	after.Parent = "initech"
	check(t, updates(t, account.Change{Before: account.Of(before), After: account.Of(after)}),
		"- account:prod/eu#parent@account:prod/globex",
		"+ account:prod/eu#parent@account:prod/initech")
}

func TestA3_SubAccountManagementIsAFlagForEverySubjectType(t *testing.T) {
	check(t, updates(t, account.Change{After: account.Of(account.Account{ID: "globex", SubAccountManagement: true})}),
		"+ account:prod/globex#environment@environment:prod",
		"+ account:prod/globex#sub_account_management@user:*",
		"+ account:prod/globex#sub_account_management@api_token:*",
		"+ account:prod/globex#sub_account_management@operator:*")
}

func TestS4_LeavingAlwaysOnGivesGrantsBeforeItEnds(t *testing.T) {
	m := account.Membership{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin"}}
	kept := m
	kept.BranchAccess = account.KeptFromAlwaysOn
	check(t, updates(t,
		account.Change{
			Before: account.Of(account.Assignment{Account: "globex", Role: "admin", AlwaysOn: true}),
			After:  account.Of(account.Assignment{Account: "globex", Role: "admin"}),
		},
		account.Change{Before: account.Of(m), After: account.Of(kept)}),
		"+ assignment:prod/globex/admin#branch_member@user:prod/ada",
		"- assignment:prod/globex/admin#branch_member@assignment:prod/globex/admin#member")
}

func TestU5_BlockingIsOneRelationship(t *testing.T) {
	check(t, updates(t, account.Change{
		Before: account.Of(account.User{ID: "ada"}),
		After:  account.Of(account.User{ID: "ada", Blocked: true}),
	}), "+ environment:prod#blocked@user:prod/ada")
}

func TestU6_WhatHasExpiredIsTakenAwayNotTouched(t *testing.T) {
	past, future := time.Unix(999, 0), time.Unix(1001, 0)
	m := func(at *time.Time) *account.Entity {
		return account.Of(account.Membership{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin"}, ExpiresAt: at})
	}
	check(t, updates(t, account.Change{After: m(&past)}),
		"- assignment:prod/globex/admin#member@user:prod/ada[expiration:1970-01-01T00:16:39Z]")
	check(t, updates(t, account.Change{Before: m(nil), After: m(&future)}),
		"+ assignment:prod/globex/admin#member@user:prod/ada[expiration:1970-01-01T00:16:41Z]")
}

func TestU2_RoleGivesTheRelationsOfItsPermissions(t *testing.T) {
	check(t, updates(t, account.Change{
		Before: account.Of(account.Role{Key: "viewer", Permissions: []account.PermissionKey{"fe.secure.read.users"}}),
		After:  account.Of(account.Role{Key: "viewer", Permissions: []account.PermissionKey{"fe.account-hierarchy.write.subAccountManagement"}}),
	}),
		"- role:prod/viewer#read_users@user:*",
		"- role:prod/viewer#read_users@api_token:*",
		"+ role:prod/viewer#write_sub_account_management@user:*",
		"+ role:prod/viewer#write_sub_account_management@api_token:*")
}

func TestRevocationsComeFirst(t *testing.T) {
	ada := account.Membership{Account: "globex", User: "ada", Roles: []account.RoleKey{"admin"}}
	bob := account.Membership{Account: "globex", User: "bob", Roles: []account.RoleKey{"admin"}}
	check(t, updates(t, account.Change{After: account.Of(bob)}, account.Change{Before: account.Of(ada)}),
		"- assignment:prod/globex/admin#member@user:prod/ada",
		"+ assignment:prod/globex/admin#member@user:prod/bob")
}

// Applying each entry's updates to a set gives what the state implies; applying one again changes nothing.
func TestUpdatesFollowTheState(t *testing.T) {
	p := projector(t)
	now := time.Unix(1000, 0)
	rapid.Check(t, func(t *rapid.T) {
		state := map[account.UserID]account.Membership{}
		held := relation.Set{}
		for range rapid.IntRange(1, 20).Draw(t, "entries") {
			var changes []account.Change
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				user := account.UserID(rapid.SampledFrom([]string{"ada", "bob", "cy"}).Draw(t, "user"))
				c := account.Change{}
				if m, ok := state[user]; ok {
					c.Before = account.Of(m)
				}
				delete(state, user)
				if rapid.Bool().Draw(t, "stays") {
					m := account.Membership{
						Account: "globex", User: user,
						Roles:        account.Set(rapid.SliceOfN(rapid.SampledFrom([]account.RoleKey{"admin", "viewer"}), 1, 2).Draw(t, "roles")),
						BranchAccess: rapid.SampledFrom([]account.BranchAccess{account.NoBranchAccess, account.GrantedAccess}).Draw(t, "branch"),
					}
					if rapid.Bool().Draw(t, "expires") {
						at := time.Unix(rapid.Int64Range(1001, 1009).Draw(t, "at"), 0)
						m.ExpiresAt = &at
					}
					state[user] = m
					c.After = account.Of(m)
				}
				changes = append(changes, c)
			}
			us, err := p.Updates(account.Entry{Environment: "prod", Changes: changes}, now)
			if err != nil {
				t.Fatal(err)
			}
			held.Apply(us)
			held.Apply(us)
			implied := relation.Set{}
			for _, m := range state {
				rels, err := p.Implied("prod", *account.Of(m))
				if err != nil {
					t.Fatal(err)
				}
				implied.Add(rels...)
			}
			if drift := relation.Compare(implied, held, now); !drift.Empty() {
				t.Fatalf("drift: %+v", drift)
			}
		}
	})
}

func TestCompareNamesEachKindOfDrift(t *testing.T) {
	p := projector(t)
	member := func(user account.UserID, expires int64) []relation.Relationship {
		m := account.Membership{Account: "globex", User: user, Roles: []account.RoleKey{"admin"}}
		if expires != 0 {
			at := time.Unix(expires, 0)
			m.ExpiresAt = &at
		}
		rels, err := p.Implied("prod", *account.Of(m))
		if err != nil {
			t.Fatal(err)
		}
		return rels
	}
	implied, held := relation.Set{}, relation.Set{}
	implied.Add(member("missing", 0)...)
	implied.Add(member("gone", 900)...)
	implied.Add(member("wrong", 2000)...)
	held.Add(member("wrong", 0)...)
	held.Add(member("extra", 0)...)
	d := relation.Compare(implied, held, time.Unix(1000, 0))
	want := relation.Drift{Missing: member("missing", 0), Extra: member("extra", 0), Wrong: member("wrong", 2000)}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	held.Apply(d.Repairs())
	if d := relation.Compare(implied, held, time.Unix(1000, 0)); !d.Empty() {
		t.Errorf("after the repairs: %+v", d)
	}
}

// TestS4_RepairsEndAlwaysOnLast, as an entry does: what is repaired may be an end of always_on that was left half done.
func TestS4_RepairsEndAlwaysOnLast(t *testing.T) {
	p := projector(t)
	set := func(always bool, own account.BranchAccess, users ...account.UserID) relation.Set {
		entities := []*account.Entity{account.Of(account.Assignment{Account: "globex", Role: "admin", AlwaysOn: always})}
		for _, user := range users {
			entities = append(entities, account.Of(account.Membership{Account: "globex", User: user, Roles: []account.RoleKey{"admin"}, BranchAccess: own}))
		}
		out := relation.Set{}
		for _, e := range entities {
			rels, err := p.Implied("prod", *e)
			if err != nil {
				t.Fatal(err)
			}
			out.Add(rels...)
		}
		return out
	}
	held := set(true, account.NoBranchAccess, "ada", "gone")
	implied := set(false, account.KeptFromAlwaysOn, "ada")
	var got []string
	for _, u := range relation.Compare(implied, held, time.Unix(1000, 0)).Repairs() {
		got = append(got, map[bool]string{true: "- ", false: "+ "}[u.Delete]+u.String())
	}
	want := []string{
		"- assignment:prod/globex/admin#member@user:prod/gone",
		"+ assignment:prod/globex/admin#branch_member@user:prod/ada",
		"- assignment:prod/globex/admin#branch_member@assignment:prod/globex/admin#member",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
