package store

import (
	"context"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// live keeps memberships m (or API tokens) that have not expired; its parameter is the time, in microseconds.
func live(alias string) string {
	return `(` + alias + `.expires_at IS NULL OR ` + alias + `.expires_at > ?)`
}

// intoBranch is whether a membership or API token reaches into the branch below its account a (S1, S3).
func intoBranch(alias string) string {
	return `(a.access_mode = 'always_on' OR ` + alias + `.branch_access <> '')`
}

func scanReach(r row) (v directory.Reach, err error) {
	err = r.Scan(&v.Account, &v.User, &v.Branch)
	return v, err
}

// BranchReach returns what opens the branches below the accounts named to users who are not blocked.
func (r *reader) BranchReach(ctx context.Context, ids []account.ID, at time.Time) ([]directory.Reach, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return list(ctx, r.session, scanReach, branchReach, r.env, named, r.env, at.UnixMicro(), r.env)
}

var branchReach = `SELECT m.account_id, m.user_id, 1 = 1
	FROM accounts a CROSS JOIN memberships m CROSS JOIN users u
	WHERE a.environment = ? AND a.id IN (SELECT value FROM @texts(?) AS named)
		AND m.environment = ? AND m.account_id = a.id AND ` + intoBranch("m") + ` AND ` + live("m") + `
		AND u.environment = ? AND u.id = m.user_id AND NOT u.blocked`

// ReachOf returns what all memberships of the users named open, in no order.
func (r *reader) ReachOf(ctx context.Context, users []account.UserID, at time.Time) ([]directory.Reach, error) {
	if len(users) == 0 {
		return nil, nil
	}
	named, err := jsonOf(users)
	if err != nil {
		return nil, err
	}
	return list(ctx, r.session, scanReach, reachOf, r.env, named, at.UnixMicro(), r.env)
}

var reachOf = `SELECT m.account_id, m.user_id, ` + intoBranch("m") + `
	FROM memberships m CROSS JOIN accounts a
	WHERE m.environment = ? AND m.user_id IN (SELECT value FROM @texts(?) AS named) AND ` + live("m") + `
		AND a.environment = ? AND a.id = m.account_id`

// BranchRoles returns the roles that something in the accounts named carries into the branch below, in the order of their keys.
func (r *reader) BranchRoles(ctx context.Context, ids []account.ID, at time.Time) ([]account.Role, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanRole, branchRoles,
		r.env, r.env, named, r.env, r.env, at.UnixMicro(), r.env, at.UnixMicro(), r.env))
}

// The roles in use are few, and their holders many: whether one of these reaches
// into the branch is looked for role by role, until there is one.
var branchRoles = `SELECT ` + roleColumns + ` FROM roles r WHERE r.environment = ? AND r.id IN (
	SELECT s.role FROM accounts a CROSS JOIN assignments s
	WHERE a.environment = ? AND a.id IN (SELECT value FROM @texts(?) AS named) AND s.environment = ? AND s.account_id = a.id AND (
		EXISTS (SELECT 1 FROM membership_roles h CROSS JOIN memberships m
			WHERE h.environment = ? AND h.role = s.role AND h.account_id = s.account_id
				AND m.environment = h.environment AND m.account_id = h.account_id AND m.user_id = h.user_id
				AND ` + intoBranch("m") + ` AND ` + live("m") + `)
		OR EXISTS (SELECT 1 FROM api_tokens t CROSS JOIN api_token_roles h
			WHERE t.environment = ? AND t.account_id = s.account_id AND ` + intoBranch("t") + ` AND ` + live("t") + `
				AND h.environment = ? AND h.token = t.id AND h.role = s.role)))
	ORDER BY r.id`

// Openers returns a page of those who can open an account by membership, and how many match in all.
func (r *reader) Openers(ctx context.Context, f directory.OpenerFilter) ([]directory.Opener, int, error) {
	named, err := jsonOf(append([]account.ID{f.Account}, f.Above...))
	if err != nil {
		return nil, 0, err
	}
	at := f.At.UnixMicro()
	var matches selection
	matches.search(`u.search`, f.Query)
	args := []any{f.Account, r.env, named, r.env, at, r.env}
	args = append(append(args, matches.args...), f.Type != directory.OpenerAPIToken, r.env, at)
	args = append(append(args, matches.args...), f.Type != directory.OpenerUser, placeOf(f.After), max(f.Limit, 1), r.env, r.env)
	rows, err := list(ctx, r.session, scanOpener, openersWhere(matches.conditions), args...)
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	total := rows[0].total
	if rows[0].opener.Type == "" { // the page is empty
		rows = nil
	}
	out := make([]directory.Opener, len(rows))
	for i, row := range rows {
		out[i] = row.opener
	}
	return out, total, nil
}

