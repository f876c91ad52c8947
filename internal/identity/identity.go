// Package identity finds out who is calling: which environment client a bearer token belongs to, and for which user that client acts.
package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
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

// Authenticator tells callers by their tokens.
type Authenticator struct {
	credentials Credentials
	acting      Acting
}

// New returns an Authenticator.
func New(credentials Credentials, acting Acting) *Authenticator {
	return &Authenticator{credentials: credentials, acting: acting}
}

// ActForUser is the name of the header, or of the metadata, that names the user a client acts for.
const ActForUser = "Act-For-User"

// Authenticate returns who is calling: the client whose token is in the
// Authorization header ("Bearer <token>"), acting for actForUser unless that is
// empty.
//
// Faults: Unauthenticated (unauthenticated), the same for an environment or a
// client that does not exist and for a secret that is wrong; those of
// Acting.MayActFor, naming the field Act-For-User; Unavailable when the
// credentials cannot be read. No error repeats the header.
func (a *Authenticator) Authenticate(ctx context.Context, authorizationHeader, actForUser string) (account.Actor, error) {
	text, err := bearer(authorizationHeader)
	if err != nil {
		return account.Actor{}, err
	}
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
	if err := a.acting.MayActFor(ctx, token.Environment, token.Client, user); err != nil {
		return account.Actor{}, inActForUser(err)
	}
	actor.User = user
	return actor, nil
}

// verify checks the secret. The comparison is made for unknown clients too,
// against a hash that no secret has, so that they take the same path.
func (a *Authenticator) verify(ctx context.Context, token Token) error {
	_, kept, err := a.credentials.Credential(ctx, token.Environment, token.Client)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	sent := directory.HashSecret(token.Secret)
	known := err == nil && len(kept) == len(sent)
	if !known {
		kept = make([]byte, len(sent))
	}
	if subtle.ConstantTimeCompare(sent, kept) != 1 || !known {
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
