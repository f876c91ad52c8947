// Package identity finds out who is calling: which environment client a bearer token belongs to and for which user that client acts, which account's machine it is, which user an operator impersonates, which user has a token for one account, or who has signed in at an OpenID provider.
package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/memo"
)

// Credentials keeps the clients of every environment with the hashes of their secrets.
type Credentials interface {
	// Credential returns what a client is authenticated by. NotFound faults for an environment
	// or a client that does not exist, Unavailable faults when trying again may help.
	Credential(ctx context.Context, env account.EnvironmentID, client account.ClientID) (account.ClientCredential, error)
}

// Acting decides which clients may send requests in the name of a user.
type Acting interface {
	// MayActFor returns nil if the client may act for the user. Denied if it may not or the
	// user is blocked (U5), NotFound if there is no such user, Invalid if the id is malformed.
	MayActFor(ctx context.Context, env account.EnvironmentID, client account.ClientID, user account.UserID) error
}

// Sources is where an Authenticator looks up what tokens name.
type Sources struct {
	Credentials   Credentials
	Acting        Acting
	APITokens     APITokens
	Keys          Keys
	Impersonating Impersonating
	Opening       Opening
	Issuer        string           // in whose name tokens are issued: this deployment's public address
	Issuers       Issuers          // of environments; not used without Providers
	Providers     Providers        // verifies tokens of OpenID providers; nil if none are taken
	SignIns       SignIns          // says who the bearers of such tokens are
	Uses          Noting           // nil for nobody
	Now           func() time.Time // nil is time.Now
	Marks         memo.Marking     // of what Credentials, APITokens and Keys read; nil to read for every request
}

func (s Sources) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Authenticator tells callers by their tokens.
type Authenticator struct {
	sources  Sources
	accepted accepted
}

// New returns an Authenticator.
func New(sources Sources) *Authenticator {
	return &Authenticator{sources: sources, accepted: newAccepted()}
}

// ActForUser is the name of the header, or of the metadata, that names the user a client acts for.
const ActForUser = "Act-For-User"

// Environment is the name of the header that names the environment, which the
// tokens of OpenID providers say nothing about.
const Environment = "Tenantry-Environment"

// Presented is what a request says about who sends it; "" for what it does not say.
type Presented struct {
	Authorization string // the header: "Bearer <token>"
	ActForUser    string // the user a client acts for
	Environment   string // the environment meant

	// Admit is asked when the secret of a client is good, or the signature of an issued token, before more is
	// found out about its bearer: its error refuses a credential, as a Caller names it, or
	// one token of it, by its id ("" for a secret). nil refuses nothing.
	Admit func(credential, token string) error
}

func (p Presented) admit(credential, token string) error {
	if p.Admit == nil {
		return nil
	}
	return p.Admit(credential, token)
}

// Caller is who sends a request, and what the credential may be used for.
type Caller struct {
	Actor      account.Actor
	Scopes     account.Scopes // what the credential may be used for
	Account    account.ID     // that the credential belongs to: an API token's; "" for none
	Credential string         // names the credential, so that two can be told apart; no secret
	Share      string         // names whose share of the server requests take, where that is not the credential's own; "" if it is

	SignedIn account.SignedIn // as whom a user or an operator has signed in at an OpenID provider; zero for all others

	// Secret is by which of its secrets a client is known, also one that acts for a user; "" for others.
	Secret account.SecretID
}

// credential names a credential of an environment.
func credential[T ~string](env account.EnvironmentID, kind string, id T) string {
	return string(env) + "/" + kind + ":" + string(id)
}

// Authenticate returns who is calling, by the bearer token: a client, acting for
// ActForUser unless that is empty; an account's API token; a user whom an
// operator impersonates; a user with a token for one account; or a user or an operator
// who signed in at an OpenID provider of the environment that is named. Only clients act for others.
//
// Faults: Unauthenticated (unauthenticated), the same for an environment, a
// client or an API token that does not exist and for a secret that is wrong,
// (exchange_required) for a client's secret that is right where the environment is exchange_only, and
// (environment_required) for a provider's token without an environment; those of
// Acting.MayActFor, naming the field Act-For-User, of Impersonating.MayImpersonate, Opening.MayUseAccount,
// Providers.Verify and SignIns.SignIn; those of Presented.Admit; Unavailable when the credentials cannot be read. No error repeats what was presented.
// With another fault than Unauthenticated the Caller may say which credential it was and whose share it takes, and says nothing else: refusals count too.
func (a *Authenticator) Authenticate(ctx context.Context, p Presented) (Caller, error) {
	caller, err := a.authenticate(ctx, p)
	if errors.Is(err, fault.Unauthenticated) {
		return Caller{}, err
	}
	if err != nil {
		return Caller{Credential: caller.Credential, Share: caller.Share}, err
	}
	if p.Environment != "" && p.Environment != string(caller.Actor.Environment) {
		return Caller{}, unauthenticated("the credential is not one of the environment that %s names", Environment)
	}
	return caller, nil
}

func (a *Authenticator) authenticate(ctx context.Context, p Presented) (Caller, error) {
	text, err := Bearer(p.Authorization)
	switch {
	case err != nil:
		return Caller{}, err
	case strings.HasPrefix(text, APIPrefix):
		return a.machine(ctx, text, p.ActForUser)
	case a.isForeign(text):
		return a.signedIn(ctx, p, text)
	case looksIssued(text):
		return a.issuedTo(ctx, text, p)
	default:
		return a.client(ctx, text, p)
	}
}

// actingFor returns a client as the caller, acting for a user if one is named.
func (a *Authenticator) actingFor(ctx context.Context, env account.EnvironmentID, client account.Client, secret account.SecretID, actForUser string) (Caller, error) {
	caller := Caller{
		Secret:     secret,
		Actor:      account.Actor{Environment: env, Client: client.ID},
		Scopes:     client.Scopes,
		Credential: ClientCredential(env, client.ID),
	}
	if actForUser == "" {
		return caller, nil
	}
	user := account.UserID(actForUser)
	if err := account.CheckID(ActForUser, user); err != nil {
		return caller, err
	}
	if err := a.sources.Acting.MayActFor(ctx, env, client.ID, user); err != nil {
		return caller, inActForUser(err)
	}
	caller.Actor.User = user
	return caller, nil
}

// Bearer takes the token out of an Authorization header, however that is written. An
// Unauthenticated fault (unauthenticated) if the header is another.
func Bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", unauthenticated("send the client's token in the header: Authorization: Bearer %s…", Prefix)
	}
	return token, nil
}

func inActForUser(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.In(ActForUser)
	}
	return err
}
