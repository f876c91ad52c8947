// Package access holds the read use cases: may this subject do this here, and which accounts may this user open. The engine decides; nothing here does.
package access

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// Freshness knows how far each environment is in force in the engine.
type Freshness interface {
	// Reached is the newest version known to be in force; 0 if none is.
	Reached(env account.EnvironmentID) account.Version
	// Fresh returns the newest ZedToken at or after a version, and its version. It waits
	// until ctx ends, and then returns an Unavailable fault.
	Fresh(ctx context.Context, env account.EnvironmentID, version account.Version) (token string, at account.Version, err error)
}

// Names reads the directory: what accounts are called, where they stand, and from where they may be used. directory.Store has it.
type Names interface {
	directory.AllowLister
	Read(ctx context.Context, env account.EnvironmentID, fn func(directory.Reader) error) error
}

// Config adjusts a Service; the zero value is good for production.
type Config struct {
	Index     Index         // nil for none: then the engine is always asked
	FreshWait time.Duration // how long a question waits for the version it asks for; 2 s if 0
	Now       func() time.Time
	Log       *slog.Logger          // nil for silence
	Registry  prometheus.Registerer // metrics are kept but not exported if nil
}

// Service answers questions about access.
type Service struct {
	engine    grpc.ClientConnInterface
	fresh     Freshness
	names     Names
	catalogue *schema.Catalogue
	cfg       Config
	metrics   *metrics
}

// New returns a Service that asks the engine behind conn.
func New(conn grpc.ClientConnInterface, fresh Freshness, names Names, catalogue *schema.Catalogue, cfg Config) *Service {
	if cfg.FreshWait == 0 {
		cfg.FreshWait = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{engine: conn, fresh: fresh, names: names, catalogue: catalogue, cfg: cfg, metrics: newMetrics(cfg.Registry)}
}

// Decide answers questions about the actor's own rights, with at least the given
// version in force, which the directory must have. With a token for one account, the
// answer about anything else is no (W2). Unavailable faults when that version does not
// come in time, or the engine is away.
func (s *Service) Decide(ctx context.Context, actor account.Actor, atLeast account.Version, questions []directory.Question) ([]bool, error) {
	subject, err := subjectOf(actor)
	if err != nil {
		return nil, err
	}
	now, err := s.inForce(ctx, actor.Environment, atLeast)
	if err != nil {
		return nil, err
	}
	var items []item
	var places []int
	for i, q := range questions {
		if within(actor, q.Resource) == nil {
			items, places = append(items, item{q.Resource, q.Permission, subject}), append(places, i)
		}
	}
	allowed, err := now.askAll(ctx, items)
	if err != nil {
		return nil, err
	}
	answers := make([]bool, len(questions))
	for i, place := range places {
		answers[place] = allowed[i]
	}
	return answers, nil
}

// askAll asks any number of items; the answers are in their order, and an item's fault is one of all.
func (m *moment) askAll(ctx context.Context, items []item) ([]bool, error) {
	out := make([]bool, 0, len(items))
	for part := range slices.Chunk(items, maxAsked) {
		answers, err := m.ask(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, a := range answers {
			if a.Err != nil {
				return nil, a.Err
			}
			out = append(out, a.Allowed)
		}
	}
	return out, nil
}

// maxAsked is the most questions that go into one call to the engine, which takes 10,000.
const maxAsked = 1000

// MayActFor returns nil if the client may send requests in the name of the
// user, a Denied fault if it may not or the user is blocked (U5), NotFound if
// there is no such user. All that is recorded when it is called is in force for it.
func (s *Service) MayActFor(ctx context.Context, env account.EnvironmentID, client account.ClientID, user account.UserID) error {
	if err := account.CheckID("user", user); err != nil {
		return err
	}
	var head account.Version
	var missing error
	err := s.names.Read(ctx, env, func(r directory.Reader) (err error) {
		if head, err = r.Head(ctx); err != nil {
			return err
		}
		if _, err = r.User(ctx, user); errors.Is(err, fault.NotFound) {
			missing, err = err, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	now, err := s.from(ctx, env, head)
	if err != nil {
		return err
	}
	operator := subjectRef{Object: relation.OperatorObject(env, client)}
	answers, err := now.ask(ctx, []item{
		{relation.EnvironmentObject(env), "act_for_users", operator},
		s.blocked(env, subjectRef{Object: relation.UserObject(env, user)}),
	})
	if err != nil {
		return err
	}
	if answers[0].Err != nil || answers[1].Err != nil {
		return errors.Join(answers[0].failure(), answers[1].failure())
	}
	if !answers[0].Allowed {
		return fault.New(fault.Denied, "may_not_act_for_users", "client %s may not act for users; make one with --act-for-users", client)
	}
	if missing != nil {
		return missing
	}
	if answers[1].Allowed {
		return fault.New(fault.Denied, "user_blocked", "user %s is blocked", user)
	}
	return nil
}

func subjectOf(actor account.Actor) (subjectRef, error) {
	switch {
	case actor.User != "":
		return subjectRef{Object: relation.UserObject(actor.Environment, actor.User)}, nil
	case actor.APIToken != "":
		return subjectRef{Object: relation.APITokenObject(actor.Environment, actor.APIToken)}, nil
	case actor.Client != "":
		return subjectRef{Object: relation.OperatorObject(actor.Environment, actor.Client)}, nil
	default:
		return subjectRef{}, fault.New(fault.Unauthenticated, "unauthenticated", "who is calling is not known")
	}
}
