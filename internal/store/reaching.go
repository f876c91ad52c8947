package store

import (
	"context"
	"database/sql"

	"github.com/tenantry/tenantry/internal/account"
)

// Reaching tells what decides who may open which accounts, all of one version, which it
// returns: the environment, clients, operators, roles, accounts, users, memberships, API tokens,
// in this order, those of a kind in any. Of accounts it tells what
// places, names and dates them, of users the id and whether they are blocked, of memberships the roles; of those of them
// that end, or reach into the branch, it then tells more about that, and not the roles again.
//
// It reads each table once and in its own order, for an environment of millions of rows. Neither
// fn nor more may use the database. Errors are those of Read, and theirs.
func (db *DB) Reaching(
	ctx context.Context, env account.EnvironmentID, fn func(account.Entity) error, more func(account.Membership) error,
) (account.Version, error) {
	var version account.Version
	err := db.read(ctx, env, func(r *reader) error {
		version = r.head
		steps := []func() error{
			func() error { return r.few(ctx, fn) },
			func() error { return r.placedAccounts(ctx, fn) },
			func() error { return r.knownUsers(ctx, fn) },
			func() error { return r.carriedRoles(ctx, fn) },
			func() error { return r.reachingFurther(ctx, more) },
			func() error { return r.eachAPIToken(ctx, fn) },
		}
		return inTurn(steps)
	})
	return version, err
}

// few tells what an environment has few of.
func (r *reader) few(ctx context.Context, fn func(account.Entity) error) error {
	env, err := r.Environment(ctx)
	if err != nil {
		return err
	}
	clients, err := r.Clients(ctx)
	if err != nil {
		return err
	}
	roles, err := values(r.Roles(ctx))
	if err != nil {
		return err
	}
	return inTurn([]func() error{
		func() error { return fn(*account.Of(env.Value)) },
		func() error { return each(fn, clients) },
		func() error { return r.eachOperator(ctx, fn) },
		func() error { return each(fn, roles) },
	})
}

func (r *reader) placedAccounts(ctx context.Context, fn func(account.Entity) error) error {
	var v struct {
		id, name, parent, mode string
		managed                bool
		created                int64
	}
	from, err := r.wholly(ctx, "accounts")
	if err != nil {
		return err
	}
	return stream(ctx, r.session, func() error {
		return fn(account.Entity{Account: &account.Account{
			ID: account.ID(v.id), Name: v.name, Parent: account.ID(v.parent), SubAccountManagement: v.managed,
			AccessMode: account.AccessMode(v.mode), CreatedAt: timeOf(v.created),
		}})
	}, []any{&v.id, &v.name, &v.parent, &v.managed, &v.mode, &v.created},
		`SELECT id, name, COALESCE(parent, ''), sub_account_management, access_mode, created_at`+from, r.env)
}

func (r *reader) knownUsers(ctx context.Context, fn func(account.Entity) error) error {
	var id string
	var blocked bool
	from, err := r.wholly(ctx, "users")
	if err != nil {
		return err
	}
	return stream(ctx, r.session, func() error {
		return fn(account.Entity{User: &account.User{ID: account.UserID(id), Blocked: blocked}})
	}, []any{&id, &blocked}, `SELECT id, blocked`+from, r.env)
}

// carriedRoles tells memberships by their roles, of which each has one or more (U4): they are in the
// order of their keys, and lie together there.
func (r *reader) carriedRoles(ctx context.Context, fn func(account.Entity) error) error {
	var at, user, role string
	m := &account.Membership{}
	tell := func() error {
		if len(m.Roles) == 0 {
			return nil
		}
		return fn(account.Entity{Membership: m})
	}
	err := stream(ctx, r.session, func() error {
		if string(m.Account) != at || string(m.User) != user {
			if err := tell(); err != nil {
				return err
			}
			m = &account.Membership{Account: account.ID(at), User: account.UserID(user)}
		}
		m.Roles = append(m.Roles, account.RoleKey(role))
		return nil
	}, []any{&at, &user, &role}, `SELECT account_id, user_id, role FROM membership_roles WHERE environment = ?
		ORDER BY account_id, user_id, role`, r.env)
	if err != nil {
		return err
	}
	return tell()
}

// reachingFurther tells of memberships that end, or reach into the branch.
func (r *reader) reachingFurther(ctx context.Context, more func(account.Membership) error) error {
	var at, user, branch string
	var expires sql.NullInt64
	from, err := r.wholly(ctx, "memberships")
	if err != nil {
		return err
	}
	return stream(ctx, r.session, func() error {
		return more(account.Membership{
			Account: account.ID(at), User: account.UserID(user), BranchAccess: account.BranchAccess(branch), ExpiresAt: timeOrNil(expires),
		})
	}, []any{&at, &user, &branch, &expires},
		`SELECT account_id, user_id, branch_access, expires_at`+from+` AND (branch_access <> '' OR expires_at IS NOT NULL)`, r.env)
}

// wholly is the part of a statement that selects the rows of the environment from a table, all of
// them, in the quickest order. PostgreSQL knows which that is. SQLite looks rows up one by one in
// the order of the key, which takes several times as long as to read the table from end to end,
// unless that is mostly other environments'.
func (r *reader) wholly(ctx context.Context, table string) (string, error) {
	from := ` FROM ` + table + ` WHERE environment = ?`
	if r.dialect.rowNumber == "" {
		return from, nil
	}
	own, err := one(ctx, r.session, nil, scanValue[int], `SELECT COUNT(*)`+from, r.env)
	if err != nil {
		return "", err
	}
	all, err := one(ctx, r.session, nil, scanValue[int], `SELECT COALESCE(MAX(`+r.dialect.rowNumber+`), 0) FROM `+table)
	if 4*own >= all {
		from = ` FROM ` + table + ` NOT INDEXED WHERE environment = ?`
	}
	return from, err
}
