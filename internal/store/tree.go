package store

import (
	"context"
	"database/sql"

	"github.com/tenantry/tenantry/internal/account"
)

// maxLevels bounds recursions that count levels. No tree is nearly as deep
// (account.MaxMaxDepth); it is there so that a statement ends even over rows that
// were tampered with until they form a cycle.
const maxLevels = 1000

// WithAncestors returns the accounts named, those of them that exist, and all their ancestors, each once, in no order.
func (r *reader) WithAncestors(ctx context.Context, ids []account.ID) ([]account.Account, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanAccount, `WITH RECURSIVE up (id) AS (
			SELECT id FROM accounts WHERE environment = ? AND id IN (SELECT value FROM @texts(?) AS named)
			UNION
			SELECT c.parent FROM up u CROSS JOIN accounts c WHERE c.environment = ? AND c.id = u.id AND c.parent IS NOT NULL)
		SELECT `+accountColumns+` FROM up u CROSS JOIN accounts a WHERE a.environment = ? AND a.id = u.id`,
		r.env, named, r.env, r.env))
}

// Ancestors returns the accounts above id, the root first; empty for a root.
func (r *reader) Ancestors(ctx context.Context, id account.ID) ([]account.Account, error) {
	// The account itself is read as level 0, to tell a root from an account that does not exist.
	line, err := values(list(ctx, r.session, scanAccount, `WITH RECURSIVE up (id, parent, level) AS (
			SELECT id, parent, 0 FROM accounts WHERE environment = ? AND id = ?
			UNION
			SELECT c.id, c.parent, u.level + 1 FROM up u CROSS JOIN accounts c
			WHERE c.environment = ? AND c.id = u.parent AND u.level < ?)
		SELECT `+accountColumns+` FROM up u CROSS JOIN accounts a WHERE a.environment = ? AND a.id = u.id ORDER BY u.level DESC`,
		r.env, id, r.env, maxLevels, r.env))
	if err != nil {
		return nil, err
	}
	if len(line) == 0 {
		return nil, noAccount(id)
	}
	return line[:len(line)-1], nil
}

// down is the ids of an account, at level 1, and of all below it, each with its
// level; its parameters are the environment, the account, the environment again, and maxLevels.
const down = `WITH RECURSIVE down (id, level) AS (
	SELECT id, 1 FROM accounts WHERE environment = ? AND id = ?
	UNION
	SELECT c.id, d.level + 1 FROM down d CROSS JOIN accounts c
	WHERE c.environment = ? AND c.parent = d.id AND d.level < ?) `

// Descendants returns up to limit accounts below id (all if limit is 0), level by level, by id within a level.
func (r *reader) Descendants(ctx context.Context, id account.ID, limit int) ([]account.Account, error) {
	query := down + `SELECT ` + accountColumns + ` FROM down d CROSS JOIN accounts a
		WHERE a.environment = ? AND a.id = d.id ORDER BY d.level, a.id`
	args := []any{r.env, id, r.env, maxLevels, r.env}
	if limit > 0 {
		query += ` LIMIT ?`
		args = append(args, limit+1) // the first one is the account itself
	}
	branch, err := values(list(ctx, r.session, scanAccount, query, args...))
	if err != nil {
		return nil, err
	}
	if len(branch) == 0 {
		return nil, noAccount(id)
	}
	return branch[1:], nil
}

// Height is the number of levels of the branch at id: 1 for an account without children.
func (r *reader) Height(ctx context.Context, id account.ID) (int, error) {
	height, err := one(ctx, r.session, nil, scanValue[sql.NullInt64], down+`SELECT MAX(level) FROM down`, r.env, id, r.env, maxLevels)
	if err == nil && !height.Valid {
		err = noAccount(id)
	}
	return int(height.Int64), err
}
