package generate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// The roles besides AdminRole.
const (
	managerRole account.RoleKey = "manager"
	supportRole account.RoleKey = "support"
	billingRole account.RoleKey = "billing"
	viewerRole  account.RoleKey = "viewer"
	memberRole  account.RoleKey = "member"
)

func (g *generator) roles(catalogue *schema.Catalogue) error {
	every := make([]account.PermissionKey, 0, len(catalogue.Permissions))
	for _, p := range catalogue.Permissions {
		every = append(every, p.Key)
	}
	for _, r := range []account.Role{
		{Key: AdminRole, Name: "Administrator", Permissions: every},
		{Key: managerRole, Name: "Manager", Permissions: []account.PermissionKey{
			"fe.account-hierarchy.read.subAccount", "fe.account-hierarchy.write.subAccount",
			"fe.account-hierarchy.write.subAccountAccess", "fe.account-hierarchy.write.sub-account-management",
			"fe.secure.read.users", "fe.secure.invite.users", "fe.secure.write.users", "fe.secure.read.roles",
		}},
		{Key: supportRole, Name: "Support agent", Permissions: []account.PermissionKey{
			"fe.account-hierarchy.read.subAccount", "fe.secure.read.users", "fe.secure.read.roles", "fe.secure.read.tenantApiTokens",
		}},
		{Key: billingRole, Name: "Billing", Permissions: []account.PermissionKey{
			"fe.account-hierarchy.read.subAccount", "fe.secure.read.users",
		}},
		{Key: viewerRole, Name: "Viewer", Permissions: []account.PermissionKey{
			"fe.account-hierarchy.read.subAccount",
		}},
		{Key: memberRole, Name: "Member", Permissions: []account.PermissionKey{"fe.secure.read.users"}},
	} {
		keys, err := catalogue.Keys("permissions", r.Permissions)
		if err != nil {
			return err
		}
		r.Permissions = keys
		if err := g.out.Write(*account.Of(r)); err != nil {
			return err
		}
		g.sum.Roles++
	}
	return nil
}

func (g *generator) users() error {
	d := roll(g.cfg.Seed, forUsers)
	for i := range g.cfg.Users {
		first, last := pick(d, firstNames()), pick(d, lastNames())
		company := strings.ToLower(pick(d, companies()))
		u := account.User{
			ID:      userID(i),
			Name:    first + " " + last,
			Email:   strings.ToLower(first+"."+last) + "." + strconv.Itoa(i) + "@" + company + ".example",
			Blocked: d.in100(1),
		}
		if i == 0 {
			u = account.User{ID: RootUser, Name: "Root", Email: "root@tenantry.example"}
		}
		if err := g.out.Write(*account.Of(u)); err != nil {
			return err
		}
		g.sum.Users++
		if u.Blocked {
			g.sum.Blocked++
		}
	}
	return nil
}

func (g *generator) memberships() error {
	d := roll(g.cfg.Seed, forMemberships)
	err := g.membership(account.Membership{
		Account: RootAccount, User: RootUser, Roles: []account.RoleKey{AdminRole}, BranchAccess: account.GrantedAccess,
	})
	var in []int
	for i := 1; i < g.cfg.Users && err == nil; i++ {
		in = g.someAccounts(d, in[:0])
		for _, at := range in {
			if err = g.membership(g.member(d, at, userID(i))); err != nil {
				break
			}
		}
	}
	return err
}

func (g *generator) membership(m account.Membership) error {
	g.sum.Memberships++
	if m.BranchAccess != account.NoBranchAccess {
		g.sum.Granted++
	}
	if m.ExpiresAt != nil {
		g.sum.Expiring++
	}
	return g.out.Write(*account.Of(m))
}

// someAccounts adds one to three different accounts to into: most people need one.
func (g *generator) someAccounts(d dice, into []int) []int {
	wanted := 1
	switch roll := d.below(100); {
	case roll < 10:
		wanted = 3
	case roll < 30:
		wanted = 2
	}
	for range min(wanted, len(g.tree)) {
		at := d.below(len(g.tree))
		for slices.Contains(into, at) {
			at = (at + 1) % len(g.tree)
		}
		into = append(into, at)
	}
	return into
}

// member makes a membership; its sub-account access follows the account's mode, more or less (S2, S3).
func (g *generator) member(d dice, at int, user account.UserID) account.Membership {
	m := account.Membership{Account: accountID(at), User: user, Roles: someRoles(d)}
	if n := g.tree[at]; n.manages && n.mode != alwaysOn {
		granted := 15
		if n.mode == defaultOn {
			granted = 85
		}
		switch {
		case d.in100(granted):
			m.BranchAccess = account.GrantedAccess
		case d.in100(5):
			m.BranchAccess = account.KeptFromAlwaysOn
		}
	}
	if d.in100(3) {
		until := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, d.below(3650))
		m.ExpiresAt = &until
	}
	return m
}

func someRoles(d dice) []account.RoleKey {
	main := pick(d, []account.RoleKey{ // members and viewers are the many
		AdminRole, managerRole, supportRole, billingRole,
		viewerRole, viewerRole, viewerRole, memberRole, memberRole, memberRole,
	})
	if d.in100(10) {
		return account.Set([]account.RoleKey{main, pick(d, []account.RoleKey{supportRole, billingRole, viewerRole})})
	}
	return []account.RoleKey{main}
}
