package identity

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Client returns the environment's client whose secret this is, and which of its
// secrets it is. clientID is <environment>.<client>; the secret is
// tenantry_<environment>.<client>.<secret>, of the same client.
//
// Faults: Unauthenticated (unauthenticated), one for all that is not a client's
// secret; Unavailable when that cannot be found out. No error repeats what was presented.
func (a *Authenticator) Client(ctx context.Context, clientID, secret string) (account.EnvironmentID, account.Client, account.SecretID, error) {
	token, err := ParseToken(secret)
	if err != nil || WireID(token.Environment, token.Client) != clientID {
		return "", account.Client{}, "", unauthenticated("client_id and client_secret are not those of a client")
	}
	client, used, err := a.verify(ctx, token)
	if err != nil {
		return "", account.Client{}, "", err
	}
	return token.Environment, client, used, nil
}
