// Package identity finds out who is calling: which environment client a bearer token belongs to and for which user that client acts, which account's machine it is, or which user an operator impersonates.
package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
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
	Issuer        string           // in whose name tokens are issued: this deployment's public address
	Uses          Noting           // nil for nobody
	Now           func() time.Time // nil is time.Now
}

func (s Sources) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Authenticator tells callers by their tokens.
type Authenticator struct {
	sources Sources
}

// New returns an Authenticator.
func New(sources Sources) *Authenticator {
	return &Authenticator{sources: sources}
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
}

// Caller is who sends a request, and what the credential may be used for.
type Caller struct {
	Actor      account.Actor
	Scopes     account.Scopes // what the credential may be used for
	Account    account.ID     // that the credential belongs to: an API token's; "" for none
	Credential string         // names the credential, so that two can be told apart; no secret
}

// credential names a credential of an environment.
func credential[T ~string](env account.EnvironmentID, kind string, id T) string {
	return string(env) + "/" + kind + ":" + string(id)
}

// Authenticate returns who is calling, by the bearer token: a client, acting for
// ActForUser unless that is empty; an account's API token; or a user whom an
// operator impersonates. Only clients act for others.
//
// Faults: Unauthenticated (unauthenticated), the same for an environment, a
// client or an API token that does not exist and for a secret that is wrong; those of
// Acting.MayActFor, naming the field Act-For-User, and of Impersonating.MayImpersonate;
// Unavailable when the credentials cannot be read. No error repeats what was presented.
func (a *Authenticator) Authenticate(ctx context.Context, p Presented) (Caller, error) {
	caller, err := a.authenticate(ctx, p)
	if err == nil && p.Environment != "" && p.Environment != string(caller.Actor.Environment) {
		return Caller{}, unauthenticated("the credential is not one of the environment that %s names", Environment)
	}
	if err != nil {
		return Caller{}, err
	}
	return caller, nil
}

func (a *Authenticator) authenticate(ctx context.Context, p Presented) (Caller, error) {
	text, err := bearer(p.Authorization)
	switch {
	case err != nil:
		return Caller{}, err
	case strings.HasPrefix(text, APIPrefix):
		return a.machine(ctx, text, p.ActForUser)
	case looksIssued(text):
		return a.issuedTo(ctx, text, p.ActForUser)
	default:
		return a.client(ctx, text, p.ActForUser)
	}
}

// client returns the client that sends the token, acting for a user if one is named.
func (a *Authenticator) client(ctx context.Context, text, actForUser string) (Caller, error) {
	token, err := ParseToken(text)
	if err != nil {
		return Caller{}, err
	}
	known, _, err := a.verify(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	return a.actingFor(ctx, token.Environment, known, actForUser)
}

// actingFor returns a client as the caller, acting for a user if one is named.
func (a *Authenticator) actingFor(ctx context.Context, env account.EnvironmentID, client account.Client, actForUser string) (Caller, error) {
	caller := Caller{
		Actor:      account.Actor{Environment: env, Client: client.ID},
		Scopes:     client.Scopes,
		Credential: credential(env, "client", client.ID),
	}
	if actForUser == "" {
		return caller, nil
	}
	user := account.UserID(actForUser)
	if err := account.CheckID(ActForUser, user); err != nil {
		return Caller{}, err
	}
	if err := a.sources.Acting.MayActFor(ctx, env, client.ID, user); err != nil {
		return Caller{}, inActForUser(err)
	}
	caller.Actor.User = user
	return caller, nil
}

// verify returns the client whose secret was sent, and which of its secrets that
// is. Unknown clients take the same path as a wrong secret.
func (a *Authenticator) verify(ctx context.Context, token Token) (account.Client, account.SecretID, error) {
	kept, err := a.sources.Credentials.Credential(ctx, token.Environment, token.Client)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.Client{}, "", err
	}
	var used account.SecretID
	found := false
	now := a.sources.now()
	for _, s := range append(kept.Secrets, account.KeptSecret{}) { // the last compares as long as there is none
		if matches(token.Secret, s.Hash) && !s.Expired(now) {
			used, found = s.ID, true
		}
	}
	if err != nil || !found {
		return account.Client{}, "", unauthenticated("the token is not valid: the client is unknown, revoked, or its secret is another")
	}
	return kept.Client, used, nil
}

// matches compares a secret with a hash, in constant time. It compares without a
// hash too, with one that no secret has, so that this takes the same path.
func matches(secret directory.Secret, kept []byte) bool {
	sent := directory.HashSecret(secret)
	there := len(kept) == len(sent)
	if !there {
		kept = make([]byte, len(sent))
	}
	return subtle.ConstantTimeCompare(sent, kept) == 1 && there
}

// bearer takes the token out of an Authorization header.
func bearer(header string) (string, error) {
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
