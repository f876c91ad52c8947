package storetest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// testModel makes random histories, several changes to an entry, and compares every answer with the model's.
func testModel(w *world) {
	t := w.T
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		env := numbered[account.EnvironmentID]("env", n)
		mine := *w
		mine.env = env
		mine.found(env)
		m := newModel()
		for range rapid.IntRange(1, 6).Draw(rt, "entries") {
			var changes []account.Change
			for range rapid.IntRange(1, 20).Draw(rt, "changes") {
				changes = append(changes, m.step(rt)...)
			}
			if _, err := mine.try(changes...); err != nil {
				rt.Fatalf("append: %v", err)
			}
		}
		err := w.db.Read(w.ctx, env, func(r directory.Reader) error {
			c := compare{rt, &mine, r, m}
			c.entities()
			for id := range m.accounts {
				c.account(id)
			}
			for id := range m.users {
				c.user(id)
			}
			c.ancestry()
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// compare compares a reader with a model.
type compare struct {
	*rapid.T
	w *world
	r directory.Reader
	m *model
}

// same compares one answer.
func same[T any](t *rapid.T, what string, got T, err error, wanted T) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", wanted); g != w {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func (c compare) entities() {
	var accounts []account.Account
	var users []account.User
	var roles []account.Role
	var members []account.Membership
	var uses []account.Assignment
	err := c.r.Entities(c.w.ctx, func(e account.Entity) error {
		switch {
		case e.Account != nil:
			accounts = append(accounts, *e.Account)
		case e.User != nil:
			users = append(users, *e.User)
		case e.Role != nil:
			roles = append(roles, *e.Role)
		case e.Membership != nil:
			members = append(members, *e.Membership)
		case e.Assignment != nil:
			uses = append(uses, *e.Assignment)
		}
		return nil
	})
	slices.SortFunc(accounts, func(a, b account.Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
	same(c.T, "accounts", accounts, err, sorted(c.m.accounts, accountID))
	same(c.T, "users", users, err, sorted(c.m.users, userID))
	same(c.T, "roles", roles, err, sorted(c.m.roles, roleKey))
	same(c.T, "memberships", members, err, sorted(c.m.memberships, memberID))
	same(c.T, "assignments", uses, err, sorted(c.m.assignments, useID))
	listed, err := values(c.r.Roles(c.w.ctx))
	same(c.T, "roles listed", listed, err, roles)
}

func (c compare) account(id account.ID) {
	ctx, m := c.w.ctx, c.m
	above, err := c.r.Ancestors(ctx, id)
	same(c.T, "ancestors", above, err, m.above(id))
	below, err := c.r.Descendants(ctx, id, 0)
	same(c.T, "descendants", below, err, m.below(id))
	some, err := c.r.Descendants(ctx, id, 2)
	same(c.T, "two descendants", some, err, below[:min(2, len(below))])
	height, err := c.r.Height(ctx, id)
	same(c.T, "height", height, err, m.height(id))
	counts, err := c.r.Counts(ctx, id)
	same(c.T, "counts", counts, err, m.counts(id))

	under, total, err := c.r.Accounts(ctx, directory.AccountFilter{Under: id, Limit: 1000})
	branch := append(m.below(id), m.accounts[id])
	slices.SortFunc(branch, func(a, b account.Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
	listed, _ := values(under, nil)
	same(c.T, "accounts under", listed, err, branch)
	same(c.T, "total under", total, nil, len(branch))

	members := slices.DeleteFunc(sorted(m.memberships, memberID), func(v account.Membership) bool { return v.Account != id })
	got, err := c.r.MembershipsIn(ctx, id)
	same(c.T, "memberships in", got, err, members)
	page, total, err := c.r.Members(ctx, directory.MemberFilter{Account: id, Limit: 1000})
	got, _ = values(page, nil)
	same(c.T, "members", got, err, members)
	same(c.T, "total of members", total, nil, len(members))

	uses, err := c.r.Assignments(ctx, id)
	same(c.T, "assignments", uses, err,
		slices.DeleteFunc(sorted(m.assignments, useID), func(v account.Assignment) bool { return v.Account != id }))
	for key := range m.roles {
		holders, err := c.r.RoleHolders(ctx, id, key)
		wanted := 0
		for _, v := range members {
			if slices.Contains(v.Roles, key) {
				wanted++
			}
		}
		same(c.T, "holders of "+string(key), holders, err, wanted)
		n, err := c.r.Uses(ctx, key)
		in := slices.DeleteFunc(sorted(m.assignments, useID), func(v account.Assignment) bool { return v.Role != key })
		same(c.T, "uses of "+string(key), n, err, len(in))
		var ids []account.ID
		for _, v := range in {
			ids = append(ids, v.Account)
		}
		using, err := c.r.AccountsUsing(ctx, key, 1000)
		same(c.T, "accounts using "+string(key), using, err, ids)
		using, err = c.r.AccountsUsing(ctx, key, 2)
		same(c.T, "two accounts using "+string(key), using, err, ids[:min(2, len(ids))])
	}
	outside, err := c.r.RolesFromOutside(ctx, id)
	same(c.T, "roles from outside", outside, err, m.fromOutside(id))
	named := []account.UserID{"nobody"}
	for _, u := range sorted(m.users, userID) {
		named = append(named, u.ID)
	}
	only, err := c.r.MembersOnlyHere(ctx, id, named)
	same(c.T, "members only here", only, err, m.onlyHere(id))
	only, err = c.r.MembersOnlyHere(ctx, id, named[:min(2, len(named))])
	same(c.T, "members only here, of one", only, err,
		slices.DeleteFunc(m.onlyHere(id), func(u account.User) bool { return !slices.Contains(named[:min(2, len(named))], u.ID) }))
}

func (c compare) user(id account.UserID) {
	got, err := c.r.MembershipsOf(c.w.ctx, id)
	same(c.T, "memberships of "+string(id), got, err,
		slices.DeleteFunc(sorted(c.m.memberships, memberID), func(v account.Membership) bool { return v.User != id }))
	users, err := c.r.UsersByID(c.w.ctx, []account.UserID{id, "nobody", id})
	same(c.T, "users by id", users, err, []account.User{c.m.users[id]})
}

// ancestry asks for some accounts, one of them missing, with all that is above them.
func (c compare) ancestry() {
	ids := []account.ID{"missing"}
	wanted := map[account.ID]account.Account{}
	for _, a := range sorted(c.m.accounts, accountID) {
		if rapid.Bool().Draw(c.T, "asked for") {
			ids = append(ids, a.ID)
			wanted[a.ID] = a
			for _, b := range c.m.above(a.ID) {
				wanted[b.ID] = b
			}
		}
	}
	got, err := c.r.WithAncestors(c.w.ctx, ids)
	slices.SortFunc(got, func(a, b account.Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
	same(c.T, "with ancestors", got, err, sorted(wanted, accountID))
}

func values[T any](versioned []account.Versioned[T], err error) ([]T, error) {
	out := make([]T, len(versioned))
	for i, v := range versioned {
		out[i] = v.Value
	}
	return out, err
}

// testCycles reads rows that form a cycle, which no use case writes (A2), and sees every read end.
func testCycles(w *world) {
	t := w.T
	a, b := tenant("a", ""), tenant("b", "a")
	w.write(create(a), create(b), create(tenant("c", "b")))
	looped := a
	looped.Parent = "b"
	w.write(update(a, looped))
	w.read(func(r directory.Reader) {
		all, err := r.WithAncestors(w.ctx, []account.ID{"c"})
		want(t, "with ancestors", len(all), err, 3)
		counts, err := r.Counts(w.ctx, "a")
		want(t, "counts", counts, err, directory.Counts{Children: 1, Descendants: 2})
		_, total, err := r.Accounts(w.ctx, directory.AccountFilter{Under: "b", Limit: 1})
		want(t, "under", total, err, 3)
		if _, err := r.Ancestors(w.ctx, "c"); err != nil {
			t.Error(err)
		}
		if _, err := r.Descendants(w.ctx, "a", 5); err != nil {
			t.Error(err)
		}
		if _, err := r.Height(w.ctx, "a"); err != nil {
			t.Error(err)
		}
	})
}
