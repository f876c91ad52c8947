package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// DeleteAccount deletes an account without children (A5), with its memberships,
// API tokens, invitations, feature switches and own roles. Users who are members of nothing else are deleted if
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
		gone, err := begin(ctx, p, r.Account, id)
		if err != nil {
			return gone, err
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
		if err := removeMembers(ctx, r, p, id, members, deleteUsers); err != nil {
			return account.Account{}, err
		}
		assignments, err := r.Assignments(ctx, id)
		if err != nil {
			return account.Account{}, err
		}
		for _, a := range assignments {
			p.change(account.Of(a), nil)
		}
		if err := removeBelongings(ctx, r, p, id); err != nil {
			return account.Account{}, err
		}
		if err := removeOwnRoles(ctx, r, p, id); err != nil {
			return account.Account{}, err
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}

// removeBelongings plans the end of what only the account has: its API tokens, its
// invitations, and its feature switches.
func removeBelongings(ctx context.Context, r Reader, p *plan, id account.ID) error {
	tokens, err := r.APITokensIn(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		p.change(account.Of(t), nil)
	}
	invitations, err := r.InvitationsIn(ctx, id)
	if err != nil {
		return err
	}
	for _, i := range invitations {
		p.change(account.Of(i), nil)
	}
	switches, err := r.FeatureSwitches(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range switches {
		p.change(account.Of(s.Value), nil)
	}
	return nil
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
