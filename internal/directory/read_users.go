package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// GetUser returns a user with all memberships; users may see themselves, operators
// anybody. With a token for one account it is refused: the memberships name others (W2).
func (d *Directory) GetUser(ctx context.Context, actor account.Actor, id account.UserID) (account.Versioned[account.User], []account.Membership, error) {
	type both struct {
		user        account.Versioned[account.User]
		memberships []account.Membership
	}
	declare := func(p *plan) error {
		if actor.User != id || actor.Account != "" {
			p.environment("view_backoffice", "see other users")
		}
		return account.CheckID("user", id)
	}
	found, err := read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (both, error) {
		user, err := r.User(ctx, id)
		if err != nil {
			return both{}, err
		}
		memberships, err := r.MembershipsOf(ctx, id)
		return both{user, memberships}, err
	})
	return found.user, found.memberships, err
}

// ListUsers returns a page of the environment's users, for operators.
func (d *Directory) ListUsers(ctx context.Context, actor account.Actor, f UserFilter) (Page[account.User], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.User]{}, err
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, inEnvironment("view_backoffice", "list users"), func(ctx context.Context, r Reader) (Page[account.User], error) {
		return page(limit, func(limit int) ([]account.Versioned[account.User], int, error) {
			f.Limit = limit
			return r.Users(ctx, f)
		})
	})
}

// Member is a membership with its user.
type Member struct {
	account.Membership
	User     account.User
	AlwaysOn bool // the account gives sub-account access to all of its members (S3)
}

// ListMembers returns a page of an account's members; it needs read_users there.
func (d *Directory) ListMembers(ctx context.Context, actor account.Actor, f MemberFilter) (Page[Member], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[Member]{}, err
	}
	if f.Role != "" {
		if err := account.CheckID("role", f.Role); err != nil {
			return Page[Member]{}, err
		}
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, at("read_users", f.Account, "list members"), func(ctx context.Context, r Reader) (Page[Member], error) {
		holder, err := r.Account(ctx, f.Account)
		if err != nil {
			return Page[Member]{}, err
		}
		return page(limit, func(limit int) ([]account.Versioned[Member], int, error) {
			f.Limit = limit
			return membersOf(ctx, r, f, holder.Value.AccessMode == account.AlwaysOn)
		})
	})
}

// membersOf reads memberships, of an account that is always_on or not, with their users.
func membersOf(ctx context.Context, r Reader, f MemberFilter, alwaysOn bool) ([]account.Versioned[Member], int, error) {
	found, total, err := r.Members(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	ids := make([]account.UserID, len(found))
	for i, m := range found {
		ids[i] = m.Value.User
	}
	users, err := r.UsersByID(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	byID := make(map[account.UserID]account.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	members := make([]account.Versioned[Member], len(found))
	for i, m := range found {
		members[i] = account.Versioned[Member]{Value: Member{m.Value, byID[m.Value.User], alwaysOn}, Version: m.Version}
	}
	return members, total, nil
}
