package identity

import (
	"context"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
)

// Client returns the client whose OAuth client_id and client_secret these are, and by
// which of its secrets it is known. Unauthenticated, in the same words for every failure.
func (a *Authenticator) Client(ctx context.Context, clientID, secret string) (account.EnvironmentID, account.Client, account.SecretID, error) {
	token, err := ParseToken(secret)
	if err != nil || !strings.HasPrefix(secret, Prefix+clientID+".") {
		return "", account.Client{}, "", unauthenticated("the client is unknown, revoked, or its secret is another")
	}
	client, id, err := a.verify(ctx, token)
	if err != nil {
		return "", account.Client{}, "", err
	}
	return token.Environment, client, id, nil
}
