package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// reader reads one environment in one transaction; it is a [directory.Reader].
type reader struct {
	*session
	env  account.EnvironmentID
	head account.Version
}

// Head is the version of the newest entry of the journal.
func (r *reader) Head(context.Context) (account.Version, error) { return r.head, nil }

const environmentColumns = `e.id, e.name, e.sub_accounts_enabled, e.default_access_mode, e.max_depth,
	e.invitation_url, e.invitation_hours, e.token_minutes, e.ip_allow_list, e.exchange_only, e.keys_rotated_at, e.keys_revoked_at, e.created_at, e.version`

func scanEnvironment(r row) (e account.Versioned[account.Environment], err error) {
	var created int64
	var rotated, revoked sql.NullInt64
	v := &e.Value
	err = r.Scan(&v.ID, &v.Name, &v.SubAccountsEnabled, &v.DefaultAccessMode, &v.MaxDepth,
		&v.InvitationURL, &v.InvitationHours, &v.TokenMinutes, &v.IPAllowList, &v.ExchangeOnly, &rotated, &revoked, &created, &e.Version)
	v.CreatedAt, v.KeysRotatedAt, v.KeysRevokedAt = timeOf(created), timeOrNil(rotated), timeOrNil(revoked)
	return e, err
}

// Environments returns every environment, in the order of their ids.
func (db *DB) Environments(ctx context.Context) ([]account.Environment, error) {
	return values(list(ctx, db.outside(), scanEnvironment, `SELECT `+environmentColumns+` FROM environments e ORDER BY e.id`))
}

func (r *reader) Environment(ctx context.Context) (account.Versioned[account.Environment], error) {
	return one(ctx, r.session, noEnvironment(r.env), scanEnvironment,
		`SELECT `+environmentColumns+` FROM environments e WHERE e.id = ?`, r.env)
}

const clientColumns = `c.id, c.name, c.roles, c.act_for_users, c.scopes, c.created_at, c.version`

func scanClient(r row) (account.Versioned[account.Client], error) { return scanClientAnd(r) }

// scanClientAnd scans the columns of a client and those that follow.
func scanClientAnd(r row, more ...any) (c account.Versioned[account.Client], err error) {
	var roles string
	var created int64
	v := &c.Value
	if err := r.Scan(append([]any{&v.ID, &v.Name, &roles, &v.ActForUsers, &v.Scopes, &created, &c.Version}, more...)...); err != nil {
		return c, err
	}
	v.CreatedAt = timeOf(created)
	return c, json.Unmarshal([]byte(roles), &v.Roles)
}

func (r *reader) Client(ctx context.Context, id account.ClientID) (account.Versioned[account.Client], error) {
	return one(ctx, r.session, noClient(id), scanClient,
		`SELECT `+clientColumns+` FROM clients c WHERE c.environment = ? AND c.id = ?`, r.env, id)
}

// Clients returns every client of the environment, in the order of their ids.
func (r *reader) Clients(ctx context.Context) ([]account.Client, error) {
	return values(list(ctx, r.session, scanClient,
		`SELECT `+clientColumns+` FROM clients c WHERE c.environment = ? ORDER BY c.id`, r.env))
}

// ClientPage returns a page of the environment's clients in the order of their ids, and how many there are.
func (r *reader) ClientPage(ctx context.Context, f directory.KeyPage) ([]account.Versioned[account.Client], int, error) {
	s := selection{from: `clients c`, key: `c.id`}
	s.where(`c.environment = ?`, r.env)
	return page(ctx, r.session, scanClient, clientColumns, s, f.After, f.Limit)
}

// values drops the versions.
func values[T any](versioned []account.Versioned[T], err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := make([]T, len(versioned))
	for i, v := range versioned {
		out[i] = v.Value
	}
	return out, nil
}
