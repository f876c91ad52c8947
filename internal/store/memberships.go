package store

import (
	"context"
	"database/sql"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

const membershipColumns = `m.account_id, m.user_id, m.branch_access, m.expires_at, m.created_at, m.version, COALESCE((
	SELECT string_agg(h.role, ' ' ORDER BY h.role) FROM membership_roles h
	WHERE h.environment = m.environment AND h.account_id = m.account_id AND h.user_id = m.user_id), '')`

func scanMembership(r row) (m account.Versioned[account.Membership], err error) {
	var expires sql.NullInt64
	var created int64
	var roles string
	v := &m.Value
	err = r.Scan(&v.Account, &v.User, &v.BranchAccess, &expires, &created, &m.Version, &roles)
	v.ExpiresAt, v.CreatedAt, v.Roles = timeOrNil(expires), timeOf(created), split[account.RoleKey](roles)
	return m, err
}

func (r *reader) Membership(ctx context.Context, id account.ID, user account.UserID) (account.Versioned[account.Membership], error) {
	return one(ctx, r.session, noMembership(id, user), scanMembership,
		`SELECT `+membershipColumns+` FROM memberships m WHERE m.environment = ? AND m.account_id = ? AND m.user_id = ?`, r.env, id, user)
}

// Members returns a page of an account's memberships in the order of user ids, and how many there are.
func (r *reader) Members(ctx context.Context, f directory.MemberFilter) ([]account.Versioned[account.Membership], int, error) {
	s := selection{from: `memberships m`, key: `m.user_id`}
	if f.Query != "" {
		s.from += ` JOIN users u ON u.environment = m.environment AND u.id = m.user_id`
	}
	s.where(`m.environment = ?`, r.env)
	s.where(`m.account_id = ?`, f.Account)
	if f.Role != "" {
		s.where(`EXISTS (SELECT 1 FROM membership_roles h
			WHERE h.environment = m.environment AND h.account_id = m.account_id AND h.user_id = m.user_id AND h.role = ?)`, f.Role)
	}
	s.search(`u.search`, f.Query)
	return page(ctx, r.session, scanMembership, membershipColumns, s, string(f.After), f.Limit)
}

// MembershipsIn returns every membership of an account, in the order of user ids.
func (r *reader) MembershipsIn(ctx context.Context, id account.ID) ([]account.Membership, error) {
	return values(list(ctx, r.session, scanMembership,
		`SELECT `+membershipColumns+` FROM memberships m WHERE m.environment = ? AND m.account_id = ? ORDER BY m.user_id`, r.env, id))
}

// MembershipsOf returns every membership of a user, in the order of account ids.
func (r *reader) MembershipsOf(ctx context.Context, user account.UserID) ([]account.Membership, error) {
	return values(list(ctx, r.session, scanMembership,
		`SELECT `+membershipColumns+` FROM memberships m WHERE m.environment = ? AND m.user_id = ? ORDER BY m.account_id`, r.env, user))
}
