package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

//nolint:gosec // G101: names of columns are no credential
const apiTokenColumns = `t.id, t.account_id, t.name, t.branch_access, t.expires_at, t.created_by, t.created_at, t.version, COALESCE((
	SELECT string_agg(h.role, ' ' ORDER BY h.role) FROM api_token_roles h
	WHERE h.environment = t.environment AND h.token = t.id), '')`

func scanAPIToken(r row) (account.Versioned[account.APIToken], error) { return scanAPITokenAnd(r) }

// scanAPITokenAnd scans the columns of an API token and those that follow.
func scanAPITokenAnd(r row, more ...any) (t account.Versioned[account.APIToken], err error) {
	var expires sql.NullInt64
	var created int64
	var by, roles string
	v := &t.Value
	into := []any{&v.ID, &v.Account, &v.Name, &v.BranchAccess, &expires, &by, &created, &t.Version, &roles}
	if err := r.Scan(append(into, more...)...); err != nil {
		return t, err
	}
	v.ExpiresAt, v.CreatedAt, v.Roles = timeOrNil(expires), timeOf(created), split[account.RoleKey](roles)
	return t, json.Unmarshal([]byte(by), &v.CreatedBy)
}

func (r *reader) APIToken(ctx context.Context, id account.APITokenID) (account.Versioned[account.APIToken], error) {
	return one(ctx, r.session, noAPIToken(id), scanAPIToken,
		`SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.id = ?`, r.env, id)
}

// APITokens returns a page of an account's API tokens in the order of their ids, and how many match in all.
func (r *reader) APITokens(ctx context.Context, f directory.AccountItems) ([]account.Versioned[account.APIToken], int, error) {
	s := selection{from: `api_tokens t`, key: `t.id`}
	s.where(`t.environment = ?`, r.env)
	s.where(`t.account_id = ?`, f.Account)
	s.search(`t.search`, f.Query)
	return page(ctx, r.session, scanAPIToken, apiTokenColumns, s, f.After, f.Limit)
}

// APITokensIn returns every API token of an account, in the order of their ids.
func (r *reader) APITokensIn(ctx context.Context, id account.ID) ([]account.APIToken, error) {
	return values(list(ctx, r.session, scanAPIToken,
		`SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.account_id = ? ORDER BY t.id`, r.env, id))
}

// APITokensBy returns every API token that an actor made, in the order of their ids.
func (r *reader) APITokensBy(ctx context.Context, creator account.Actor) ([]account.APIToken, error) {
	return values(list(ctx, r.session, scanAPIToken,
		`SELECT `+apiTokenColumns+` FROM api_tokens t WHERE t.environment = ? AND t.creator = ? ORDER BY t.id`, r.env, creator.Name()))
}

const invitationColumns = `i.id, i.account_id, i.email, i.name, i.roles, i.mode, i.sub_account_access, i.membership_expires_at,
	i.invited_by, i.created_at, i.sent_at, i.expires_at, i.version`

func scanInvitation(r row) (i account.Versioned[account.Invitation], err error) {
	var ends sql.NullInt64
	var created, sent, expires int64
	var by, roles string
	v := &i.Value
	err = r.Scan(&v.ID, &v.Account, &v.Email, &v.Name, &roles, &v.Mode, &v.SubAccountAccess, &ends, &by, &created, &sent, &expires, &i.Version)
	if err != nil {
		return i, err
	}
	v.MembershipExpiresAt, v.CreatedAt, v.SentAt, v.ExpiresAt = timeOrNil(ends), timeOf(created), timeOf(sent), timeOf(expires)
	return i, errors.Join(json.Unmarshal([]byte(roles), &v.Roles), json.Unmarshal([]byte(by), &v.InvitedBy))
}

func (r *reader) Invitation(ctx context.Context, id account.InvitationID) (account.Versioned[account.Invitation], error) {
	return one(ctx, r.session, noInvitation(id), scanInvitation,
		`SELECT `+invitationColumns+` FROM invitations i WHERE i.environment = ? AND i.id = ?`, r.env, id)
}

// Invitations returns a page of an account's invitations, of all accounts if it is "", in the order of their ids, and how many match in all.
func (r *reader) Invitations(ctx context.Context, f directory.AccountItems) ([]account.Versioned[account.Invitation], int, error) {
	s := selection{from: `invitations i`, key: `i.id`}
	s.where(`i.environment = ?`, r.env)
	if f.Account != "" {
		s.where(`i.account_id = ?`, f.Account)
	}
	s.search(`i.search`, f.Query)
	return page(ctx, r.session, scanInvitation, invitationColumns, s, f.After, f.Limit)
}

// InvitationsIn returns every invitation to an account, in the order of their addresses.
func (r *reader) InvitationsIn(ctx context.Context, id account.ID) ([]account.Invitation, error) {
	return values(list(ctx, r.session, scanInvitation,
		`SELECT `+invitationColumns+` FROM invitations i WHERE i.environment = ? AND i.account_id = ? ORDER BY i.email`, r.env, id))
}

// OpenInvitations returns how many invitations to an account can be accepted after a time.
func (r *reader) OpenInvitations(ctx context.Context, id account.ID, at time.Time) (int, error) {
	return one(ctx, r.session, nil, scanValue[int],
		`SELECT COUNT(*) FROM invitations i WHERE i.environment = ? AND i.account_id = ? AND i.expires_at > ?`, r.env, id, at.UnixMicro())
}

// InvitationTo returns the invitation of an address to an account.
func (r *reader) InvitationTo(ctx context.Context, id account.ID, email string) (account.Versioned[account.Invitation], error) {
	return one(ctx, r.session, noInvitation(""), scanInvitation,
		`SELECT `+invitationColumns+` FROM invitations i WHERE i.environment = ? AND i.account_id = ? AND i.email = ?`, r.env, id, email)
}

const impersonationColumns = `p.id, p.user_id, p.operator, p.person, p.reason, p.secret, p.scopes, p.issuer, p.subject, p.audience, p.created_at, p.expires_at, p.version`

func scanImpersonation(r row) (i account.Versioned[account.Impersonation], err error) {
	var created, expires int64
	v := &i.Value
	err = r.Scan(&v.ID, &v.User, &v.Operator, &v.Person, &v.Reason, &v.Secret, &v.Scopes, &v.Issuer, &v.Subject, &v.Audience, &created, &expires, &i.Version)
	v.CreatedAt, v.ExpiresAt = timeOf(created), timeOf(expires)
	return i, err
}

func (r *reader) Impersonation(ctx context.Context, id account.ImpersonationID) (account.Versioned[account.Impersonation], error) {
	return one(ctx, r.session, noImpersonation(id), scanImpersonation,
		`SELECT `+impersonationColumns+` FROM impersonations p WHERE p.environment = ? AND p.id = ?`, r.env, id)
}

// Impersonations returns every session there is a row of, those that have expired included, in the order of their ids.
func (r *reader) Impersonations(ctx context.Context) ([]account.Versioned[account.Impersonation], error) {
	return list(ctx, r.session, scanImpersonation,
		`SELECT `+impersonationColumns+` FROM impersonations p WHERE p.environment = ? ORDER BY p.id`, r.env)
}
