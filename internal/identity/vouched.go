package identity

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Vouched returns what an OpenID provider's token says of who sends it, and in which
// environment. An Unauthenticated fault: no provider is asked yet.
func (*Authenticator) Vouched(context.Context, Presented) (account.EnvironmentID, directory.Vouched, error) {
	return "", directory.Vouched{}, unauthenticated("the token is none of an OpenID provider that the environment trusts")
}
