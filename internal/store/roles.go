package store

import (
	"context"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Permission and role keys hold no space, so a space can join them.
const roleColumns = `r.id, r.name, r.account_id, r.version, COALESCE((
	SELECT string_agg(p.permission, ' ' ORDER BY p.permission) FROM role_permissions p
	WHERE p.environment = r.environment AND p.role = r.id), '')`

func scanRole(r row) (role account.Versioned[account.Role], err error) {
	var permissions string
	v := &role.Value
	err = r.Scan(&v.Key, &v.Name, &v.Account, &role.Version, &permissions)
	v.Permissions = split[account.PermissionKey](permissions)
	return role, err
}

// split undoes the joining of keys with spaces; it never returns nil.
func split[T ~string](joined string) []T {
	words := strings.Fields(joined)
	out := make([]T, len(words))
	for i, w := range words {
		out[i] = T(w)
	}
	return out
}

func (r *reader) Role(ctx context.Context, key account.RoleKey) (account.Versioned[account.Role], error) {
	return one(ctx, r.session, noRole(key), scanRole,
		`SELECT `+roleColumns+` FROM roles r WHERE r.environment = ? AND r.id = ?`, r.env, key)
}

// Roles returns every role of the environment, in the order of their keys.
func (r *reader) Roles(ctx context.Context) ([]account.Versioned[account.Role], error) {
	return list(ctx, r.session, scanRole,
		`SELECT `+roleColumns+` FROM roles r WHERE r.environment = ? ORDER BY r.id`, r.env)
}

const assignmentColumns = `s.account_id, s.role, s.always_on`

func scanAssignment(r row) (a account.Assignment, err error) {
	err = r.Scan(&a.Account, &a.Role, &a.AlwaysOn)
	return a, err
}

// Assignments returns the roles in use in an account, in the order of their keys.
func (r *reader) Assignments(ctx context.Context, id account.ID) ([]account.Assignment, error) {
	return list(ctx, r.session, scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments s WHERE s.environment = ? AND s.account_id = ? ORDER BY s.role`, r.env, id)
}

// Uses returns in how many accounts a role is in use.
func (r *reader) Uses(ctx context.Context, key account.RoleKey) (int, error) {
	return one(ctx, r.session, nil, scanValue[int],
		`SELECT COUNT(*) FROM assignments s WHERE s.environment = ? AND s.role = ?`, r.env, key)
}

// AccountsUsing returns up to limit accounts in which a role is in use, in the order of their ids.
func (r *reader) AccountsUsing(ctx context.Context, key account.RoleKey, limit int) ([]account.ID, error) {
	return list(ctx, r.session, scanValue[account.ID],
		`SELECT s.account_id FROM assignments s WHERE s.environment = ? AND s.role = ? ORDER BY s.account_id LIMIT ?`, r.env, key, limit)
}

// RolesFromOutside returns the roles in use in the branch at an account that
// belong to an account outside of it, in the order of their keys, each with the
// first account that uses it.
func (r *reader) RolesFromOutside(ctx context.Context, top account.ID) ([]directory.RoleUse, error) {
	return list(ctx, r.session, func(r row) (u directory.RoleUse, err error) {
		err = r.Scan(&u.Role, &u.Owner, &u.Account)
		return u, err
	}, branch+`SELECT o.id, o.account_id, MIN(s.account_id)
		FROM roles o JOIN assignments s ON s.environment = o.environment AND s.role = o.id
		WHERE o.environment = ? AND o.account_id <> ''
			AND o.account_id NOT IN (SELECT id FROM branch) AND s.account_id IN (SELECT id FROM branch)
		GROUP BY o.id, o.account_id ORDER BY o.id`, r.env, top, r.env, r.env)
}

// RoleHolders returns how many memberships and API tokens of an account carry a role.
func (r *reader) RoleHolders(ctx context.Context, id account.ID, key account.RoleKey) (int, error) {
	return one(ctx, r.session, nil, scanValue[int],
		`SELECT (SELECT COUNT(*) FROM membership_roles m WHERE m.environment = ? AND m.role = ? AND m.account_id = ?)
			+ (SELECT COUNT(*) FROM api_tokens t JOIN api_token_roles h ON h.environment = t.environment AND h.token = t.id
				WHERE t.environment = ? AND t.account_id = ? AND h.role = ?)`, r.env, key, id, r.env, id, key)
}
