package store

import (
	"context"
	"maps"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/memo"
)

// listsKey is what the lists are remembered under of an environment and of one account, or of none.
type listsKey struct {
	env account.EnvironmentID
	id  account.ID
}

// maxLists is how many answers are remembered at most.
const maxLists = 1 << 12

// AllowLists returns from where requests may come (E3). See [directory.Store]. What was read for
// none or one account is remembered until anything in the database changes.
func (db *DB) AllowLists(ctx context.Context, env account.EnvironmentID, ids ...account.ID) (directory.AllowLists, error) {
	if len(ids) > 1 {
		return db.readAllowLists(ctx, env, ids)
	}
	key := listsKey{env: env}
	if len(ids) == 1 {
		key.id = ids[0]
	}
	mark := memo.For(ctx, db)
	if kept, ok := db.lists.Get(mark, key); ok {
		return directory.AllowLists{Environment: kept.Environment, Accounts: maps.Clone(kept.Accounts)}, nil
	}
	read, err := db.readAllowLists(ctx, env, ids)
	if err == nil {
		db.lists.Put(mark, key, directory.AllowLists{Environment: read.Environment, Accounts: maps.Clone(read.Accounts)})
	}
	return read, err
}

func (db *DB) readAllowLists(ctx context.Context, env account.EnvironmentID, ids []account.ID) (directory.AllowLists, error) {
	out := directory.AllowLists{Accounts: map[account.ID]account.Networks{}}
	query, args := allowListOf, []any{env}
	if len(ids) > 0 {
		named, err := jsonOf(ids)
		if err != nil {
			return out, err
		}
		query, args = allowListsOf, []any{env, named, env, env, env}
	}
	type held struct {
		at   account.ID // "" for the environment
		list account.Networks
	}
	found, err := list(ctx, db.everyTime(), func(r row) (h held, err error) {
		err = r.Scan(&h.at, &h.list)
		return h, err
	}, query, args...)
	if err != nil {
		return out, err
	}
	there := false
	for _, h := range found {
		if h.at == "" {
			out.Environment, there = h.list, true
		} else {
			out.Accounts[h.at] = h.list
		}
	}
	if !there {
		return out, noEnvironment(env)
	}
	return out, nil
}

const allowListOf = `SELECT '', ip_allow_list FROM environments WHERE id = ?`

// allowListsOf goes up from each account to the nearest one with a list. Where the
// environment has no such account, which an index tells, it begins nowhere. UNION
// ends it over rows that were tampered with until they form a cycle.
const allowListsOf = `WITH RECURSIVE up (start, parent, networks) AS (
		SELECT a.id, a.parent, a.ip_allow_list FROM accounts a
		WHERE a.environment = ? AND a.id IN (SELECT value FROM @texts(?) AS named)
			AND EXISTS (SELECT 1 FROM accounts l WHERE l.environment = ? AND l.ip_allow_list <> '')
		UNION
		SELECT u.start, c.parent, c.ip_allow_list FROM up u CROSS JOIN accounts c
		WHERE c.environment = ? AND c.id = u.parent AND u.networks = '')
	SELECT u.start, u.networks FROM up u WHERE u.networks <> ''
	UNION ALL
	SELECT '', e.ip_allow_list FROM environments e WHERE e.id = ?`
