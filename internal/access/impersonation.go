package access

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// MayImpersonate returns nil while a session goes on that is as claimed: its id,
// user, operator and scopes (E4). An Unauthenticated fault if it does not, if the
// operator may not impersonate any more, or if what the operator was known by when it
// began is good no more; Denied (user_blocked) if the user is blocked (U5). All that is recorded when it is called is in force for it.
func (s *Service) MayImpersonate(ctx context.Context, env account.EnvironmentID, claimed account.Impersonation) error {
	over := fault.New(fault.Unauthenticated, "unauthenticated", "the impersonation is over")
	var head account.Version
	err := s.names.Read(ctx, env, func(r directory.Reader) (err error) {
		if head, err = r.Head(ctx); err != nil {
			return err
		}
		found, err := r.Impersonation(ctx, claimed.ID)
		if err != nil {
			return err
		}
		i := found.Value
		if i.User != claimed.User || i.Operator != claimed.Operator || i.Scopes != claimed.Scopes || !i.ExpiresAt.After(s.cfg.Now()) {
			return over
		}
		if err := s.stillBegun(ctx, r, i); err != nil {
			return err
		}
		_, err = r.User(ctx, i.User)
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
	answers, err := now.ask(ctx, []item{
		{relation.EnvironmentObject(env), "impersonate", subjectRef{Object: relation.OperatorObject(env, claimed.Operator)}},
		s.blocked(env, subjectRef{Object: relation.UserObject(env, claimed.User)}),
	})
	switch {
	case err != nil:
		return err
	case answers[0].Err != nil || answers[1].Err != nil:
		return errors.Join(answers[0].failure(), answers[1].failure())
	case !answers[0].Allowed:
		return over
	case answers[1].Allowed:
		return fault.New(fault.Denied, "user_blocked", "user %s is blocked", claimed.User)
	default:
		return nil
	}
}

// stillBegun returns nil if what the operator was known by who began a session is good
// still: a client's secret and scopes, or a person's subject at a provider that is trusted
// with operators, for the audience of the token. A NotFound fault if not; another operator may have the id since.
func (s *Service) stillBegun(ctx context.Context, r directory.Reader, i account.Impersonation) error {
	if !i.Person {
		if i.Secret == "" {
			return fault.New(fault.NotFound, "secret_not_found", "impersonation %s does not say with which secret it was begun", i.ID)
		}
		_, err := stillThrough(ctx, r, account.Through{Client: i.Operator, Secret: i.Secret, Acting: true, Scopes: i.Scopes}, s.cfg.Now())
		return err
	}
	issuer, err := r.IssuerAt(ctx, i.Issuer)
	if err != nil {
		return err
	}
	operator, err := r.OperatorAt(ctx, i.Issuer, i.Subject)
	if err == nil && (operator.Value.ID != i.Operator || !takes(issuer.Value, account.ForOperators, i.Audience)) {
		err = fault.New(fault.NotFound, "operator_not_found", "operator %s does not sign in so any more", i.Operator)
	}
	return err
}
