package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

const operatorColumns = `o.id, o.email, o.name, o.roles, COALESCE(o.issuer, ''), COALESCE(o.subject, ''), o.created_at, o.version`

func scanOperator(r row) (o account.Versioned[account.Operator], err error) {
	var roles string
	var created int64
	v := &o.Value
	if err := r.Scan(&v.ID, &v.Email, &v.Name, &roles, &v.Issuer, &v.Subject, &created, &o.Version); err != nil {
		return o, err
	}
	v.CreatedAt = timeOf(created)
	return o, json.Unmarshal([]byte(roles), &v.Roles)
}

// Operator returns an operator who signs in. NotFound fault: operator_not_found.
func (r *reader) Operator(ctx context.Context, id account.ClientID) (account.Versioned[account.Operator], error) {
	return one(ctx, r.session, noOperator(string(id)), scanOperator,
		`SELECT `+operatorColumns+` FROM operators o WHERE o.environment = ? AND o.id = ?`, r.env, id)
}

// OperatorAt returns the operator who is a subject of a provider. NotFound fault: operator_not_found.
func (r *reader) OperatorAt(ctx context.Context, issuer, subject string) (account.Versioned[account.Operator], error) {
	return one(ctx, r.session, noOperator(subject), scanOperator,
		`SELECT `+operatorColumns+` FROM operators o WHERE o.environment = ? AND o.issuer = ? AND o.subject = ?`, r.env, issuer, subject)
}

// OperatorByEmail returns the operator with a cleaned address. NotFound fault: operator_not_found.
func (r *reader) OperatorByEmail(ctx context.Context, email string) (account.Versioned[account.Operator], error) {
	return one(ctx, r.session, noOperator(email), scanOperator,
		`SELECT `+operatorColumns+` FROM operators o WHERE o.environment = ? AND o.email = ?`, r.env, email)
}

// Operators returns a page of the operators who sign in, in the order of their ids, and how many there are.
func (r *reader) Operators(ctx context.Context, f directory.KeyPage) ([]account.Versioned[account.Operator], int, error) {
	s := selection{from: `operators o`, key: `o.id`}
	s.where(`o.environment = ?`, r.env)
	return page(ctx, r.session, scanOperator, operatorColumns, s, f.After, f.Limit)
}

const issuerColumns = `i.id, i.name, i.url, i.audiences, i.purpose, i.link_by_email, i.email_domains, i.created_at, i.version`

func scanIssuer(r row) (i account.Versioned[account.Issuer], err error) {
	var audiences, domains string
	var created int64
	v := &i.Value
	if err := r.Scan(&v.ID, &v.Name, &v.URL, &audiences, &v.Purpose, &v.LinkByEmail, &domains, &created, &i.Version); err != nil {
		return i, err
	}
	v.CreatedAt = timeOf(created)
	return i, errors.Join(json.Unmarshal([]byte(audiences), &v.Audiences), json.Unmarshal([]byte(domains), &v.EmailDomains))
}

// Issuer returns an OpenID provider. NotFound fault: issuer_not_found.
func (r *reader) Issuer(ctx context.Context, id account.IssuerID) (account.Versioned[account.Issuer], error) {
	return one(ctx, r.session, noIssuer(string(id)), scanIssuer,
		`SELECT `+issuerColumns+` FROM issuers i WHERE i.environment = ? AND i.id = ?`, r.env, id)
}

// IssuerAt returns the OpenID provider with an address. NotFound fault: issuer_not_found.
func (r *reader) IssuerAt(ctx context.Context, url string) (account.Versioned[account.Issuer], error) {
	return one(ctx, r.session, noIssuer(url), scanIssuer,
		`SELECT `+issuerColumns+` FROM issuers i WHERE i.environment = ? AND i.url = ?`, r.env, url)
}

// TrustedIssuer returns the OpenID provider with an address that an environment
// accepts. NotFound fault (issuer_not_found), for an environment that does not exist as well.
func (db *DB) TrustedIssuer(ctx context.Context, env account.EnvironmentID, url string) (account.Issuer, error) {
	found, err := one(ctx, db.outside(), noIssuer(url), scanIssuer,
		`SELECT `+issuerColumns+` FROM issuers i WHERE i.environment = ? AND i.url = ?`, env, url)
	return found.Value, err
}

