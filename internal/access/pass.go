package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// within refuses questions about anything but the one account that the actor's token
// opens (W2), whether or not there is such a thing.
func within(actor account.Actor, resource relation.Object) error {
	if actor.Account == "" || resource == relation.AccountObject(actor.Environment, actor.Account) {
		return nil
	}
	return directory.OutsideAccount(actor)
}

// MayUseAccount returns nil while a token for one account opens it (W2): its user
// may open the account, and all that the token names is still what it was then.
// An Unauthenticated fault if not; Denied (user_blocked) if the user is blocked (U5). All
// that is recorded when it is called is in force for it.
func (s *Service) MayUseAccount(ctx context.Context, env account.EnvironmentID, pass account.Pass) error {
	if pass.Impersonation != "" {
		session := account.Impersonation{ID: pass.Impersonation, User: pass.User, Operator: pass.Operator, Scopes: pass.Through.Scopes}
		if err := s.MayImpersonate(ctx, env, session); err != nil {
			return err
		}
	}
	over := fault.New(fault.Unauthenticated, "unauthenticated", "the token opens its account no more")
	var head account.Version
	err := s.names.Read(ctx, env, func(r directory.Reader) (err error) {
		if head, err = r.Head(ctx); err != nil {
			return err
		}
		made, err := s.madeOf(ctx, r, pass)
		if err == nil && !made.Equal(pass.Made) {
			err = over
		}
		return err
	})
	if errors.Is(err, fault.NotFound) {
		return over
	}
	if err != nil {
		return err
	}
	now, err := s.from(ctx, env, head)
	if err != nil {
		return err
	}
	user := subjectRef{Object: relation.UserObject(env, pass.User)}
	items := []item{
		s.blocked(env, user),
		{relation.AccountObject(env, pass.Account), "access", user},
	}
	if pass.Through.Acting {
		items = append(items, item{relation.EnvironmentObject(env), "act_for_users", subjectRef{Object: relation.OperatorObject(env, pass.Through.Client)}})
	}
	allowed, err := now.askAll(ctx, items)
	switch {
	case err != nil:
		return err
	case allowed[0]:
		return fault.New(fault.Denied, "user_blocked", "user %s is blocked", pass.User)
	case slices.Contains(allowed[1:], false):
		return over
	default:
		return nil
	}
}

// madeOf returns when the things that a token names were made. A NotFound fault if one of
// them is no more: the user, the account, or the client with the secret and the scopes.
func (s *Service) madeOf(ctx context.Context, r directory.Reader, pass account.Pass) (account.Made, error) {
	user, err := r.User(ctx, pass.User)
	if err != nil {
		return account.Made{}, err
	}
	opened, err := r.Account(ctx, pass.Account)
	if err != nil {
		return account.Made{}, err
	}
	if err := stillSignedIn(ctx, r, pass); err != nil {
		return account.Made{}, err
	}
	made := account.Made{User: user.Value.CreatedAt, Account: opened.Value.CreatedAt}
	if pass.Through.Client != "" {
		made.Client, err = stillThrough(ctx, r, pass.Through, s.cfg.Now())
	}
	return made, err
}

// stillSignedIn returns nil if a token was not got by signing in at an OpenID provider, or
// the subject there is still the user and the provider still trusted with tokens of that audience. A NotFound fault otherwise.
func stillSignedIn(ctx context.Context, r directory.Reader, pass account.Pass) error {
	at := pass.Through.SignedIn
	if at.Issuer == "" {
		return nil
	}
	issuer, err := r.IssuerAt(ctx, at.Issuer)
	if err != nil {
		return err
	}
	identity, err := r.IdentityAt(ctx, at.Issuer, at.Subject)
	if err == nil && (identity.Value.User != pass.User || !takes(issuer.Value, account.ForUsers, at.Audience)) {
		err = fault.New(fault.NotFound, "identity_not_found", "the user does not sign in so any more")
	}
	return err
}

// takes reports whether an environment takes a provider's tokens for one audience, for users or for operators.
func takes(issuer account.Issuer, purpose account.Purpose, audience string) bool {
	return issuer.Purpose == purpose && slices.Contains(issuer.Audiences, audience)
}

// stillThrough returns when a client was made, which must still have the secret and the
// scopes with which it got a token in somebody's name, or exchanged somebody's for one. A NotFound fault if it has not.
func stillThrough(ctx context.Context, r directory.Reader, t account.Through, now time.Time) (time.Time, error) {
	client, err := r.Client(ctx, t.Client)
	if err != nil {
		return time.Time{}, err
	}
	gone := fault.New(fault.NotFound, "client_not_found", "client %s may not do what it did", t.Client)
	if t.Acting && !t.Scopes.Within(client.Value.Scopes) || !t.Acting && !client.Value.Scopes.Has(account.ScopeCheck) {
		return time.Time{}, gone
	}
	if t.Secret == "" {
		return client.Value.CreatedAt, nil
	}
	secrets, err := r.ClientSecrets(ctx, t.Client)
	for _, secret := range secrets {
		if secret.Value.ID == t.Secret && !secret.Value.Expired(now) {
			return client.Value.CreatedAt, nil
		}
	}
	return time.Time{}, errors.Join(err, gone)
}
