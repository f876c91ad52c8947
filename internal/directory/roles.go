package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
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
		p.editRole(role.Account)
		if err := d.cleanRole(ctx, r, &role); err != nil {
			return role, err
		}
		if p.byUser {
			p.holds(d, role.Account, role, "make a role with permissions that they do not hold")
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

func (p *plan) editRole(owner account.ID) {
	if owner == "" {
		p.environment("edit_entitlements", "change the roles of the environment")
	} else {
		p.account("manage_roles", owner, "change the roles of the account")
	}
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

// UpdateRole changes a role's name or permissions, for all who hold it. A user
// can add only permissions that they hold at the role's account (U4).
func (d *Directory) UpdateRole(ctx context.Context, req Request, key account.RoleKey, patch RolePatch) (Result[account.Role], error) {
	if err := account.CheckID("role", key); err != nil {
		return Result[account.Role]{}, err
	}
	return write(ctx, d, req, "role.update "+string(key), patch, func(ctx context.Context, r Reader, p *plan) (account.Role, error) {
		p.kind = account.RoleChanged
		found, err := r.Role(ctx, key)
		p.editRole(found.Value.Account)
		if err != nil {
			return account.Role{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Role{}, err
		}
		p.etag = found.Version
		before, after := found.Value, found.Value
		if patch.Name != nil {
			after.Name = *patch.Name
		}
		if patch.Permissions != nil {
			after.Permissions = *patch.Permissions
		}
		if err := d.cleanRole(ctx, r, &after); err != nil {
			return after, err
		}
		if p.byUser {
			added := after
			added.Permissions = slices.DeleteFunc(slices.Clone(after.Permissions), func(k account.PermissionKey) bool { return slices.Contains(before.Permissions, k) })
			p.holds(d, after.Account, added, "add permissions to a role that they do not hold")
		}
		if after.Name != before.Name || !slices.Equal(after.Permissions, before.Permissions) {
			p.change(account.Of(before), account.Of(after))
		}
		return after, nil
	})
}

// DeleteRole deletes a role that no membership carries.
//
// Faults: NotFound (role_not_found), Conflict (role_in_use), Denied, Stale.
func (d *Directory) DeleteRole(ctx context.Context, req Request, key account.RoleKey) (Result[account.Role], error) {
	if err := account.CheckID("role", key); err != nil {
		return Result[account.Role]{}, err
	}
	return write(ctx, d, req, "role.delete "+string(key), nil, func(ctx context.Context, r Reader, p *plan) (account.Role, error) {
		p.kind = account.RoleDeleted
		found, err := r.Role(ctx, key)
		p.editRole(found.Value.Account)
		if err != nil {
			return account.Role{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Role{}, err
		}
		uses, err := r.Uses(ctx, key)
		if err != nil {
			return account.Role{}, err
		}
		if uses > 0 {
			return account.Role{}, fault.New(fault.Conflict, "role_in_use", "role %s is held by members of %d accounts", key, uses)
		}
		p.change(account.Of(found.Value), nil)
		return found.Value, nil
	})
}
