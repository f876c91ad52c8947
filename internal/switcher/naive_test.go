package switcher

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// naive is an environment as plain maps, and what the rules say of it: slow, and simple enough to be believed.
type naive struct {
	environment account.Environment
	accounts    map[account.ID]account.Account
	users       map[account.UserID]account.User
	roles       map[account.RoleKey]account.Role
	members     map[memberKey]account.Membership
	tokens      map[account.APITokenID]account.APIToken
	clients     map[account.ClientID]account.Client
}

type memberKey struct {
	at  account.ID
	who account.UserID
}

func newNaive() *naive {
	return &naive{
		environment: account.Environment{ID: "prod"},
		accounts:    map[account.ID]account.Account{}, users: map[account.UserID]account.User{}, roles: map[account.RoleKey]account.Role{},
		members: map[memberKey]account.Membership{}, tokens: map[account.APITokenID]account.APIToken{}, clients: map[account.ClientID]account.Client{},
	}
}

func (n *naive) clone() *naive {
	return &naive{
		n.environment, maps.Clone(n.accounts), maps.Clone(n.users), maps.Clone(n.roles), maps.Clone(n.members), maps.Clone(n.tokens), maps.Clone(n.clients),
	}
}

// entities are all of the environment, as a snapshot has them.
func (n *naive) entities() []account.Entity {
	out := []account.Entity{*account.Of(n.environment)}
	add(&out, n.clients)
	add(&out, n.roles)
	add(&out, n.accounts)
	add(&out, n.users)
	add(&out, n.members)
	add(&out, n.tokens)
	return out
}

