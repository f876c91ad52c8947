package switcher

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
)

// history makes random entries that the directory could have written, and keeps a naive model of what they leave behind.
type history struct {
	t       *rapid.T
	n       *naive
	version account.Version
	changes []account.Change
}

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func (h *history) entry() account.Entry {
	h.changes = nil
	steps := []func(){
		h.createAccount, h.createAccount, h.createAccount, h.changeAccount, h.moveAccount, h.deleteAccount, h.createUser, h.changeUser, h.deleteUser,
		h.setRole, h.deleteRole, h.setMember, h.setMember, h.setMember, h.removeMember, h.setToken, h.removeToken, h.setClient, h.setEnvironment,
	}
	for range rapid.SampledFrom([]int{1, 1, 1, 3, 12}).Draw(h.t, "steps") {
		rapid.SampledFrom(steps).Draw(h.t, "step")()
	}
	h.version++
	e := account.Entry{Environment: "prod", Version: h.version, ID: fmt.Sprintf("ent_%d", h.version), Changes: merged(h.changes)}
	return e
}

// merged makes one change of all to one thing, as entries have it.
func merged(changes []account.Change) []account.Change {
	var out []account.Change
	at := map[string]int{}
	for _, c := range changes {
		key := nameOf(c)
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, c)
			continue
		}
		out[i].After = c.After
	}
	return slices.DeleteFunc(out, func(c account.Change) bool { return c.Before == nil && c.After == nil })
}

func nameOf(c account.Change) string {
	e := c.After
	if e == nil {
		e = c.Before
	}
	switch {
	case e.Account != nil:
		return "account " + string(e.Account.ID)
	case e.User != nil:
		return "user " + string(e.User.ID)
	case e.Role != nil:
		return "role " + string(e.Role.Key)
	case e.Membership != nil:
		return "membership " + string(e.Membership.Account) + " " + string(e.Membership.User)
	case e.APIToken != nil:
		return "token " + string(e.APIToken.ID)
	case e.Client != nil:
		return "client " + string(e.Client.ID)
	default:
		return "environment"
	}
}

func note[K comparable, V account.Value](h *history, all map[K]V, key K, v V) {
	c := account.Change{After: account.Of(v)}
	if before, ok := all[key]; ok {
		c.Before = account.Of(before)
	}
	all[key] = v
	h.changes = append(h.changes, c)
}

func forget[K comparable, V account.Value](h *history, all map[K]V, key K) {
	h.changes = append(h.changes, account.Change{Before: account.Of(all[key])})
	delete(all, key)
}

// some draws one of the values; false if there are none.
func some[K ~string, V any](h *history, all map[K]V) (V, bool) {
	if len(all) == 0 {
		var none V
		return none, false
	}
	keys := slices.Sorted(maps.Keys(all))
	return all[rapid.SampledFrom(keys).Draw(h.t, "key")], true
}

// id draws an identifier: few enough for those of deleted things to come again.
func (h *history) id() string { return rapid.StringMatching(`[ABab_]{1,2}`).Draw(h.t, "id") }

func (h *history) name() string {
	return rapid.SampledFrom([]string{"Globex", "globex East", "GLOBEX", "Acme", "Zeta", "äö", "Ａcme", "Initech " + strings.Repeat("x", 70), "Initech " + strings.Repeat("x", 70) + "y"}).Draw(h.t, "name")
}

func (h *history) created() time.Time {
	return start.Add(time.Duration(rapid.IntRange(0, 5).Draw(h.t, "created")) * time.Minute)
}

func (h *history) createAccount() {
	a := account.Account{
		ID: account.ID(h.id()), Name: h.name(), CreatedAt: h.created(), AccessMode: h.mode(),
		SubAccountManagement: rapid.Bool().Draw(h.t, "managed"),
	}
	if _, taken := h.n.accounts[a.ID]; taken {
		return
	}
	if parent, ok := some(h, h.n.accounts); ok && rapid.IntRange(0, 5).Draw(h.t, "root") > 0 && len(h.n.above(parent.ID)) < 7 {
		a.Parent = parent.ID
	}
	note(h, h.n.accounts, a.ID, a)
}

func (h *history) mode() account.AccessMode {
	return rapid.SampledFrom([]account.AccessMode{account.DefaultOff, account.DefaultOn, account.AlwaysOn}).Draw(h.t, "mode")
}

func (h *history) changeAccount() {
	if a, ok := some(h, h.n.accounts); ok {
		if rapid.Bool().Draw(h.t, "renamed") {
			a.Name = h.name()
		} else {
			a.AccessMode, a.SubAccountManagement = h.mode(), !a.SubAccountManagement
		}
		note(h, h.n.accounts, a.ID, a)
	}
}

func (h *history) moveAccount() {
	a, ok := some(h, h.n.accounts)
	parent, _ := some(h, h.n.accounts)
	if !ok {
		return
	}
	if a.Parent = parent.ID; rapid.IntRange(0, 5).Draw(h.t, "to the top") == 0 {
		a.Parent = ""
	}
	if !h.n.under(a.ID, a.Parent) {
		note(h, h.n.accounts, a.ID, a)
	}
}

