package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Moved is an account that was moved, or would be in a dry run.
type Moved struct {
	account.Account // with its new parent
	Moved           bool
	Impact          Impact
}

// MoveAccount puts an account with its whole branch below another parent, or
// makes it a root if parent is "", and says what that does to who can open the
// branch. With req.DryRun it says so and moves nothing.
//
// Operators with edit_backoffice move anything anywhere. Users move what has a
// parent below another one: they need delete_sub_accounts at the old parent, what
// creating the account below the new parent takes (A3, A4), and everything that the
// new place hands out in the branch (U4, see handsOver).
//
// Faults: NotFound (account_not_found), Conflict (hierarchy_cycle, too_deep,
// sub_accounts_disabled, sub_account_management_off, role_out_of_branch), Denied, Stale.
func (d *Directory) MoveAccount(ctx context.Context, req Request, id, parent account.ID) (Result[Moved], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[Moved]{}, err
	}
	if parent != "" {
		if err := account.CheckID("parent", parent); err != nil {
			return Result[Moved]{}, err
		}
	}
	return write(ctx, d, req, "account.move "+string(id), parent, func(ctx context.Context, r Reader, p *plan) (Moved, error) {
		p.kind = account.AccountMoved
		p.account("move_account", id, "move this account")
		if parent == "" {
			p.environment("edit_backoffice", "make an account a root account")
		} else {
			p.account("write_sub_accounts", parent, "move an account below this one")
		}
		before, err := begin(ctx, p, r.Account, id)
		if err != nil {
			return Moved{}, err
		}
		after := before
		after.Parent = parent
		if after == before {
			return Moved{Account: after}, nil
		}
		old, next, err := linesOf(ctx, r, before, after)
		if err != nil {
			return Moved{}, err
		}
		if slices.Contains(next, id) {
			return Moved{}, fault.New(fault.Conflict, "hierarchy_cycle", "account %s cannot be below %s, which is in its own branch", id, parent).In("parent")
		}
		if err := d.handsOver(ctx, r, p, id, without(next, old)); err != nil {
			return Moved{}, err
		}
		if err := fits(ctx, r, p, after, next); err != nil {
			return Moved{}, err
		}
		p.change(account.Of(before), account.Of(after))
		impact, err := impactOf(ctx, r, before, old, next, p.now)
		return Moved{Account: after, Moved: !req.DryRun, Impact: impact}, err
	})
}

// linesOf returns the accounts above a moved one, before and after.
func linesOf(ctx context.Context, r Reader, before, after account.Account) (old, next []account.ID, err error) {
	if before.Parent != "" {
		if old, err = lineTo(ctx, r, before.Parent); err != nil {
			return nil, nil, err
		}
	}
	if after.Parent != "" {
		if next, err = lineTo(ctx, r, after.Parent); err != nil {
			return nil, nil, inField(err, "parent")
		}
	}
	return old, next, nil
}

// without returns the ids that are not among others.
func without(ids, others []account.ID) []account.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id account.ID) bool { return slices.Contains(others, id) })
}

// handsOver adds what a user needs to hold to move an account below accounts
// that were not above it before (entered): whoever has sub-account access there
// gains the moved branch with the roles that carry it, and nobody can hand out, in
// this way either, what they do not hold themselves in all of the branch (U4). What
// accounts give that are above it before and after is no gain.
func (d *Directory) handsOver(ctx context.Context, r Reader, p *plan, id account.ID, entered []account.ID) error {
	if !p.byUser {
		return nil
	}
	roles, err := r.BranchRoles(ctx, entered, p.now)
	if err != nil {
		return err
	}
	at := relation.AccountObject(p.env, id)
	holds := func(permission string) {
		p.need(need{
			anyOf: []Question{{permission, at}}, vague: true,
			doing: "move account " + string(id) + " there: others would gain permissions in its branch that they do not hold in all of it themselves",
		})
	}
	for _, role := range roles {
		holds("branch_access") // a role without permissions opens accounts, too
		for _, key := range role.Permissions {
			name := string(key) // unknown to the catalogue: nobody holds it
			if permission, ok := d.catalogue.Lookup(name); ok {
				name = permission.Relation
			}
			holds("branch_" + name)
		}
	}
	return nil
}

// fits checks that the branch of an account may be where it is to be, below the
// accounts of line (A2, A3, E2, U2), and adds what creating it there would need.
func fits(ctx context.Context, r Reader, p *plan, moved account.Account, line []account.ID) error {
	if moved.Parent != "" {
		env, err := r.Environment(ctx)
		if err != nil {
			return err
		}
		height, err := r.Height(ctx, moved.ID)
		if err != nil {
			return err
		}
		if err := mayHoldChild(ctx, r, env.Value, moved.Parent, height); err != nil {
			return err
		}
		p.account("create_sub_account", moved.Parent, "move an account below this one")
		if moved.SubAccountManagement {
			p.account("delegate_sub_account_management", moved.Parent, "move an account that may have sub-accounts below this one")
		}
	}
	return rolesStayUsable(ctx, r, p, moved.ID, line)
}

// rolesStayUsable refuses a move that would carry an account's role out of that
// account's branch (U2). Which role it is, a user is not told.
func rolesStayUsable(ctx context.Context, r Reader, p *plan, id account.ID, line []account.ID) error {
	uses, err := r.RolesFromOutside(ctx, id)
	if err != nil {
		return err
	}
	for _, use := range uses {
		switch {
		case slices.Contains(line, use.Owner):
		case p.byUser:
			return fault.New(fault.Conflict, "role_out_of_branch", "the branch of account %s uses a role of an account above, which would be out of its branch", id)
		default:
			return fault.New(fault.Conflict, "role_out_of_branch", "account %s uses role %s, which belongs to account %s and would be out of its branch", use.Account, use.Role, use.Owner)
		}
	}
	return nil
}
