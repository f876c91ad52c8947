package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

const accountColumns = `a.id, a.name, COALESCE(a.parent, ''), a.sub_account_management, a.access_mode, a.plan, a.ip_allow_list, a.created_at, a.version`

func scanAccount(r row) (a account.Versioned[account.Account], err error) {
	var created int64
	v := &a.Value
	err = r.Scan(&v.ID, &v.Name, &v.Parent, &v.SubAccountManagement, &v.AccessMode, &v.Plan, &v.IPAllowList, &created, &a.Version)
	v.CreatedAt = timeOf(created)
	return a, err
}

func (r *reader) Account(ctx context.Context, id account.ID) (account.Versioned[account.Account], error) {
	return one(ctx, r.session, noAccount(id), scanAccount,
		`SELECT `+accountColumns+` FROM accounts a WHERE a.environment = ? AND a.id = ?`, r.env, id)
}

// Accounts returns a page of accounts in the order of their ids, and how many match in all.
func (r *reader) Accounts(ctx context.Context, f directory.AccountFilter) ([]account.Versioned[account.Account], int, error) {
	s := selection{from: `accounts a`, key: `a.id`}
	if f.Under != "" {
		s.with, s.args = branch, []any{r.env, f.Under, r.env}
		s.where(`a.id IN (SELECT id FROM branch)`)
	}
	s.where(`a.environment = ?`, r.env)
	if f.Child != nil && *f.Child == "" {
		s.where(`a.parent IS NULL`)
	} else if f.Child != nil {
		s.where(`a.parent = ?`, *f.Child)
	}
	s.search(`a.search`, f.Query)
	return page(ctx, r.session, scanAccount, accountColumns, s, string(f.After), f.Limit)
}

// branch is the ids of an account and of all below it; its parameters are the
// environment, the account, and the environment again. UNION drops repeats, so it ends whatever the rows say.
const branch = `WITH RECURSIVE branch (id) AS (
	SELECT id FROM accounts WHERE environment = ? AND id = ?
	UNION
	SELECT c.id FROM branch b CROSS JOIN accounts c WHERE c.environment = ? AND c.parent = b.id) `

// Counts returns the figures of an account's summary (A6).
func (r *reader) Counts(ctx context.Context, id account.ID) (directory.Counts, error) {
	return one(ctx, r.session, noAccount(id), func(r row) (c directory.Counts, err error) {
		err = r.Scan(&c.Members, &c.Children, &c.Descendants)
		return c, err
	}, branch+`SELECT
			(SELECT COUNT(*) FROM memberships m WHERE m.environment = a.environment AND m.account_id = a.id),
			(SELECT COUNT(*) FROM accounts c WHERE c.environment = a.environment AND c.parent = a.id),
			(SELECT COUNT(*) - 1 FROM branch)
		FROM accounts a WHERE a.environment = ? AND a.id = ?`, r.env, id, r.env, r.env, id)
}