func (h *history) deleteAccount() {
	a, ok := some(h, h.n.accounts)
	if !ok || slices.ContainsFunc(slices.Collect(maps.Values(h.n.accounts)), func(o account.Account) bool { return o.Parent == a.ID }) {
		return
	}
	forget(h, h.n.accounts, a.ID) // before its memberships: the order of changes says nothing
	for key := range h.n.members {
		if key.at == a.ID {
			forget(h, h.n.members, key)
		}
	}
	for id, t := range h.n.tokens {
		if t.Account == a.ID {
			forget(h, h.n.tokens, id)
		}
	}
}

func (h *history) createUser() {
	u := account.User{ID: account.UserID(h.id()), CreatedAt: start}
	if _, taken := h.n.users[u.ID]; !taken {
		note(h, h.n.users, u.ID, u)
	}
}

func (h *history) changeUser() {
	if u, ok := some(h, h.n.users); ok {
		u.Blocked = rapid.Bool().Draw(h.t, "blocked")
		note(h, h.n.users, u.ID, u)
	}
}

func (h *history) deleteUser() {
	u, ok := some(h, h.n.users)
	if !ok {
		return
	}
	forget(h, h.n.users, u.ID)
	for key := range h.n.members {
		if key.who == u.ID {
			forget(h, h.n.members, key)
		}
	}
}

func (h *history) setRole() {
	all := []account.PermissionKey{readSubAccounts, writeSubAccounts, deleteSubAccounts, writeManagement}
	r := account.Role{
		Key:         account.RoleKey(h.id()),
		Permissions: account.Set(rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(h.t, "permissions")),
	}
	note(h, h.n.roles, r.Key, r)
}

func (h *history) deleteRole() {
	r, ok := some(h, h.n.roles)
	for _, m := range h.n.members {
		ok = ok && !slices.Contains(m.Roles, r.Key)
	}
	for _, t := range h.n.tokens {
		ok = ok && !slices.Contains(t.Roles, r.Key)
	}
	if ok {
		forget(h, h.n.roles, r.Key)
	}
}

// held draws what a member holds.
func (h *history) held() (roles []account.RoleKey, branch account.BranchAccess, ends *time.Time) {
	keys := slices.Sorted(maps.Keys(h.n.roles))
	roles = account.Set(rapid.SliceOfN(rapid.SampledFrom(keys), 1, 3).Draw(h.t, "roles"))
	branch = rapid.SampledFrom([]account.BranchAccess{account.NoBranchAccess, account.GrantedAccess, account.KeptFromAlwaysOn}).Draw(h.t, "branch")
	if rapid.IntRange(0, 2).Draw(h.t, "ends") == 0 {
		at := start.Add(time.Duration(rapid.IntRange(0, 60).Draw(h.t, "in")) * time.Second)
		ends = &at
	}
	return roles, branch, ends
}

func (h *history) setMember() {
	a, ok := some(h, h.n.accounts)
	u, known := some(h, h.n.users)
	if !ok || !known || len(h.n.roles) == 0 {
		return
	}
	m := account.Membership{Account: a.ID, User: u.ID, CreatedAt: start}
	m.Roles, m.BranchAccess, m.ExpiresAt = h.held()
	note(h, h.n.members, memberKey{a.ID, u.ID}, m)
}

func (h *history) removeMember() {
	for _, key := range slices.SortedFunc(maps.Keys(h.n.members), func(a, b memberKey) int {
		return strings.Compare(string(a.at)+" "+string(a.who), string(b.at)+" "+string(b.who))
	}) {
		if rapid.IntRange(0, 3).Draw(h.t, "this") == 0 {
			forget(h, h.n.members, key)
			return
		}
	}
}

func (h *history) setToken() {
	a, ok := some(h, h.n.accounts)
	if !ok || len(h.n.roles) == 0 {
		return
	}
	t := account.APIToken{ID: account.APITokenID(h.id()), Account: a.ID, CreatedAt: start}
	if _, taken := h.n.tokens[t.ID]; taken {
		return
	}
	t.Roles, t.BranchAccess, t.ExpiresAt = h.held()
	note(h, h.n.tokens, t.ID, t)
}

func (h *history) removeToken() {
	if t, ok := some(h, h.n.tokens); ok {
		forget(h, h.n.tokens, t.ID)
	}
}

func (h *history) setClient() {
	id := account.ClientID(h.id())
	if _, there := h.n.clients[id]; there && rapid.Bool().Draw(h.t, "revoked") {
		forget(h, h.n.clients, id)
		return
	}
	note(h, h.n.clients, id, account.Client{ID: id, Roles: rapid.SliceOfN(rapid.SampledFrom(account.PortalRoles()), 1, 2).Draw(h.t, "portal roles")})
}

func (h *history) setEnvironment() {
	before := h.n.environment
	h.n.environment.SubAccountsEnabled = !before.SubAccountsEnabled
	h.changes = append(h.changes, account.Change{Before: account.Of(before), After: account.Of(h.n.environment)})
}
