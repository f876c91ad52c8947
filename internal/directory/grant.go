package directory

import (
	"context"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// setMembership plans the change of one membership; before is nil for a new member.
func setMembership(ctx context.Context, r Reader, p *plan, d *Directory, holder account.Account, before *account.Membership, g Grant) (account.Membership, error) {
	after := account.Membership{Account: g.Account, User: g.User, Roles: account.Set(g.Roles), CreatedAt: p.now}
	if before != nil {
		after.CreatedAt, after.BranchAccess = before.CreatedAt, before.BranchAccess
	}
	var present *time.Time
	if before != nil {
		present = before.ExpiresAt
	}
	var err error
	if after.ExpiresAt, err = expiry(p, g.ExpiresAt, present); err != nil {
		return after, err
	}
	if after.BranchAccess, err = branchAccess(ctx, r, p, holder, before, g); err != nil {
		return after, err
	}
	carried, prolonged := rolesOf(before), before != nil && endsLater(*before, after)
	if prolonged || before != nil && before.BranchAccess == account.NoBranchAccess && after.BranchAccess != account.NoBranchAccess {
		carried = nil // the roles are handed out anew, for the time added or in the branch (U4)
	}
	if err := usableRoles(ctx, r, p, d, holder.ID, carried, after.Roles); err != nil {
		return after, err
	}
	if prolonged && after.BranchAccess != account.NoBranchAccess && holder.AccessMode == account.DefaultOff {
		p.account("write_sub_account_access", holder.ID, "prolong sub-account access") // S2
	}
	if before != nil && equalMembership(*before, after) {
		return after, nil
	}
	p.change(entityOf(before), account.Of(after))
	return after, useRoles(ctx, r, p, holder, rolesOf(before), after.Roles)
}

// expiry is when what is asked for ends, nil for never: in the future, unless it is as at present (U6).
func expiry(p *plan, asked, present *time.Time) (*time.Time, error) {
	if asked == nil {
		return nil, nil
	}
	at := asked.UTC().Truncate(time.Second)
	same := present != nil && present.Equal(at)
	if !at.After(p.now) && !same {
		return nil, expiryPast("expires_at", at)
	}
	return &at, nil
}

func expiryPast(field string, at time.Time) *fault.Error {
	return fault.New(fault.Invalid, "expiry_past", "%s %s is in the past", field, at.Format(time.RFC3339)).In(field)
}

// endsLater reports whether b holds at a time when a has expired (U6).
func endsLater(a, b account.Membership) bool {
	return a.ExpiresAt != nil && (b.ExpiresAt == nil || b.ExpiresAt.After(*a.ExpiresAt))
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
// and adds what a user needs to hold to hand out those that are not present yet (U4).
func usableRoles(ctx context.Context, r Reader, p *plan, d *Directory, id account.ID, present, roles []account.RoleKey) error {
	var line []account.ID
	for _, key := range roles {
		role, err := r.Role(ctx, key)
		if err != nil {
			return inField(err, "roles")
		}
		if owner := role.Value.Account; owner != "" {
			if line == nil {
				if line, err = lineTo(ctx, r, id); err != nil {
					return err
				}
			}
			if !slices.Contains(line, owner) {
				return outOfBranch(p, key, owner, id)
			}
		}
		if p.byUser && !slices.Contains(present, key) {
			p.holds(d, id, role.Value.Permissions, "hand out role "+string(key)+" at account "+string(id)+": it has permissions that they do not hold there")
		}
	}
	return nil
}

// outOfBranch refuses a role of another branch; whose it is, a user is not told.
func outOfBranch(p *plan, key account.RoleKey, owner, id account.ID) error {
	whose := "another account"
	if !p.byUser {
		whose = "account " + string(owner)
	}
	return fault.New(fault.Invalid, "role_out_of_branch", "role %s belongs to %s and cannot be used in %s, which is outside its branch", key, whose, id).In("roles")
}

// holds adds the need of permissions at an account, which a role has that is
// handed out or edited there (U4). Which one is missing, a user is not told.
func (p *plan) holds(d *Directory, id account.ID, permissions []account.PermissionKey, doing string) {
	for _, key := range permissions {
		relation := string(key) // unknown to the catalogue: nobody holds it
		if permission, ok := d.catalogue.Lookup(relation); ok {
			relation = permission.Relation
		}
		p.vaguely(relation, id, doing)
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
