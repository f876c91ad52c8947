package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// CreateRole creates a role of the environment, or of one account (U2). A role
// of the environment needs edit_entitlements there, one of an account
// manage_roles at it; a user can put only permissions into a role that they hold there (U4).
//
// Faults: Exists (role_exists), Invalid (unknown_permission, …), NotFound (account_not_found), Denied.
func (d *Directory) CreateRole(ctx context.Context, req Request, role account.Role) (Result[account.Role], error) {
	if err := account.CheckID("key", role.Key); err != nil {
		return Result[account.Role]{}, err
	}
	return write(ctx, d, req, "role.create", role, func(ctx context.Context, r Reader, p *plan) (account.Role, error) {
		p.kind = account.RoleCreated
		if role.Account == "" {
			p.environment("edit_entitlements", "make roles of the environment")
		} else {
			p.account("manage_roles", role.Account, "make roles of the account")
		}
		if err := d.cleanRole(ctx, r, &role); err != nil {
			return role, err
		}
		if p.byUser {
			p.holds(d, role.Account, role.Permissions, "make a role with permissions that they do not hold")
		}
		_, err := r.Role(ctx, role.Key)
		if err == nil {
			return role, fault.New(fault.Exists, "role_exists", "there is a role %s already", role.Key).In("key")
		}
		if !errors.Is(err, fault.NotFound) {
			return role, err
		}
		p.change(nil, account.Of(role))
		return role, nil
	})
}

// editRole adds the need of changing a role of an account, or of the environment
// if owner is "". Whose the role is, or whether there is one, a user is not told.
func (p *plan) editRole(key account.RoleKey, owner account.ID) {
	doing := "change role " + string(key)
	switch {
	case owner != "":
		p.vaguely("manage_roles", owner, doing)
	default:
		p.need(need{anyOf: []Question{{"edit_entitlements", relation.EnvironmentObject(p.env)}}, doing: doing, vague: true})
	}
}

// findRole is begin for a role that is to be changed.
func findRole(ctx context.Context, r Reader, p *plan, key account.RoleKey) (account.Role, error) {
	found, err := r.Role(ctx, key)
	p.editRole(key, found.Value.Account)
	return begin(ctx, p, func(context.Context, account.RoleKey) (account.Versioned[account.Role], error) { return found, err }, key)
}

func (d *Directory) cleanRole(ctx context.Context, r Reader, role *account.Role) error {
	var err error
	if role.Name != "" {
		if role.Name, err = account.CleanName("name", role.Name); err != nil {
			return err
		}
	}
	if role.Permissions, err = d.catalogue.Keys("permissions", role.Permissions); err != nil {
		return err
	}
	if role.Account != "" {
		if err := account.CheckID("account", role.Account); err != nil {
			return err
		}
		if _, err := r.Account(ctx, role.Account); err != nil {
			return inField(err, "account")
		}
	}
	return nil
}

// RolePatch changes what is not nil.
type RolePatch struct {
	Name        *string                  `json:"name,omitempty"`
	Permissions *[]account.PermissionKey `json:"permissions,omitempty"`
}

// MaxRoleReach is the most accounts that a role may be in use in when a user
// adds permissions to it: they have to hold them in each.
const MaxRoleReach = 200

// UpdateRole changes a role's name or permissions, for all who hold it. A user
// can add only permissions that they hold at the role's account and wherever the
// role is in use (U4).
//
// Faults: NotFound (role_not_found), Invalid (unknown_permission, …), Denied, Stale.
func (d *Directory) UpdateRole(ctx context.Context, req Request, key account.RoleKey, patch RolePatch) (Result[account.Role], error) {
	if err := account.CheckID("role", key); err != nil {
		return Result[account.Role]{}, err
	}
	return write(ctx, d, req, "role.update "+string(key), patch, func(ctx context.Context, r Reader, p *plan) (account.Role, error) {
		p.kind = account.RoleChanged
		before, err := findRole(ctx, r, p, key)
		if err != nil {
			return before, err
		}
		after := before
		if patch.Name != nil {
			after.Name = *patch.Name
		}
		if patch.Permissions != nil {
			after.Permissions = *patch.Permissions
		}
		if err := d.cleanRole(ctx, r, &after); err != nil {
			return after, err
		}
		if after.Name == before.Name && slices.Equal(after.Permissions, before.Permissions) {
			return after, nil
		}
		p.change(account.Of(before), account.Of(after))
		return after, d.mayAdd(ctx, r, p, before, after)
	})
}

// mayAdd adds what a user has to hold, and where, to put more permissions into a role (U4).
func (d *Directory) mayAdd(ctx context.Context, r Reader, p *plan, before, after account.Role) error {
	added := slices.DeleteFunc(slices.Clone(after.Permissions), func(k account.PermissionKey) bool { return slices.Contains(before.Permissions, k) })
	if !p.byUser || len(added) == 0 {
		return nil
	}
	p.holds(d, after.Account, added, "add permissions to a role that they do not hold at its account")
	used, err := r.AccountsUsing(ctx, after.Key, MaxRoleReach+1)
	if err != nil {
		return err
	}
	if len(used) > MaxRoleReach {
		return fault.New(fault.Denied, "permission_denied", "role %s is in use in more than %d accounts; ask an operator to add permissions to it", after.Key, MaxRoleReach)
	}
	for _, id := range used {
		p.holds(d, id, added, "add permissions to a role that they do not hold wherever it is in use")
	}
	return nil
}

// DeleteRole deletes a role that no membership and no API token carries.
//
// Faults: NotFound (role_not_found), Conflict (role_in_use), Denied, Stale.
func (d *Directory) DeleteRole(ctx context.Context, req Request, key account.RoleKey) (Result[account.Role], error) {
	if err := account.CheckID("role", key); err != nil {
		return Result[account.Role]{}, err
	}
	return write(ctx, d, req, "role.delete "+string(key), nil, func(ctx context.Context, r Reader, p *plan) (account.Role, error) {
		p.kind = account.RoleDeleted
		gone, err := findRole(ctx, r, p, key)
		if err != nil {
			return gone, err
		}
		uses, err := r.Uses(ctx, key)
		if err != nil {
			return account.Role{}, err
		}
		if uses > 0 {
			return account.Role{}, fault.New(fault.Conflict, "role_in_use", "role %s is held by members or API tokens of %d accounts", key, uses)
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}
