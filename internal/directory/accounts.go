package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// NewAccount is an account as a caller asks for it.
type NewAccount struct {
	ID                   account.ID         `json:"id"` // "" for a generated one
	Name                 string             `json:"name"`
	Parent               account.ID         `json:"parent"` // "" for a root account
	SubAccountManagement bool               `json:"sub_account_management"`
	AccessMode           account.AccessMode `json:"sub_account_access"` // "" for the environment's default
}

// CreateAccount creates a root account or a sub-account (A4). A sub-account
// needs create_sub_account at its parent; a root account is an operator's to make.
//
// Faults: Invalid (invalid_id, missing_name, …), Exists (account_exists),
// NotFound (account_not_found, field parent), Conflict (sub_accounts_disabled,
// sub_account_management_off, too_deep), Denied.
func (d *Directory) CreateAccount(ctx context.Context, req Request, in NewAccount) (Result[account.Account], error) {
	generated, err := orNew("id", in.ID, "acc")
	if err != nil {
		return Result[account.Account]{}, err
	}
	return write(ctx, d, req, "account.create", in, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		a := account.Account{
			ID: generated, Parent: in.Parent, SubAccountManagement: in.SubAccountManagement,
			AccessMode: in.AccessMode, CreatedAt: p.now,
		}
		p.kind = account.AccountCreated
		if in.Parent == "" {
			p.environment("edit_backoffice", "create a root account")
		} else {
			if err := account.CheckID("parent", in.Parent); err != nil {
				return a, err
			}
			p.account("write_sub_accounts", in.Parent, "create a sub-account here")
			if in.SubAccountManagement {
				p.account("delegate_sub_account_management", in.Parent, "allow the new account to have sub-accounts")
			}
		}
		var err error
		if a.Name, err = account.CleanName("name", in.Name); err != nil {
			return a, err
		}
		env, err := r.Environment(ctx)
		if err != nil {
			return a, err
		}
		if a.AccessMode == "" {
			a.AccessMode = env.Value.DefaultAccessMode
		} else if err := account.CheckAccessMode("sub_account_access", a.AccessMode); err != nil {
			return a, err
		}
		if a.AccessMode != env.Value.DefaultAccessMode && in.Parent != "" {
			p.account("write_sub_account_access", in.Parent, "choose the access mode of the new account")
		}
		if err := mustBeFree(ctx, r, a.ID); err != nil {
			return a, err
		}
		if a.Parent != "" {
			if err := mayHoldChild(ctx, r, env.Value, a.Parent, 1); err != nil {
				return a, err
			}
			p.account("create_sub_account", in.Parent, "create a sub-account here")
		}
		p.change(nil, account.Of(a))
		return a, nil
	})
}

func mustBeFree(ctx context.Context, r Reader, id account.ID) error {
	_, err := r.Account(ctx, id)
	switch {
	case err == nil:
		return fault.New(fault.Exists, "account_exists", "there is an account %s already", id).In("id")
	case errors.Is(err, fault.NotFound):
		return nil
	default:
		return err
	}
}

// mayHoldChild checks that a branch of the given height may be put below parent (A2, A3, E2).
func mayHoldChild(ctx context.Context, r Reader, env account.Environment, parent account.ID, height int) error {
	holder, err := r.Account(ctx, parent)
	if err != nil {
		return inField(err, "parent")
	}
	if !env.SubAccountsEnabled {
		return fault.New(fault.Conflict, "sub_accounts_disabled", "sub-accounts are not enabled in environment %s", env.ID)
	}
	if !holder.Value.SubAccountManagement {
		return fault.New(fault.Conflict, "sub_account_management_off", "account %s may not have sub-accounts: its sub-account management is off", parent).In("parent")
	}
	above, err := r.Ancestors(ctx, parent)
	if err != nil {
		return err
	}
	if levels := len(above) + 1 + height; levels > env.MaxDepth {
		return fault.New(fault.Conflict, "too_deep", "there would be %d levels of accounts; environment %s allows %d", levels, env.ID, env.MaxDepth).In("parent")
	}
	return nil
}

