package storetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// place names a user or a role in an account.
type place[T ~string] struct {
	account account.ID
	other   T
}

// model is an environment's state as plain maps: slow, and simple enough to be believed.
type model struct {
	accounts    map[account.ID]account.Account
	users       map[account.UserID]account.User
	roles       map[account.RoleKey]account.Role
	memberships map[place[account.UserID]]account.Membership
	assignments map[place[account.RoleKey]]account.Assignment
}

func newModel() *model {
	return &model{
		accounts: map[account.ID]account.Account{}, users: map[account.UserID]account.User{}, roles: map[account.RoleKey]account.Role{},
		memberships: map[place[account.UserID]]account.Membership{}, assignments: map[place[account.RoleKey]]account.Assignment{},
	}
}

// sorted returns the values in the order of a text made from each.
func sorted[K comparable, V any](m map[K]V, by func(V) string) []V {
	return slices.SortedFunc(maps.Values(m), func(a, b V) int { return strings.Compare(by(a), by(b)) })
}

func accountID(a account.Account) string { return string(a.ID) }
func userID(u account.User) string       { return string(u.ID) }
func roleKey(r account.Role) string      { return string(r.Key) }

// memberID and useID put a space, which sorts before what identifiers are made of, between their parts.
func memberID(m account.Membership) string { return string(m.Account) + " " + string(m.User) }
func useID(a account.Assignment) string    { return string(a.Account) + " " + string(a.Role) }

// pick draws one of the values.
func pick[K comparable, V any](t *rapid.T, what string, m map[K]V, by func(V) string) (V, bool) {
	if len(m) == 0 {
		var none V
		return none, false
	}
	return rapid.SampledFrom(sorted(m, by)).Draw(t, what), true
}

// step draws one change that the present state allows, makes it in the model, and returns it; no change if the draw fits nothing.
func (m *model) step(t *rapid.T) []account.Change {
	id := rapid.StringMatching(`[ABab_-]{1,2}`)
	a, anyAccount := pick(t, "account", m.accounts, accountID)
	u, anyUser := pick(t, "user", m.users, userID)
	r, anyRole := pick(t, "role", m.roles, roleKey)
	switch rapid.IntRange(0, 11).Draw(t, "step") {
	case 0, 1, 2:
		v := tenant(account.ID(id.Draw(t, "id")), "")
		if anyAccount && rapid.IntRange(0, 4).Draw(t, "deep") > 0 {
			v.Parent = a.ID
		}
		if _, taken := m.accounts[v.ID]; taken {
			return nil
		}
		m.accounts[v.ID] = v
		return []account.Change{create(v)}
	case 3:
		v := person(account.UserID(id.Draw(t, "id")))
		if _, taken := m.users[v.ID]; taken {
			return nil
		}
		m.users[v.ID] = v
		return []account.Change{create(v)}
	case 4:
		v := role(account.RoleKey(id.Draw(t, "id")), rapid.SliceOfN(rapid.SampledFrom([]account.PermissionKey{"p", "q", "s"}), 0, 3).Draw(t, "permissions")...)
		if anyAccount && rapid.Bool().Draw(t, "of an account") {
			v.Account = a.ID
		}
		old, taken := m.roles[v.Key]
		m.roles[v.Key] = v
		if taken {
			return []account.Change{update(old, v)}
		}
		return []account.Change{create(v)}
	case 5, 6, 7:
		if !anyAccount || !anyUser || !anyRole {
			return nil
		}
		return m.setMember(t, a.ID, u.ID, r.Key)
	case 8:
		return m.move(t, a, anyAccount)
	case 9:
		if v, ok := pick(t, "membership", m.memberships, memberID); ok {
			delete(m.memberships, place[account.UserID]{v.Account, v.User})
			return []account.Change{remove(v)}
		}
	case 10:
		used := slices.ContainsFunc(slices.Collect(maps.Values(m.memberships)), func(v account.Membership) bool { return v.User == u.ID })
		if anyUser && !used {
			delete(m.users, u.ID)
			return []account.Change{remove(u)}
		}
	case 11:
		if anyAccount && len(m.below(a.ID)) == 0 {
			return m.drop(a)
		}
	}
	return nil
}

