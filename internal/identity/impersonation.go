package identity

import (
	"context"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Impersonating decides whether impersonations go on.
type Impersonating interface {
	// MayImpersonate returns nil while the session goes on that is as claimed: its id, user,
	// operator and scopes. Unauthenticated if it does not, or its operator may not impersonate any more;
	// Denied (user_blocked) if the user is blocked; Unavailable if that cannot be found out.
	MayImpersonate(ctx context.Context, env account.EnvironmentID, claimed account.Impersonation) error
}

// impersonation returns the user whom the bearer of an issued token acts as.
func (a *Authenticator) impersonation(ctx context.Context, env account.EnvironmentID, c issued, p Presented) (Caller, error) {
	if c.Act == nil {
		return Caller{}, notIssued()
	}
	operator, ok := strings.CutPrefix(c.Act.Subject, operatorPrefix)
	claimed := account.Impersonation{ID: account.ImpersonationID(c.ID), User: account.UserID(c.Subject), Operator: account.ClientID(operator)}
	scopes, err := account.ParseScopes("scope", strings.Fields(c.Scope))
	claimed.Scopes = scopes
	if !ok || err != nil || account.CheckID("jti", claimed.ID) != nil || account.CheckID("sub", claimed.User) != nil || account.CheckID("act", claimed.Operator) != nil {
		return Caller{}, notIssued()
	}
	caller := Caller{
		Actor:      account.Actor{Environment: env, User: claimed.User, Client: claimed.Operator, Impersonation: claimed.ID},
		Scopes:     scopes,
		Credential: credential(env, "operator", claimed.Operator),
	}
	if err := p.admit(caller.Credential, c.ID); err != nil {
		return caller, err
	}
	err = a.sources.Impersonating.MayImpersonate(ctx, env, claimed)
	if err == nil && p.ActForUser != "" {
		err = fault.New(fault.Denied, "may_not_act_for_users", "whoever impersonates a user acts for that user alone").In(ActForUser)
	}
	return caller, err
}
