package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// SetMembership makes a user a member of an account, or changes the membership
// there is: its roles, expiry and sub-account access become what the grant says.
//
// A new member needs invite_users at the account, a change manage_users, and a
// choice about sub-account access that differs from what the access mode gives
// needs write_sub_account_access (S2, S3). A user can hand out only permissions
// that they hold there themselves (U4); making a membership last longer, or reach
// into the branch, hands out all that it carries. A user can add only users whom
// they may see in some account; others are to them as if they did not exist.
//
// Faults: NotFound (account_not_found, user_not_found, role_not_found), Invalid
// (missing_role, role_out_of_branch, expiry_past, invalid_time), Conflict (not_a_parent_account,
// always_on), Denied, Stale.
func (d *Directory) SetMembership(ctx context.Context, req Request, g Grant) (Result[account.Membership], error) {
	if err := checkGrant(g); err != nil {
		return Result[account.Membership]{}, err
	}
	return write(ctx, d, req, "membership.set", g, func(ctx context.Context, r Reader, p *plan) (account.Membership, error) {
		p.kind = account.MembershipSet
		found, err := r.Membership(ctx, g.Account, g.User)
		present := err == nil
		right := "manage_users"
		if !present {
			if !errors.Is(err, fault.NotFound) {
				return account.Membership{}, err
			}
			right = "invite_users"
		}
		// which of the two is missing would tell a stranger who is a member
		at := relation.AccountObject(p.env, g.Account)
		p.need(need{anyOf: []Question{{right, at}}, doing: "add or change members of account " + string(g.Account), vague: true, named: true})
		if err := p.match(found.Version); err != nil {
			return account.Membership{}, err
		}
		holder, err := r.Account(ctx, g.Account)
		if err != nil {
			return account.Membership{}, err
		}
		var before *account.Membership
		if present {
			before = &found.Value
			p.etag = found.Version
		} else if err := mustKnow(ctx, r, p, g.User); err != nil {
			return account.Membership{}, err
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
	return checkTerms(g.Roles, "expires_at", g.ExpiresAt)
}

// checkTerms checks what a membership is to carry.
func checkTerms(roles []account.RoleKey, field string, expires *time.Time) error {
	if len(roles) == 0 {
		return fault.New(fault.Invalid, "missing_role", "a member carries at least one role").In("roles")
	}
	for _, key := range roles {
		if err := account.CheckID("roles", key); err != nil {
			return err
		}
	}
	if expires != nil && expires.UTC().Year() > lastYear {
		return fault.New(fault.Invalid, "invalid_time", "%s is after the year %d", field, lastYear).In(field)
	}
	return nil
}

// lastYear is the last that RFC 3339, and so the journal, can write.
const lastYear = 9999
