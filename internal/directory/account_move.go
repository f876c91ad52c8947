package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

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
		before, err := begin(ctx, p, r.Account, id)
		if err != nil {
			return before, err
		}
		after := before
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
	uses, err := r.RolesFromOutside(ctx, id)
	if err != nil || len(uses) == 0 {
		return err
	}
	var line []account.ID
	if parent != "" {
		if line, err = lineTo(ctx, r, parent); err != nil {
			return err
		}
	}
	for _, use := range uses {
		if !slices.Contains(line, use.Owner) {
			return fault.New(fault.Conflict, "role_out_of_branch", "account %s uses role %s, which belongs to account %s and would be out of its branch", use.Account, use.Role, use.Owner)
		}
	}
	return nil
}
