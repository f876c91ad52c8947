package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
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
				p.need(need{anyOf: []Question{ // A3: an operator may while the parent has it off, too
					{"delegate_sub_account_management", relation.AccountObject(p.env, in.Parent)},
					{"edit_backoffice", relation.EnvironmentObject(p.env)},
				}, doing: "allow the new account to have sub-accounts"})
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
