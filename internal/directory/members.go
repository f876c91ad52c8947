package directory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// SetMembership makes a user a member of an account, or changes the membership
// there is: its roles, expiry and sub-account access become what the grant says.
//
// A new member needs invite_users at the account, a change manage_users, and a
// choice about sub-account access that differs from what the access mode gives
// needs write_sub_account_access (S2, S3). A user can hand out only permissions
// that they hold there themselves (U4).
//
// Faults: NotFound (account_not_found, user_not_found, role_not_found), Invalid
// (missing_role, role_out_of_branch, expiry_past), Conflict (not_a_parent_account,
// always_on), Denied, Stale.
func (d *Directory) SetMembership(ctx context.Context, req Request, g Grant) (Result[account.Membership], error) {
	if err := checkGrant(g); err != nil {
		return Result[account.Membership]{}, err
	}
	return write(ctx, d, req, "membership.set", g, func(ctx context.Context, r Reader, p *plan) (account.Membership, error) {
		p.kind = account.MembershipSet
		found, err := r.Membership(ctx, g.Account, g.User)
		present := err == nil
		switch {
		case present:
			p.account("manage_users", g.Account, "change members")
		case errors.Is(err, fault.NotFound):
			p.account("invite_users", g.Account, "add members")
		default:
			return account.Membership{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Membership{}, err
		}
		holder, err := r.Account(ctx, g.Account)
		if err != nil {
			return account.Membership{}, err
		}
		if _, err := r.User(ctx, g.User); err != nil {
			return account.Membership{}, err
		}
		var before *account.Membership
		if present {
			before = &found.Value
			p.etag = found.Version
		}
		return setMembership(ctx, r, p, d, holder.Value, before, g)
	})
}

func checkGrant(g Grant) error {
	if err := account.CheckID("account", g.Account); err != nil {
		return err
	}
	if err := account.CheckID("user", g.User); err != nil {
		return err
	}
	if len(g.Roles) == 0 {
		return fault.New(fault.Invalid, "missing_role", "a membership carries at least one role").In("roles")
	}
	for _, key := range g.Roles {
		if err := account.CheckID("roles", key); err != nil {
			return err
		}
	}
	return nil
}

// setMembership plans the change of one membership; before is nil for a new member.
func setMembership(ctx context.Context, r Reader, p *plan, d *Directory, holder account.Account, before *account.Membership, g Grant) (account.Membership, error) {
	after := account.Membership{Account: g.Account, User: g.User, Roles: account.Set(g.Roles), CreatedAt: p.now}
	if before != nil {
		after.CreatedAt, after.BranchAccess = before.CreatedAt, before.BranchAccess
	}
	if g.ExpiresAt != nil {
		at := g.ExpiresAt.UTC().Truncate(time.Second)
		same := before != nil && before.ExpiresAt != nil && before.ExpiresAt.Equal(at)
		if !at.After(p.now) && !same {
			return after, fault.New(fault.Invalid, "expiry_past", "expires_at %s is in the past", at.Format(time.RFC3339)).In("expires_at")
		}
		after.ExpiresAt = &at
	}
	if err := usableRoles(ctx, r, p, d, holder.ID, before, after.Roles); err != nil {
		return after, err
	}
	var err error
	if after.BranchAccess, err = branchAccess(ctx, r, p, holder, before, g); err != nil {
		return after, err
	}
	if before != nil && equalMembership(*before, after) {
		return after, nil
	}
	p.change(entityOf(before), account.Of(after))
	return after, useRoles(ctx, r, p, holder, rolesOf(before), after.Roles)
}

func entityOf(m *account.Membership) *account.Entity {
	if m == nil {
		return nil
	}
	return account.Of(*m)
}

func rolesOf(m *account.Membership) []account.RoleKey {
	if m == nil {
		return nil
	}
	return m.Roles
}

func equalMembership(a, b account.Membership) bool {
	sameExpiry := (a.ExpiresAt == nil) == (b.ExpiresAt == nil) && (a.ExpiresAt == nil || a.ExpiresAt.Equal(*b.ExpiresAt))
	return sameExpiry && slices.Equal(a.Roles, b.Roles) && a.BranchAccess == b.BranchAccess
}

// usableRoles checks that the roles exist and may be used in the account (U2),
// and adds what a user needs to hold to hand out those that are new (U4).
func usableRoles(ctx context.Context, r Reader, p *plan, d *Directory, id account.ID, before *account.Membership, roles []account.RoleKey) error {
	var branch []account.ID // the account and all above it
	for _, key := range roles {
		role, err := r.Role(ctx, key)
		if err != nil {
			return inField(err, "roles")
		}
		if role.Value.Account != "" {
			if branch == nil {
				above, err := r.Ancestors(ctx, id)
				if err != nil {
					return err
				}
				branch = []account.ID{id}
				for _, a := range above {
					branch = append(branch, a.ID)
				}
			}
			if !slices.Contains(branch, role.Value.Account) {
				return fault.New(fault.Invalid, "role_out_of_branch", "role %s belongs to account %s and cannot be used in %s, which is outside its branch", key, role.Value.Account, id).In("roles")
			}
		}
		if p.byUser && !slices.Contains(rolesOf(before), key) {
			p.holds(d, id, role.Value, "hand out role "+string(key))
		}
	}
	return nil
}

// holds adds the need of every permission of a role at an account (U4).
func (p *plan) holds(d *Directory, id account.ID, role account.Role, doing string) {
	for _, key := range role.Permissions {
		relation := string(key) // unknown to the catalogue: nobody holds it
		if permission, ok := d.catalogue.Lookup(relation); ok {
			relation = permission.Relation
		}
		p.account(relation, id, doing)
	}
}

// branchAccess decides the membership's own sub-account access (S2, S3, S4).
func branchAccess(ctx context.Context, r Reader, p *plan, holder account.Account, before *account.Membership, g Grant) (account.BranchAccess, error) {
	present := account.NoBranchAccess
	if before != nil {
		present = before.BranchAccess
	}
	unasked := present
	if before == nil && holder.AccessMode == account.DefaultOn {
		unasked = account.GrantedAccess
	}
	switch {
	case g.SubAccountAccess == nil:
		return unasked, nil
	case holder.AccessMode == account.AlwaysOn && *g.SubAccountAccess:
		return unasked, nil // the account gives it to every member already
	case holder.AccessMode == account.AlwaysOn:
		return unasked, fault.New(fault.Conflict, "always_on", "every member of account %s has sub-account access; it cannot be withheld while the mode is always_on", holder.ID).In("sub_account_access")
	case *g.SubAccountAccess == (unasked != account.NoBranchAccess):
		return unasked, nil
	}
	p.account("write_sub_account_access", holder.ID, "give or take sub-account access")
	if !*g.SubAccountAccess {
		return account.NoBranchAccess, nil
	}
	return account.GrantedAccess, mustBeParent(ctx, r, holder)
}

// mustBeParent refuses sub-account access where there can be no sub-accounts (S2).
func mustBeParent(ctx context.Context, r Reader, a account.Account) error {
	if a.SubAccountManagement {
		return nil
	}
	counts, err := r.Counts(ctx, a.ID)
	if err != nil {
		return err
	}
	if counts.Children == 0 {
		return fault.New(fault.Conflict, "not_a_parent_account", "account %s is no parent account: it has no sub-accounts and may not have any", a.ID).In("sub_account_access")
	}
	return nil
}

// useRoles keeps the account's assignments in step with the roles that its memberships carry.
func useRoles(ctx context.Context, r Reader, p *plan, holder account.Account, before, after []account.RoleKey) error {
	for _, key := range after {
		if slices.Contains(before, key) {
			continue
		}
		n, err := r.RoleHolders(ctx, holder.ID, key)
		if err != nil {
			return err
		}
		if n == 0 {
			p.change(nil, account.Of(account.Assignment{Account: holder.ID, Role: key, AlwaysOn: holder.AccessMode == account.AlwaysOn}))
		}
	}
	for _, key := range before {
		if slices.Contains(after, key) {
			continue
		}
		n, err := r.RoleHolders(ctx, holder.ID, key)
		if err != nil {
			return err
		}
		if n == 1 {
			p.change(account.Of(account.Assignment{Account: holder.ID, Role: key, AlwaysOn: holder.AccessMode == account.AlwaysOn}), nil)
		}
	}
	return nil
}

// RemoveMembership ends a membership; it needs manage_users at the account. A
// user's last one can be ended only by deleting the user, which deleteUser asks for (U1).
//
// Faults: NotFound (membership_not_found), Conflict (users_without_account), Denied, Stale.
func (d *Directory) RemoveMembership(ctx context.Context, req Request, id account.ID, user account.UserID, deleteUser bool) (Result[account.Membership], error) {
	if err := errors.Join(account.CheckID("account", id), account.CheckID("user", user)); err != nil {
		return Result[account.Membership]{}, err
	}
	op := "membership.remove " + string(id) + " " + string(user)
	return write(ctx, d, req, op, deleteUser, func(ctx context.Context, r Reader, p *plan) (account.Membership, error) {
		p.kind = account.MembershipRemoved
		p.account("manage_users", id, "remove members")
		found, err := r.Membership(ctx, id, user)
		if err != nil {
			return account.Membership{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Membership{}, err
		}
		holder, err := r.Account(ctx, id)
		if err != nil {
			return account.Membership{}, err
		}
		if err := removeMembers(ctx, r, p, []account.Membership{found.Value}, deleteUser); err != nil {
			return account.Membership{}, err
		}
		return found.Value, useRoles(ctx, r, p, holder.Value, found.Value.Roles, nil)
	})
}

// removeMembers plans the end of memberships of one account, and of the users
// who would then belong nowhere; without deleteUsers those stand in the way (U1).
func removeMembers(ctx context.Context, r Reader, p *plan, members []account.Membership, deleteUsers bool) error {
	var homeless []string
	for _, m := range members {
		p.change(account.Of(m), nil)
		all, err := r.MembershipsOf(ctx, m.User)
		if err != nil {
			return err
		}
		if len(all) > 1 {
			continue
		}
		user, err := r.User(ctx, m.User)
		if err != nil {
			return err
		}
		homeless = append(homeless, string(m.User))
		p.change(account.Of(user.Value), nil)
	}
	if len(homeless) > 0 && !deleteUsers {
		const shown = 10
		names := strings.Join(homeless[:min(shown, len(homeless))], ", ")
		if len(homeless) > shown {
			names += ", …"
		}
		return fault.New(fault.Conflict, "users_without_account",
			"%d users would be members of no account: %s; add them to another account first, or ask for them to be deleted too", len(homeless), names)
	}
	return nil
}
