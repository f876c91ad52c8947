package directory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

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
		gone, err := begin(ctx, p, func(ctx context.Context, user account.UserID) (account.Versioned[account.Membership], error) {
			return r.Membership(ctx, id, user)
		}, user)
		if err != nil {
			return gone, err
		}
		holder, err := r.Account(ctx, id)
		if err != nil {
			return account.Membership{}, err
		}
		if err := removeMembers(ctx, r, p, id, []account.Membership{gone}, deleteUser); err != nil {
			return account.Membership{}, err
		}
		return gone, useRoles(ctx, r, p, holder.Value, gone.Roles, nil)
	})
}

// removeMembers plans the end of memberships of one account, and of the users
// who would then belong nowhere; without deleteUsers those stand in the way (U1).
// Deleting a blocked user is an operator's to do: made anew, they would not be blocked (U5).
func removeMembers(ctx context.Context, r Reader, p *plan, id account.ID, members []account.Membership, deleteUsers bool) error {
	users := make([]account.UserID, len(members))
	for i, m := range members {
		users[i] = m.User
		p.change(account.Of(m), nil)
	}
	homeless, err := r.MembersOnlyHere(ctx, id, users)
	if err != nil || len(homeless) == 0 {
		return err
	}
	if !deleteUsers {
		return usersWithoutAccount(homeless)
	}
	ids := make([]account.UserID, len(homeless))
	for i, u := range homeless {
		if u.Blocked {
			p.environment("edit_backoffice", "delete a blocked user")
		}
		ids[i] = u.ID
		p.change(account.Of(u), nil)
	}
	if err := dropIdentities(ctx, r, p, ids...); err != nil {
		return err
	}
	return endSessions(ctx, r, p, func(i account.Impersonation) bool {
		return slices.ContainsFunc(homeless, func(u account.User) bool { return u.ID == i.User })
	})
}

func usersWithoutAccount(users []account.User) error {
	const shown = 10
	var names []string
	for _, u := range users[:min(shown, len(users))] {
		names = append(names, string(u.ID))
	}
	if len(users) > shown {
		names = append(names, "…")
	}
	return fault.New(fault.Conflict, "users_without_account",
		"%d users would be members of no account: %s; add them to another account first, or ask for them to be deleted too", len(users), strings.Join(names, ", "))
}