type openerRow struct {
	total  int
	opener directory.Opener
}

func scanOpener(r row) (o openerRow, err error) {
	err = r.Scan(&o.total, &o.opener.Type, &o.opener.ID, &o.opener.Name, &o.opener.Email)
	return o, err
}

// placeOf is where an opener stands in their order: users first.
func placeOf(o directory.Opener) string {
	switch o.Type {
	case "":
		return ""
	case directory.OpenerUser:
		return "1" + o.ID
	default:
		return "2" + o.ID
	}
}

// openersWhere selects those who can open an account, whose search text (u.search)
// meets the conditions: how many there are, in every row, and a page of them, of
// which one row without a type is left if it is empty.
//
// everybody is whether an account of the line opens it to all of its members: it
// is the account itself, or its mode is always_on. They are gathered once, by key
// alone; names are read for the page.
func openersWhere(conditions []string) string {
	and := strings.Join(append([]string{``}, conditions...), ` AND `)
	return `WITH line AS MATERIALIZED (
			SELECT a.id, (a.id = ? OR a.access_mode = 'always_on') AS everybody FROM accounts a
			WHERE a.environment = ? AND a.id IN (SELECT value FROM @texts(?) AS named)),
		openers AS MATERIALIZED (
			SELECT '1' || u.id AS place, u.id FROM users u
			WHERE u.id IN (SELECT m.user_id FROM line l CROSS JOIN memberships m
					WHERE m.environment = ? AND m.account_id = l.id AND (l.everybody OR m.branch_access <> '') AND ` + live("m") + `)
				AND u.environment = ? AND NOT u.blocked` + and + ` AND ?
			UNION ALL
			SELECT '2' || u.id, u.id FROM line l CROSS JOIN api_tokens u
			WHERE u.environment = ? AND u.account_id = l.id AND (l.everybody OR u.branch_access <> '') AND ` + live("u") + and + ` AND ?),
		page AS MATERIALIZED (SELECT place, id FROM openers WHERE place > ? ORDER BY place LIMIT ?)
		SELECT n.total,
			CASE WHEN p.id IS NULL THEN '' WHEN p.place = '1' || p.id THEN '` + directory.OpenerUser + `' ELSE '` + directory.OpenerAPIToken + `' END,
			COALESCE(p.id, ''), COALESCE(u.name, t.name, ''), COALESCE(u.email, '')
		FROM (SELECT COUNT(*) AS total FROM openers) n
			LEFT JOIN page p ON 1 = 1
			LEFT JOIN users u ON u.environment = ? AND u.id = p.id AND p.place = '1' || p.id
			LEFT JOIN api_tokens t ON t.environment = ? AND t.id = p.id AND p.place = '2' || p.id
		ORDER BY p.place`
}

// MembershipsAt returns the memberships of the users named in the accounts named, by user and account.
func (r *reader) MembershipsAt(ctx context.Context, ids []account.ID, users []account.UserID) ([]account.Membership, error) {
	if len(ids) == 0 || len(users) == 0 {
		return nil, nil
	}
	accounts, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	named, err := jsonOf(users)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanMembership, `SELECT `+membershipColumns+` FROM memberships m
		WHERE m.environment = ? AND m.account_id IN (SELECT value FROM @texts(?) AS named)
			AND m.user_id IN (SELECT value FROM @texts(?) AS named)
		ORDER BY m.user_id, m.account_id`, r.env, accounts, named))
}

// APITokensByID returns the API tokens named, those of them that exist, in no order.
func (r *reader) APITokensByID(ctx context.Context, ids []account.APITokenID) ([]account.APIToken, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	return values(list(ctx, r.session, scanAPIToken,
		`SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.id IN (SELECT value FROM @texts(?) AS named)`, r.env, named))
}
