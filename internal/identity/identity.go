// Package identity finds out who is calling: which environment client a bearer token belongs to and for which user that client acts, which account's machine it is, or which user an operator impersonates.
package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Credentials keeps the clients of every environment with the hashes of their secrets.
type Credentials interface {
	// Credential returns a client and the hash of its secret, which is nil if none was ever
	// set. NotFound faults for an environment or a client that does not exist, Unavailable
	// faults when trying again may help.
	Credential(ctx context.Context, env account.EnvironmentID, client account.ClientID) (account.Client, []byte, error)
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

// Authenticate returns who is calling, by the token in the Authorization header
// ("Bearer <token>"): a client, acting for actForUser unless that is empty; an
// account's API token; or a user whom an operator impersonates. Only clients act for others.
//
// Faults: Unauthenticated (unauthenticated), the same for an environment, a
// client or an API token that does not exist and for a secret that is wrong; those of
// Acting.MayActFor, naming the field Act-For-User, and of Impersonating.MayImpersonate;
// Unavailable when the credentials cannot be read. No error repeats the header.
func (a *Authenticator) Authenticate(ctx context.Context, authorizationHeader, actForUser string) (account.Actor, error) {
	text, err := bearer(authorizationHeader)
	switch {
	case err != nil:
		return account.Actor{}, err
	case strings.HasPrefix(text, APIPrefix):
		return a.machine(ctx, text, actForUser)
	case looksIssued(text):
		return a.impersonation(ctx, text, actForUser)
	default:
		return a.client(ctx, text, actForUser)
	}
}

// client returns the client that sends the token, acting for a user if one is named.
func (a *Authenticator) client(ctx context.Context, text, actForUser string) (account.Actor, error) {
	token, err := ParseToken(text)
	if err != nil {
		return account.Actor{}, err
	}
	if err := a.verify(ctx, token); err != nil {
		return account.Actor{}, err
	}
	actor := account.Actor{Environment: token.Environment, Client: token.Client}
	if actForUser == "" {
		return actor, nil
	}
	user := account.UserID(actForUser)
	if err := account.CheckID(ActForUser, user); err != nil {
		return account.Actor{}, err
	}
	if err := a.sources.Acting.MayActFor(ctx, token.Environment, token.Client, user); err != nil {
		return account.Actor{}, inActForUser(err)
	}
	actor.User = user
	return actor, nil
}

// verify checks the secret; of unknown clients too, so that they take the same path.
func (a *Authenticator) verify(ctx context.Context, token Token) error {
	_, kept, err := a.sources.Credentials.Credential(ctx, token.Environment, token.Client)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if !matches(kept, token.Secret) || err != nil {
		return unauthenticated("the token is not valid: the client is unknown, revoked, or its secret is another")
	}
	return nil
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