// inField names the field in a fault, and leaves other errors alone.
func inField(err error, field string) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.In(field)
	}
	return err
}

// AccountPatch changes what is not nil.
type AccountPatch struct {
	Name                 *string             `json:"name,omitempty"`
	SubAccountManagement *bool               `json:"sub_account_management,omitempty"`
	AccessMode           *account.AccessMode `json:"sub_account_access,omitempty"`
}

// UpdateAccount renames an account, turns its sub-account management on or off
// (A3), or changes its access mode with what S4 says of its members.
func (d *Directory) UpdateAccount(ctx context.Context, req Request, id account.ID, patch AccountPatch) (Result[account.Account], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[account.Account]{}, err
	}
	return write(ctx, d, req, "account.update "+string(id), patch, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		p.kind = account.AccountChanged
		if patch.Name != nil {
			p.account("update_account", id, "rename this account")
		}
		if patch.SubAccountManagement != nil {
			p.account("set_sub_account_management", id, "turn sub-account management on or off")
		}
		if patch.AccessMode != nil {
			p.account("write_sub_account_access", id, "change the access mode")
		}
		if len(p.needs) == 0 {
			p.account("access", id, "see this account")
		}
		found, err := r.Account(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Account{}, err
		}
		before, after := found.Value, found.Value
		p.etag = found.Version
		if patch.Name != nil {
			if after.Name, err = account.CleanName("name", *patch.Name); err != nil {
				return after, err
			}
		}
		if patch.SubAccountManagement != nil {
			after.SubAccountManagement = *patch.SubAccountManagement
		}
		if patch.AccessMode != nil {
			after.AccessMode = *patch.AccessMode
			if err := account.CheckAccessMode("sub_account_access", after.AccessMode); err != nil {
				return after, err
			}
		}
		if after == before {
			return after, nil
		}
		p.change(account.Of(before), account.Of(after))
		return after, changeMode(ctx, r, p, before, after)
	})
}

// changeMode adds what a new access mode means for the account's assignments and present members (S4).
func changeMode(ctx context.Context, r Reader, p *plan, before, after account.Account) error {
	was, is := before.AccessMode == account.AlwaysOn, after.AccessMode == account.AlwaysOn
	if was == is {
		return nil
	}
	assignments, err := r.Assignments(ctx, after.ID)
	if err != nil {
		return err
	}
	for _, a := range assignments {
		b := a
		b.AlwaysOn = is
		p.change(account.Of(a), account.Of(b))
	}
	if is {
		return nil
	}
	members, err := r.MembershipsIn(ctx, after.ID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.BranchAccess == account.NoBranchAccess {
			kept := m
			kept.BranchAccess = account.KeptFromAlwaysOn
			p.change(account.Of(m), account.Of(kept))
		}
	}
	return nil
}

// MoveAccount puts an account with its whole branch below another parent, or
// makes it a root if parent is "". Only operators move accounts.
//
// Faults: NotFound (account_not_found), Conflict (hierarchy_cycle, too_deep,
// sub_accounts_disabled, sub_account_management_off, role_out_of_branch), Denied.
func (d *Directory) MoveAccount(ctx context.Context, req Request, id, parent account.ID) (Result[account.Account], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[account.Account]{}, err
	}
	return write(ctx, d, req, "account.move "+string(id), parent, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		p.kind = account.AccountMoved
		p.account("move_account", id, "move accounts")
		found, err := r.Account(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Account{}, err
		}
		before, after := found.Value, found.Value
		p.etag = found.Version
		after.Parent = parent
		if after == before {
			return after, nil
		}
		if parent != "" {
			if err := account.CheckID("parent", parent); err != nil {
				return after, err
			}
			if err := fitsBelow(ctx, r, id, parent); err != nil {
				return after, err
			}
		}
		if err := rolesStayUsable(ctx, r, id, parent); err != nil {
			return after, err
		}
		p.change(account.Of(before), account.Of(after))
		return after, nil
	})
}

