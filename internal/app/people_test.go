package app_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
)

// people is a random hierarchy with everything by which somebody comes by access.
type people struct {
	accounts               map[account.ID]account.Account
	holdings               map[string][]account.Membership // by subject; an API token's as if it were a membership
	ids                    []account.ID
	users, tokens, clients []string // subjects
	changes                []account.Change
}

var peopleRoles = map[account.RoleKey][]account.PermissionKey{
	"viewer":  {readSubAccounts},
	"manager": {readSubAccounts, writeUsers, writeSubAccounts},
	"empty":   {},
}

func (p *people) add(e *account.Entity) { p.changes = append(p.changes, changed(nil, e)) }

func drawPeople(t *rapid.T) *people {
	p := &people{accounts: map[account.ID]account.Account{}, holdings: map[string][]account.Membership{}}
	now := time.Now().UTC()
	for key, permissions := range peopleRoles {
		p.add(account.Of(account.Role{Key: key, Permissions: account.Set(permissions)}))
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "accounts") {
		a := account.Account{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "A", SubAccountManagement: rapid.Bool().Draw(t, "management"), CreatedAt: now}
		a.AccessMode = rapid.SampledFrom([]account.AccessMode{account.DefaultOff, account.DefaultOn, account.AlwaysOn}).Draw(t, "mode")
		if i > 0 && rapid.IntRange(0, 5).Draw(t, "root?") > 0 {
			a.Parent = rapid.SampledFrom(p.ids).Draw(t, "parent")
		}
		p.add(account.Of(a))
		p.accounts[a.ID], p.ids = a, append(p.ids, a.ID)
	}
	used := map[account.Assignment]bool{}
	past, future := now.Add(-time.Hour).Truncate(time.Second), now.Add(time.Hour).Truncate(time.Second)
	hold := func(id account.ID) account.Membership {
		m := account.Membership{Account: id, CreatedAt: now}
		m.Roles = account.Set(rapid.SliceOfN(rapid.SampledFrom([]account.RoleKey{"viewer", "manager", "empty"}), 1, 2).Draw(t, "roles"))
		m.BranchAccess = rapid.SampledFrom([]account.BranchAccess{"", account.GrantedAccess, account.KeptFromAlwaysOn}).Draw(t, "branch access")
		m.ExpiresAt = rapid.SampledFrom([]*time.Time{nil, nil, &future, &past}).Draw(t, "expires")
		for _, role := range m.Roles {
			used[account.Assignment{Account: id, Role: role, AlwaysOn: p.accounts[id].AccessMode == account.AlwaysOn}] = true
		}
		return m
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "users") {
		u := account.User{ID: account.UserID(fmt.Sprintf("u%d", i)), Email: fmt.Sprintf("u%d@example.com", i), CreatedAt: now}
		u.Blocked = rapid.IntRange(0, 3).Draw(t, "blocked") == 0
		p.add(account.Of(u))
		subject := "user:" + string(u.ID)
		p.users = append(p.users, subject)
		for _, id := range p.ids {
			if rapid.Bool().Draw(t, "member") {
				m := hold(id)
				m.User = u.ID
				p.add(account.Of(m))
				p.holdings[subject] = append(p.holdings[subject], m)
			}
		}
	}
	for i, id := range p.ids {
		if rapid.Bool().Draw(t, "token") {
			m := hold(id)
			v := account.APIToken{ID: account.APITokenID(fmt.Sprintf("t%d", i)), Account: id, Name: "T", Roles: m.Roles, BranchAccess: m.BranchAccess, ExpiresAt: m.ExpiresAt, CreatedAt: now}
			p.add(account.Of(v))
			subject := "api_token:" + string(v.ID)
			p.tokens, p.holdings[subject] = append(p.tokens, subject), []account.Membership{m}
		}
	}
	for i, roles := range [][]account.PortalRole{{account.BackofficeEditor}, {account.EntitlementsViewer}, {account.Impersonator, account.BackofficeViewer}} {
		c := account.Client{ID: account.ClientID(fmt.Sprintf("c%d", i)), Name: "C", Roles: roles, CreatedAt: now}
		p.add(account.Of(c))
		p.clients = append(p.clients, "operator:"+string(c.ID))
	}
	for a := range used {
		p.add(account.Of(a))
	}
	return p
}

// reaching returns by which memberships a subject holds a permission at an account, "account via", sorted.
func (p *people) reaching(subject string, permission account.PermissionKey, id account.ID, now time.Time) []string {
	var out []string
	for i, at := 0, id; at != ""; i, at = i+1, p.accounts[at].Parent {
		for _, m := range p.holdings[subject] {
			if m.Account != at || m.Expired(now) {
				continue
			}
			via := string(m.BranchAccess)
			switch {
			case i == 0:
				via = "direct"
			case p.accounts[at].AccessMode == account.AlwaysOn:
				via = "always_on"
			}
			holds := slices.ContainsFunc(m.Roles, func(r account.RoleKey) bool {
				return permission == "" || slices.Contains(peopleRoles[r], permission)
			})
			if via != "" && holds {
				out = append(out, string(at)+" "+via)
			}
		}
	}
	return out
}

func told(sources []access.Source) []string {
	var out []string
	for _, s := range sources {
		out = append(out, string(s.At)+" "+string(s.Via))
	}
	return out
}
