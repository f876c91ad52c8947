package directory

import (
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// check goes through the records three times: the environment; what others refer to; the references.
func (l *load) check(records []Record) error {
	for _, rec := range records {
		if rec.NewEnvironment != nil {
			if err := l.checkEnvironment(rec); err != nil {
				return atLine(err, rec.Line)
			}
		}
	}
	if l.settings == nil {
		return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s; make it with tenantry environment create, or an environment line", l.env).AtLine(records[0].Line)
	}
	for _, rec := range records {
		var err error
		switch {
		case rec.Role != nil:
			err = l.addRole(rec.Line, *rec.Role)
		case rec.Account != nil:
			err = l.addAccount(rec.Line, *rec.Account)
		case rec.User != nil:
			err = l.addUser(rec.Line, *rec.User)
		case rec.Feature != nil:
			err = l.addFeature(rec.Line, *rec.Feature)
		case rec.Plan != nil:
			err = l.addPlan(rec.Line, *rec.Plan)
		}
		if err != nil {
			return atLine(err, rec.Line)
		}
	}
	for _, rec := range records {
		var err error
		switch {
		case rec.Role != nil:
			err = l.checkRole(*rec.Role)
		case rec.Account != nil:
			if err = l.checkParent(rec.Account.ID); err == nil {
				err = l.checkPlanOf(*rec.Account)
			}
		case rec.Membership != nil:
			err = l.addMembership(rec.Line, *rec.Membership)
		case rec.Plan != nil:
			err = l.checkPlan(*rec.Plan)
		case rec.FeatureSwitch != nil:
			err = l.addSwitch(rec.Line, *rec.FeatureSwitch)
		}
		if err != nil {
			return atLine(err, rec.Line)
		}
	}
	for _, id := range l.newUsers {
		if len(l.newMembers[id]) == 0 {
			return fault.New(fault.Invalid, "user_without_membership", "user %s is a member of no account", id).AtLine(l.lines["user "+string(id)])
		}
	}
	l.sortedAccounts()
	return nil
}

func (l *load) checkEnvironment(rec Record) error {
	if err := l.once(rec.Line, "environment "+string(l.env)); err != nil {
		return err
	}
	env := rec.NewEnvironment.WithDefaults()
	if l.settings != nil {
		env.CreatedAt, env.KeysRotatedAt, env.KeysRevokedAt = l.settings.CreatedAt, l.settings.KeysRotatedAt, l.settings.KeysRevokedAt
		if env != *l.settings {
			return differs(rec.Line, "environment "+string(env.ID))
		}
		l.unchanged++
		return nil
	}
	if !l.req.Actor.System {
		return fault.New(fault.Denied, "permission_denied", "environments are made on the command line")
	}
	if err := cleanEnvironment(&env); err != nil {
		return err
	}
	l.settings, l.create = &env, &Record{Line: rec.Line, NewEnvironment: &env}
	return nil
}

func (l *load) addRole(line int, role account.Role) error {
	what := "role " + string(role.Key)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := account.CheckID("key", role.Key); err != nil {
		return err
	}
	var err error
	if role.Permissions, err = l.d.catalogue.Keys("permissions", role.Permissions); err != nil {
		return err
	}
	if present, ok := l.roles[role.Key]; ok {
		if present.Name != role.Name || present.Account != role.Account || !slices.Equal(present.Permissions, role.Permissions) {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.roles[role.Key] = role
	l.newRoles = append(l.newRoles, role)
	return nil
}

func (l *load) checkRole(role account.Role) error {
	if _, ok := l.accounts[role.Account]; role.Account != "" && !ok {
		return fault.New(fault.Invalid, "unknown_account", "role %s belongs to account %s, which is neither in the directory nor here", role.Key, account.Quote(string(role.Account))).In("account")
	}
	return nil
}

func (l *load) addAccount(line int, a account.Account) error {
	what := "account " + string(a.ID)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := account.CheckID("id", a.ID); err != nil {
		return err
	}
	var err error
	if a.Name, err = account.CleanName("name", a.Name); err != nil {
		return err
	}
	present, exists := l.accounts[a.ID]
	if a.AccessMode == "" {
		a.AccessMode = l.settings.DefaultAccessMode
		if exists {
			a.AccessMode = present.AccessMode
		}
	}
	if err := account.CheckAccessMode("sub_account_access", a.AccessMode); err != nil {
		return err
	}
	if exists {
		a.CreatedAt = present.CreatedAt
		if a != present {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.accounts[a.ID] = a
	l.newAccounts = append(l.newAccounts, a)
	return nil
}

// checkParent checks an account's place in the tree: A2, A3, E2.
func (l *load) checkParent(id account.ID) error {
	parent := l.accounts[id].Parent
	if parent == "" {
		return nil
	}
	holder, ok := l.accounts[parent]
	if !ok {
		return fault.New(fault.Invalid, "unknown_parent", "account %s has the parent %s, which is neither in the directory nor here", id, account.Quote(string(parent))).In("parent")
	}
	path := l.pathOf(id)
	if slices.Contains(path[1:], id) {
		return fault.New(fault.Conflict, "hierarchy_cycle", "account %s is among its own ancestors", id).In("parent")
	}
	if len(path) > l.settings.MaxDepth {
		return fault.New(fault.Conflict, "too_deep", "account %s is at least on level %d; environment %s allows %d levels", id, len(path), l.env, l.settings.MaxDepth).In("parent")
	}
	if l.opts.AsIs {
		return nil
	}
	if !l.settings.SubAccountsEnabled {
		return fault.New(fault.Conflict, "sub_accounts_disabled", "sub-accounts are not enabled in environment %s", l.env)
	}
	if !holder.SubAccountManagement {
		return fault.New(fault.Conflict, "sub_account_management_off", "account %s may not have sub-accounts: its sub-account management is off", parent).In("parent")
	}
	return nil
}

func (l *load) addUser(line int, u account.User) error {
	what := "user " + string(u.ID)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := account.CheckID("id", u.ID); err != nil {
		return err
	}
	var err error
	if u.Email, u.Name, err = cleanUser(u.Email, u.Name); err != nil {
		return err
	}
	if present, ok := l.users[u.ID]; ok {
		u.CreatedAt = present.CreatedAt
		if u != present {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	if other, taken := l.emails[u.Email]; taken {
		return fault.New(fault.Exists, "email_taken", "user %s has the address %s already", other, u.Email).In("email")
	}
	l.users[u.ID], l.emails[u.Email] = u, u.ID
	l.newUsers = append(l.newUsers, u.ID)
	return nil
}

func (l *load) addMembership(line int, g Grant) error {
	what := "membership of " + string(g.User) + " in " + string(g.Account)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := checkGrant(g); err != nil {
		return err
	}
	holder, ok := l.accounts[g.Account]
	if !ok {
		return fault.New(fault.Invalid, "unknown_account", "account %s is neither in the directory nor here", g.Account).In("account")
	}
	if _, ok := l.users[g.User]; !ok {
		return fault.New(fault.Invalid, "unknown_user", "user %s is neither in the directory nor here", g.User).In("user")
	}
	m := account.Membership{Account: g.Account, User: g.User, Roles: account.Set(g.Roles)}
	for _, key := range m.Roles {
		role, ok := l.roles[key]
		if !ok {
			return fault.New(fault.Invalid, "unknown_role", "role %s is neither in the directory nor here", key).In("roles")
		}
		if role.Account != "" && !slices.Contains(l.pathOf(g.Account), role.Account) {
			return fault.New(fault.Invalid, "role_out_of_branch", "role %s belongs to account %s and cannot be used in %s, which is outside its branch", key, role.Account, g.Account).In("roles")
		}
	}
	if g.ExpiresAt != nil {
		at := g.ExpiresAt.UTC().Truncate(time.Second)
		m.ExpiresAt = &at
	}
	present, exists := l.memberships[memberKey{g.Account, g.User}]
	switch {
	case g.KeptFromAlwaysOn:
		m.BranchAccess = account.KeptFromAlwaysOn
	case g.SubAccountAccess == nil && exists:
		m.BranchAccess = present.BranchAccess
	case g.SubAccountAccess != nil && *g.SubAccountAccess, g.SubAccountAccess == nil && holder.AccessMode == account.DefaultOn:
		m.BranchAccess = account.GrantedAccess
	}
	if exists {
		if !equalMembership(m, present) {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.memberships[memberKey{g.Account, g.User}] = m
	l.newMembers[g.User] = append(l.newMembers[g.User], m)
	return nil
}
