package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Vouched is what a token says that an OpenID provider of an environment has signed.
type Vouched struct {
	Issuer    account.Issuer
	Subject   string
	Email     string // only if the provider says that it is verified
	Name      string
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// SignIn returns who the subject of a provider is: a user with that identity, or
// the operator who has signed in there. An Unauthenticated fault (unauthenticated)
// for who is neither; Denied (user_blocked) for a blocked user.
func (d *Directory) SignIn(ctx context.Context, env account.EnvironmentID, v Vouched) (account.Actor, error) {
	actor := account.Actor{Environment: env}
	err := d.store.Read(ctx, env, func(r Reader) error {
		if v.Issuer.Purpose == account.ForOperators {
			operator, err := r.OperatorAt(ctx, v.Issuer.URL, v.Subject)
			actor.Client, actor.Person = operator.Value.ID, true
			return err
		}
		identity, err := r.IdentityAt(ctx, v.Issuer.URL, v.Subject)
		if err != nil {
			return err
		}
		actor.User = identity.Value.User
		user, err := r.User(ctx, actor.User)
		if err == nil && user.Value.Blocked {
			err = fault.New(fault.Denied, "user_blocked", "user %s is blocked", actor.User)
		}
		return err
	})
	if errors.Is(err, fault.NotFound) {
		return account.Actor{}, fault.New(fault.Unauthenticated, "unauthenticated", "the provider vouches for nobody who is known here")
	}
	if err != nil {
		return account.Actor{}, err
	}
	return actor, nil
}
