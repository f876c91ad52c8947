package access

import (
	"context"
	"errors"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// MayImpersonate returns nil while a session goes on that is as claimed: its id,
// user and operator (E4). An Unauthenticated fault if it does not, or if the
// operator may not impersonate any more; Denied (user_blocked) if the user is
// blocked (U5). All that is recorded when it is called is in force for it.
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
		if i.User != claimed.User || i.Operator != claimed.Operator || !i.ExpiresAt.After(s.cfg.Now()) {
			return over
		}
		by, err := directory.FindOfficer(ctx, r, i.Operator)
		if err != nil {
			return err
		}
		if by.Person != i.Person {
			return over // another one has the id since
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
	consistency, _, err := s.from(ctx, env, head)
	if err != nil {
		return err
	}
	answers, err := s.ask(ctx, consistency, []*v1.CheckBulkPermissionsRequestItem{
		item(relation.EnvironmentObject(env), "impersonate", subjectRef{Object: relation.OperatorObject(env, claimed.Operator)}),
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
