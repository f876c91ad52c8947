package identity

import (
	"context"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
)

// Subject returns the user whose own token this is, or whom somebody impersonates
// with it: what can be exchanged for a token for one account (RFC 8693). The environment is
// the one that the exchange is made in.
//
// Faults: those of Authenticate; Unauthenticated also for what is no user's, and for what is
// for one account already.
func (a *Authenticator) Subject(ctx context.Context, env account.EnvironmentID, token string) (Caller, error) {
	unfit := unauthenticated("the token is none that a user signed in with, and none of an impersonation")
	if strings.HasPrefix(token, Prefix) || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Caller{}, unfit
	}
	caller, err := a.Authenticate(ctx, Presented{Authorization: "Bearer " + token, Environment: string(env)})
	if err != nil {
		return Caller{}, err
	}
	if caller.Actor.User == "" || caller.Actor.Account != "" {
		return Caller{}, unfit
	}
	return caller, nil
}