// reaching tells what entities has, of memberships the roles apart from what else they hold.
func (n *naive) reaching(fn func(account.Entity) error, more func(account.Membership) error) error {
	var later []account.Membership
	for _, e := range n.entities() {
		if m := e.Membership; m != nil && (m.BranchAccess != account.NoBranchAccess || m.ExpiresAt != nil) {
			later = append(later, account.Membership{Account: m.Account, User: m.User, BranchAccess: m.BranchAccess, ExpiresAt: m.ExpiresAt})
			e = account.Entity{Membership: &account.Membership{Account: m.Account, User: m.User, Roles: m.Roles}}
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	for _, m := range later {
		if err := more(m); err != nil {
			return err
		}
	}
	return nil
}

func add[K comparable, V account.Value](out *[]account.Entity, all map[K]V) {
	for _, v := range all {
		*out = append(*out, *account.Of(v))
	}
}

// above returns an account and those above it, the root last.
func (n *naive) above(id account.ID) []account.Account {
	var out []account.Account
	for a, ok := n.accounts[id]; ok; a, ok = n.accounts[a.Parent] {
		out = append(out, a)
	}
	return out
}

func (n *naive) under(top, id account.ID) bool {
	return slices.ContainsFunc(n.above(id), func(a account.Account) bool { return a.ID == top })
}

// holdings are the memberships of a subject, with an API token as one.
func (n *naive) holdings(who Subject) map[account.ID]account.Membership {
	out := map[account.ID]account.Membership{}
	if who.Kind == User {
		for key, m := range n.members {
			if string(key.who) == who.ID {
				out[key.at] = m
			}
		}
	}
	if t, ok := n.tokens[account.APITokenID(who.ID)]; ok && who.Kind == APIToken {
		out[t.Account] = account.Membership{Account: t.Account, Roles: t.Roles, BranchAccess: t.BranchAccess, ExpiresAt: t.ExpiresAt}
	}
	return out
}

func (n *naive) blocked(who Subject) bool {
	return who.Kind == User && n.users[account.UserID(who.ID)].Blocked
}

// sources are why a subject may open an account, by all memberships that reach it.
func (n *naive) sources(who Subject, id account.ID, now time.Time) []account.Source {
	held := n.holdings(who)
	var out []account.Source
	for i, a := range n.above(id) {
		m, ok := held[a.ID]
		if !ok || m.Expired(now) {
			continue
		}
		s := account.Source{At: a.ID, Roles: m.Roles, ExpiresAt: m.ExpiresAt}
		switch {
		case i == 0:
			s.Via = account.Direct
		case a.AccessMode == account.AlwaysOn:
			s.Via = account.ViaAlwaysOn
		case m.BranchAccess == account.GrantedAccess:
			s.Via = account.ViaGrant
		case m.BranchAccess == account.KeptFromAlwaysOn:
			s.Via = account.ViaKept
		default:
			continue
		}
		out = append(out, s)
	}
	return out
}

// member reports whether a subject holds a permission of the catalogue at an account by membership; "" is opening it.
func (n *naive) member(who Subject, permission account.PermissionKey, id account.ID, now time.Time) bool {
	if n.blocked(who) {
		return false
	}
	return slices.ContainsFunc(n.sources(who, id, now), func(s account.Source) bool {
		return permission == "" || slices.ContainsFunc(s.Roles, func(r account.RoleKey) bool {
			return slices.Contains(n.roles[r].Permissions, permission)
		})
	})
}

func (n *naive) portal(who Subject, roles ...account.PortalRole) bool {
	return who.Kind == Operator && slices.ContainsFunc(n.clients[account.ClientID(who.ID)].Roles, func(r account.PortalRole) bool {
		return slices.Contains(roles, r)
	})
}

const (
	readSubAccounts   account.PermissionKey = "fe.account-hierarchy.read.subAccount"
	writeSubAccounts  account.PermissionKey = "fe.account-hierarchy.write.subAccount"
	deleteSubAccounts account.PermissionKey = "fe.account-hierarchy.delete.subAccount"
	writeManagement   account.PermissionKey = "fe.account-hierarchy.write.sub-account-management"
)

// allowed is what the rules say of a check.
func (n *naive) allowed(who Subject, permission string, id account.ID, now time.Time) bool {
	a, ok := n.accounts[id]
	if !ok {
		return false
	}
	edits := n.portal(who, account.PortalAdmin, account.BackofficeEditor)
	views := n.portal(who, account.PortalAdmin, account.BackofficeEditor, account.BackofficeViewer, account.EntitlementsEditor, account.EntitlementsViewer)
	switch permission {
	case "access":
		return n.member(who, "", id, now) || views
	case "read_sub_accounts":
		return n.member(who, readSubAccounts, id, now) || views
	case "write_sub_accounts":
		return n.member(who, writeSubAccounts, id, now) || edits
	case "create_sub_account": // A4
		return (n.member(who, writeSubAccounts, id, now) || edits) && a.SubAccountManagement && n.environment.SubAccountsEnabled
	case "update_account":
		return n.member(who, writeSubAccounts, a.Parent, now) || edits
	case "delete_account", "move_account": // A5
		return n.member(who, deleteSubAccounts, a.Parent, now) || edits
	case "delegate_sub_account_management":
		return (n.member(who, writeManagement, id, now) || edits) && a.SubAccountManagement
	case "set_sub_account_management": // A3
		return n.member(who, writeManagement, a.Parent, now) && n.accounts[a.Parent].SubAccountManagement || edits
	default:
		panic(permission)
	}
}

var checked = []string{
	"access", "read_sub_accounts", "write_sub_accounts", "create_sub_account", "update_account", "delete_account", "move_account",
	"delegate_sub_account_management", "set_sub_account_management",
}

func (n *naive) reachable(who Subject, a account.Account, now time.Time) account.Reachable {
	out := account.Reachable{
		Place: account.Place{ID: a.ID, Name: a.Name}, Parent: a.Parent, CreatedAt: a.CreatedAt,
		SubAccountManagement: a.SubAccountManagement, Sources: n.sources(who, a.ID, now),
	}
	for _, above := range n.above(a.ID)[1:] {
		out.Path = append(out.Path, account.Place{ID: above.ID, Name: above.Name})
	}
	slices.Reverse(out.Path)
	return out
}

func compareByName(a, b account.Account) int {
	return cmp.Or(strings.Compare(account.Fold(a.Name), account.Fold(b.Name)), strings.Compare(string(a.ID), string(b.ID)))
}

func (n *naive) compare(by Sort) func(a, b account.Account) int {
	switch by {
	case ByName:
		return compareByName
	case ByDate:
		return func(a, b account.Account) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), compareByName(a, b)) }
	default:
		return func(a, b account.Account) int {
			x, y := n.above(a.ID), n.above(b.ID)
			slices.Reverse(x)
			slices.Reverse(y)
			return slices.CompareFunc(x, y, compareByName)
		}
	}
}

// list is the whole answer to a query, without a cursor and a limit.
func (n *naive) list(q Query, now time.Time) []account.Reachable {
	keys := map[string]account.PermissionKey{"": "", "read_sub_accounts": readSubAccounts, "write_sub_accounts": writeSubAccounts}
	var found []account.Account
	for id, a := range n.accounts {
		matches := strings.Contains(account.Fold(a.Name), q.Text) || strings.Contains(account.Fold(string(id)), q.Text)
		if matches && (q.Under == "" || n.under(q.Under, id)) && n.member(q.Who, keys[q.Permission], id, now) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, n.compare(q.Sort))
	out := make([]account.Reachable, len(found))
	for i, a := range found {
		out[i] = n.reachable(q.Who, a, now)
	}
	return out
}