// setMember makes or changes a membership, and notes the role's use.
func (m *model) setMember(t *rapid.T, id account.ID, user account.UserID, key account.RoleKey) []account.Change {
	var changes []account.Change
	at := place[account.UserID]{id, user}
	v := member(id, user, key)
	v.BranchAccess = rapid.SampledFrom([]account.BranchAccess{account.NoBranchAccess, account.GrantedAccess, account.KeptFromAlwaysOn}).Draw(t, "branch access")
	if old, ok := m.memberships[at]; ok {
		v.Roles = account.Set(append(v.Roles, old.Roles[rapid.IntRange(0, len(old.Roles)-1).Draw(t, "kept")]))
		changes = append(changes, update(old, v))
	} else {
		changes = append(changes, create(v))
	}
	m.memberships[at] = v
	use := place[account.RoleKey]{id, key}
	if _, ok := m.assignments[use]; !ok {
		m.assignments[use] = assignment(id, key)
		changes = append(changes, create(m.assignments[use]))
	}
	return changes
}

// move gives an account another parent, or none, that is not below it.
func (m *model) move(t *rapid.T, a account.Account, ok bool) []account.Change {
	to, _ := pick(t, "new parent", m.accounts, accountID)
	if !ok || to.ID == a.ID || slices.ContainsFunc(m.below(a.ID), func(b account.Account) bool { return b.ID == to.ID }) {
		return nil
	}
	moved := a
	moved.Parent = to.ID
	if rapid.Bool().Draw(t, "to the top") {
		moved.Parent = ""
	}
	m.accounts[a.ID] = moved
	return []account.Change{update(a, moved)}
}

// drop deletes an account without children, with its memberships and assignments.
func (m *model) drop(a account.Account) []account.Change {
	delete(m.accounts, a.ID)
	changes := []account.Change{remove(a)}
	for _, v := range sorted(m.memberships, memberID) {
		if v.Account == a.ID {
			delete(m.memberships, place[account.UserID]{v.Account, v.User})
			changes = append(changes, remove(v))
		}
	}
	for _, v := range sorted(m.assignments, useID) {
		if v.Account == a.ID {
			delete(m.assignments, place[account.RoleKey]{v.Account, v.Role})
			changes = append(changes, remove(v))
		}
	}
	return changes
}

// above returns the ancestors, the root first.
func (m *model) above(id account.ID) []account.Account {
	out := []account.Account{}
	for p := m.accounts[id].Parent; p != ""; p = m.accounts[p].Parent {
		out = append(out, m.accounts[p])
	}
	slices.Reverse(out)
	return out
}

// below returns the descendants, level by level and by id within a level.
func (m *model) below(id account.ID) []account.Account {
	out := []account.Account{}
	for _, a := range m.accounts {
		if slices.ContainsFunc(m.above(a.ID), func(b account.Account) bool { return b.ID == id }) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b account.Account) int {
		return cmp.Or(len(m.above(a.ID))-len(m.above(b.ID)), strings.Compare(string(a.ID), string(b.ID)))
	})
	return out
}

func (m *model) counts(id account.ID) (c directory.Counts) {
	c.Descendants = len(m.below(id))
	for _, a := range m.accounts {
		if a.Parent == id {
			c.Children++
		}
	}
	for _, v := range m.memberships {
		if v.Account == id {
			c.Members++
		}
	}
	return c
}

// fromOutside returns the roles of accounts outside of a branch that are in use in it.
func (m *model) fromOutside(top account.ID) []directory.RoleUse {
	branch := map[account.ID]bool{top: true}
	for _, a := range m.below(top) {
		branch[a.ID] = true
	}
	var out []directory.RoleUse
	for _, r := range sorted(m.roles, roleKey) {
		if r.Account == "" || branch[r.Account] {
			continue
		}
		for _, use := range sorted(m.assignments, useID) {
			if use.Role == r.Key && branch[use.Account] {
				out = append(out, directory.RoleUse{Role: r.Key, Owner: r.Account, Account: use.Account})
				break
			}
		}
	}
	return out
}

// onlyHere returns the members of an account who are members of no other.
func (m *model) onlyHere(id account.ID) []account.User {
	in := map[account.UserID]int{}
	for _, v := range m.memberships {
		in[v.User]++
	}
	var out []account.User
	for _, u := range sorted(m.users, userID) {
		if _, member := m.memberships[place[account.UserID]{id, u.ID}]; member && in[u.ID] == 1 {
			out = append(out, u)
		}
	}
	return out
}

func (m *model) height(id account.ID) int {
	height := 1
	for _, a := range m.below(id) {
		height = max(height, len(m.above(a.ID))-len(m.above(id))+1)
	}
	return height
}