// fitsBelow checks that the branch at id may hang below parent (A2).
func fitsBelow(ctx context.Context, r Reader, id, parent account.ID) error {
	above, err := r.Ancestors(ctx, parent)
	if err != nil {
		return inField(err, "parent")
	}
	if parent == id || slices.ContainsFunc(above, func(a account.Account) bool { return a.ID == id }) {
		return fault.New(fault.Conflict, "hierarchy_cycle", "account %s cannot be below %s, which is in its own branch", id, parent).In("parent")
	}
	env, err := r.Environment(ctx)
	if err != nil {
		return err
	}
	height, err := r.Height(ctx, id)
	if err != nil {
		return err
	}
	return mayHoldChild(ctx, r, env.Value, parent, height)
}

// rolesStayUsable refuses a move that would carry an account's role out of that account's branch (U2).
func rolesStayUsable(ctx context.Context, r Reader, id, parent account.ID) error {
	roles, err := r.Roles(ctx)
	if err != nil {
		return err
	}
	owners := map[account.RoleKey]account.ID{}
	for _, role := range roles {
		if role.Value.Account != "" {
			owners[role.Value.Key] = role.Value.Account
		}
	}
	if len(owners) == 0 {
		return nil
	}
	inside, err := r.Descendants(ctx, id, 0)
	if err != nil {
		return err
	}
	branch := map[account.ID]bool{id: true}
	for _, a := range inside {
		branch[a.ID] = true
	}
	above := map[account.ID]bool{parent: true}
	if parent != "" {
		ancestors, err := r.Ancestors(ctx, parent)
		if err != nil {
			return err
		}
		for _, a := range ancestors {
			above[a.ID] = true
		}
	}
	for member := range branch {
		used, err := r.Assignments(ctx, member)
		if err != nil {
			return err
		}
		for _, a := range used {
			if owner, ok := owners[a.Role]; ok && !branch[owner] && !above[owner] {
				return fault.New(fault.Conflict, "role_out_of_branch", "account %s uses role %s, which belongs to account %s and would be out of its branch", member, a.Role, owner)
			}
		}
	}
	return nil
}

// DeleteAccount deletes an account without children (A5), with its memberships
// and its own roles. Users who are members of nothing else are deleted if
// deleteUsers is set; otherwise they stand in the way (U1).
//
// Faults: NotFound (account_not_found), Conflict (account_has_children,
// users_without_account), Denied, Stale.
func (d *Directory) DeleteAccount(ctx context.Context, req Request, id account.ID, deleteUsers bool) (Result[account.Account], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[account.Account]{}, err
	}
	return write(ctx, d, req, "account.delete "+string(id), deleteUsers, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		p.kind = account.AccountDeleted
		p.account("delete_account", id, "delete this account")
		found, err := r.Account(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		if err := p.match(found.Version); err != nil {
			return account.Account{}, err
		}
		counts, err := r.Counts(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		if counts.Children > 0 {
			return account.Account{}, fault.New(fault.Conflict, "account_has_children", "account %s has %d sub-accounts; delete or move them first", id, counts.Children)
		}
		members, err := r.MembershipsIn(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		if err := removeMembers(ctx, r, p, members, deleteUsers); err != nil {
			return account.Account{}, err
		}
		assignments, err := r.Assignments(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		for _, a := range assignments {
			p.change(account.Of(a), nil)
		}
		if err := removeOwnRoles(ctx, r, p, id); err != nil {
			return account.Account{}, err
		}
		p.change(account.Of(found.Value), nil)
		return found.Value, nil
	})
}

func removeOwnRoles(ctx context.Context, r Reader, p *plan, id account.ID) error {
	roles, err := r.Roles(ctx)
	if err != nil {
		return err
	}
	for _, role := range roles {
		if role.Value.Account == id {
			p.change(account.Of(role.Value), nil)
		}
	}
	return nil
}
