package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Impersonating decides whether impersonations go on.
type Impersonating interface {
	// MayImpersonate returns nil while the session goes on that is as claimed: its id, user and
	// operator. Unauthenticated if it does not, or its operator may not impersonate any more;
	// Denied (user_blocked) if the user is blocked; Unavailable if that cannot be found out.
	MayImpersonate(ctx context.Context, env account.EnvironmentID, claimed account.Impersonation) error
}

// impersonation returns the user whom the bearer of an issued token acts as.
func (a *Authenticator) impersonation(ctx context.Context, text, actForUser string) (account.Actor, error) {
	env, claimed, err := a.verifyIssued(ctx, text)
	if err != nil {
		return account.Actor{}, err
	}
	if err := a.sources.Impersonating.MayImpersonate(ctx, env, claimed); err != nil {
		return account.Actor{}, err
	}
	if actForUser != "" {
		return account.Actor{}, fault.New(fault.Denied, "may_not_act_for_users", "whoever impersonates a user acts for that user alone").In(ActForUser)
	}
	return account.Actor{Environment: env, User: claimed.User, Client: claimed.Operator, Impersonation: claimed.ID}, nil
}

// verifyIssued returns what an issued token claims, if its signature is by a key
// of ours and it is for us and of this time. The environment is the key's: what is
// signed with one environment's key says nothing about another.
func (a *Authenticator) verifyIssued(ctx context.Context, text string) (account.EnvironmentID, account.Impersonation, error) {
	refuse := func() (account.EnvironmentID, account.Impersonation, error) {
		return "", account.Impersonation{}, unauthenticated("the token is not valid: it is expired, or none that Tenantry issued")
	}
	if len(text) > maxIssued || !isCanonical(text) {
		return refuse()
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(token.Headers) != 1 {
		return refuse()
	}
	header := token.Headers[0]
	if kind, _ := header.ExtraHeaders[jose.HeaderType].(string); kind != tokenType || account.CheckID("kid", header.KeyID) != nil {
		return refuse()
	}
	key, err := a.sources.Keys.SigningKey(ctx, header.KeyID)
	if errors.Is(err, fault.NotFound) {
		return refuse()
	}
	if err != nil {
		return "", account.Impersonation{}, err
	}
	public, err := publicKey(key)
	if err != nil {
		return "", account.Impersonation{}, err
	}
	var c issued
	if err := token.Claims(public, &c); err != nil || !a.fits(c) || c.Environment != key.Environment {
		return refuse()
	}
	operator, ok := strings.CutPrefix(c.Act.Subject, operatorPrefix)
	claimed := account.Impersonation{ID: account.ImpersonationID(c.ID), User: account.UserID(c.Subject), Operator: account.ClientID(operator)}
	if !ok || account.CheckID("jti", claimed.ID) != nil || account.CheckID("sub", claimed.User) != nil || account.CheckID("act", claimed.Operator) != nil {
		return refuse()
	}
	return key.Environment, claimed, nil
}

// fits reports whether a token is for us and of this time. All of it has to be said.
func (a *Authenticator) fits(c issued) bool {
	if c.Expiry == nil || c.NotBefore == nil || c.IssuedAt == nil {
		return false
	}
	return c.ValidateWithLeeway(jwt.Expected{
		Issuer: Issuer, AnyAudience: jwt.Audience{Audience}, Time: a.sources.now(),
	}, skew) == nil
}