// Issuers returns every OpenID provider of the environment, in the order of their ids.
func (r *reader) Issuers(ctx context.Context) ([]account.Versioned[account.Issuer], error) {
	return list(ctx, r.session, scanIssuer, `SELECT `+issuerColumns+` FROM issuers i WHERE i.environment = ? ORDER BY i.id`, r.env)
}

const identityColumns = `i.id, i.issuer, i.subject, i.user_id, i.created_at, i.version`

func scanIdentity(r row) (i account.Versioned[account.Identity], err error) {
	var created int64
	v := &i.Value
	err = r.Scan(&v.ID, &v.Issuer, &v.Subject, &v.User, &created, &i.Version)
	v.CreatedAt = timeOf(created)
	return i, err
}

// Identity returns a link of a user to a provider. NotFound fault: identity_not_found.
func (r *reader) Identity(ctx context.Context, id account.IdentityID) (account.Versioned[account.Identity], error) {
	return one(ctx, r.session, noIdentity(string(id)), scanIdentity,
		`SELECT `+identityColumns+` FROM identities i WHERE i.environment = ? AND i.id = ?`, r.env, id)
}

// IdentityAt returns the link of a subject of a provider. NotFound fault: identity_not_found.
func (r *reader) IdentityAt(ctx context.Context, issuer, subject string) (account.Versioned[account.Identity], error) {
	return one(ctx, r.session, noIdentity(subject), scanIdentity,
		`SELECT `+identityColumns+` FROM identities i WHERE i.environment = ? AND i.issuer = ? AND i.subject = ?`, r.env, issuer, subject)
}

// IdentitiesOf returns every link of the users named, none of them twice, in the order of the links' ids.
func (r *reader) IdentitiesOf(ctx context.Context, users ...account.UserID) ([]account.Versioned[account.Identity], error) {
	if len(users) == 0 {
		return nil, nil
	}
	named, err := jsonOf(users)
	if err != nil {
		return nil, err
	}
	return list(ctx, r.session, scanIdentity, identitiesOf, named, r.env)
}

// Joined so that SQLite looks up each user's: see childrenOf.
const identitiesOf = `SELECT ` + identityColumns + ` FROM @texts(?) AS named CROSS JOIN identities i
	WHERE i.environment = ? AND i.user_id = named.value ORDER BY i.id`

// IsUnlinked reports whether an operator took away the link of a subject of a provider, and nobody gave it one since, or
// ever one of the user's.
func (r *reader) IsUnlinked(ctx context.Context, issuer, subject string, user account.UserID) (bool, error) {
	subjects, err := one(ctx, r.session, nil, scanValue[int], subjectUnlinked, r.env, issuer, subject)
	if err != nil {
		return false, err
	}
	users, err := one(ctx, r.session, nil, scanValue[int], userUnlinked, r.env, user)
	return subjects+users > 0, err
}

const (
	subjectUnlinked = `SELECT COUNT(*) FROM unlinked_subjects u WHERE u.environment = ? AND u.issuer = ? AND u.subject = ?`
	userUnlinked    = `SELECT COUNT(*) FROM unlinked_users u WHERE u.environment = ? AND u.user_id = ?`
)

// SetLinked notes that a subject of a provider has a link.
func (t *tx) SetLinked(ctx context.Context, issuer, subject string) error {
	_, err := t.exec(ctx, `DELETE FROM unlinked_subjects WHERE environment = ? AND issuer = ? AND subject = ?`, t.env, issuer, subject)
	return err
}

// SetUnlinked notes that the link of a subject of a provider to a user was taken away.
func (t *tx) SetUnlinked(ctx context.Context, issuer, subject string, user account.UserID) error {
	_, err := t.exec(ctx, `INSERT INTO unlinked_subjects (environment, issuer, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, t.env, issuer, subject)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO unlinked_users (environment, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, t.env, user)
	return err
}

// ForgetUnlinked forgets of users who are deleted that a link of theirs was taken away.
func (t *tx) ForgetUnlinked(ctx context.Context, users ...account.UserID) error {
	named, err := jsonOf(users)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, forgetUnlinked, t.env, named)
	return err
}

const forgetUnlinked = `DELETE FROM unlinked_users WHERE environment = ? AND user_id IN (SELECT value FROM @texts(?) AS named)`
