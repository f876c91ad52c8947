package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity/oidc"
)

// Issuers keeps the OpenID providers of every environment.
type Issuers interface {
	// TrustedIssuer returns the provider with an address that an environment accepts.
	// NotFound faults if there is none, Unavailable faults when trying again may help.
	TrustedIssuer(ctx context.Context, env account.EnvironmentID, url string) (account.Issuer, error)
}

// Providers verifies the tokens of OpenID providers; oidc.Providers does.
type Providers interface {
	// Verify returns what a token says that the issuer has signed. Unauthenticated
	// (unauthenticated) if it is not good, Unavailable (provider_unavailable) if that cannot be found out.
	Verify(ctx context.Context, issuer account.Issuer, token string) (directory.Vouched, error)
}

// SignIns knows who the subjects of OpenID providers are.
type SignIns interface {
	// SignIn returns the user or the operator whom a provider vouches for. Unauthenticated
	// faults for who is neither; Denied (user_blocked) for a blocked user (U5).
	SignIn(ctx context.Context, env account.EnvironmentID, v directory.Vouched) (account.Actor, error)
}

// signedIn returns who has signed in at an OpenID provider.
func (a *Authenticator) signedIn(ctx context.Context, p Presented, text string) (Caller, error) {
	env, vouched, err := a.vouchedFor(ctx, p.Environment, text)
	if err != nil {
		return Caller{}, err
	}
	if p.ActForUser != "" { // before anybody is linked
		return Caller{}, fault.New(fault.Denied, "may_not_act_for_users", "who has signed in acts for nobody but themselves").In(ActForUser)
	}
	actor, err := a.sources.SignIns.SignIn(ctx, env, vouched)
	if err != nil {
		return Caller{}, err
	}
	caller := Caller{
		Actor: actor, Credential: credential(env, "user", actor.User),
		SignedIn: account.SignedIn{Issuer: vouched.Issuer.URL, Subject: vouched.Subject, Audience: vouched.Audience, Until: vouched.ExpiresAt},
	}
	if actor.Person {
		caller.Credential = credential(env, "operator", actor.Client)
	}
	return caller, nil
}

// Vouched returns whom an OpenID provider vouches for by the token presented, and
// in which environment, whether anybody there is known to be that subject or not. It
// is for who accepts an invitation.
//
// Faults: Unauthenticated (unauthenticated) also for a token of another kind, and
// (environment_required); those of Providers.Verify; Unavailable when the
// environment's providers cannot be read.
func (a *Authenticator) Vouched(ctx context.Context, p Presented) (account.EnvironmentID, directory.Vouched, error) {
	text, err := Bearer(p.Authorization)
	if err != nil {
		return "", directory.Vouched{}, err
	}
	if !a.isForeign(text) {
		return "", directory.Vouched{}, unauthenticated("the token is none of an OpenID provider's")
	}
	return a.vouchedFor(ctx, p.Environment, text)
}

// vouchedFor verifies a provider's token. Unknown environments, providers that are
// not the environment's and tokens that are not good are one to the caller.
func (a *Authenticator) vouchedFor(ctx context.Context, named, text string) (account.EnvironmentID, directory.Vouched, error) {
	env := account.EnvironmentID(named)
	if env == "" {
		return "", directory.Vouched{}, fault.New(fault.Unauthenticated, "environment_required",
			"the token is an OpenID provider's, for which the environment that is meant is named in the header %s; or a token of Tenantry's from before it had this address", Environment).In(Environment)
	}
	if err := account.CheckID(Environment, env); err != nil {
		return "", directory.Vouched{}, err
	}
	issuer, err := a.sources.Issuers.TrustedIssuer(ctx, env, claimedIssuer(text))
	if errors.Is(err, fault.NotFound) {
		return "", directory.Vouched{}, oidc.Refused().Because(err)
	}
	if err != nil {
		return "", directory.Vouched{}, err
	}
	vouched, err := a.sources.Providers.Verify(ctx, issuer, text)
	return env, vouched, err
}

// isForeign reports whether a bearer token is a JWT that says of itself that
// somebody else has issued it.
func (a *Authenticator) isForeign(text string) bool {
	if a.sources.Providers == nil || !looksIssued(text) {
		return false
	}
	issuer := claimedIssuer(text)
	return issuer != "" && !oidc.SameAddress(issuer, a.sources.Issuer)
}

// maxAddress bounds the address of a provider, in bytes.
const maxAddress = 1000

// claimedIssuer is what a JWT says of who issued it, "" for nobody, and for what
// can be no address. Nothing is verified: it only tells who is to be asked.
func claimedIssuer(text string) string {
	parts := strings.Split(text, ".")
	if len(text) > oidc.MaxToken || len(parts) != 3 || !isCanonical(text) {
		return ""
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(body, &claims); err != nil || len(claims.Issuer) > maxAddress ||
		strings.ContainsFunc(claims.Issuer, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return claims.Issuer
}
