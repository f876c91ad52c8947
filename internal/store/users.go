package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

const userColumns = `u.id, u.email, u.name, u.blocked, u.created_at, u.version`

func scanUser(r row) (u account.Versioned[account.User], err error) {
	var created int64
	v := &u.Value
	err = r.Scan(&v.ID, &v.Email, &v.Name, &v.Blocked, &created, &u.Version)
	v.CreatedAt = timeOf(created)
	return u, err
}

func (r *reader) User(ctx context.Context, id account.UserID) (account.Versioned[account.User], error) {
	return one(ctx, r.session, noUser(id), scanUser,
		`SELECT `+userColumns+` FROM users u WHERE u.environment = ? AND u.id = ?`, r.env, id)
}

// UserByEmail finds a user by the cleaned address.
func (r *reader) UserByEmail(ctx context.Context, email string) (account.Versioned[account.User], error) {
	return one(ctx, r.session, noUserWithEmail(email), scanUser,
		`SELECT `+userColumns+` FROM users u WHERE u.environment = ? AND u.email = ?`, r.env, email)
}

// Users returns a page of users in the order of their ids, and how many match in all.
func (r *reader) Users(ctx context.Context, f directory.UserFilter) ([]account.Versioned[account.User], int, error) {
	s := selection{from: `users u`, key: `u.id`}
	s.where(`u.environment = ?`, r.env)
	s.search(`u.search`, f.Query)
	return page(ctx, r.session, scanUser, userColumns, s, string(f.After), f.Limit)
}

// UsersByID returns the users named, those of them that exist, in no order.
func (r *reader) UsersByID(ctx context.Context, ids []account.UserID) ([]account.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanUser,
		`SELECT `+userColumns+` FROM users u WHERE u.environment = ? AND u.id IN (SELECT value FROM @texts(?) AS named)`, r.env, named))
}

// MembersOnlyHere returns those of the users named who are members of the account and of no other, in the order of their ids.
func (r *reader) MembersOnlyHere(ctx context.Context, id account.ID, users []account.UserID) ([]account.User, error) {
	if len(users) == 0 {
		return nil, nil
	}
	named, err := jsonOf(users)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanUser, `SELECT `+userColumns+` FROM users u
		WHERE u.environment = ? AND u.id IN (SELECT value FROM @texts(?) AS named)
			AND EXISTS (SELECT 1 FROM memberships m WHERE m.environment = u.environment AND m.user_id = u.id AND m.account_id = ?)
			AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.environment = u.environment AND m.user_id = u.id AND m.account_id <> ?)
		ORDER BY u.id`, r.env, named, id, id))
}
