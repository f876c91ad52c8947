package access

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// Sample is a comparison of what index and engine say of one subject, at one version.
type Sample struct {
	Subject  switcher.Subject
	Version  account.Version
	Compared bool   // false if there was nobody to ask about, or the environment did not rest
	Problem  string // how they differ; "" if they do not
}

const (
	// mostSampled is how many accounts a subject may open at most for the whole list to be compared.
	mostSampled = 5000
	// checksSampled is how many checks are compared.
	checksSampled = 64
	// sampleTries is how often they are compared before a difference counts.
	sampleTries = 3
	// clocksDiffer is by how much the clocks of this machine and of the engine's may differ: nobody is
	// sampled of whom a membership ends within it.
	clocksDiffer = 5 * time.Minute
)

// Compare asks index and engine about a subject of an environment, chosen at random: which accounts
// they may open, unless these are very many, and checks of random permissions at random accounts.
func (s *Service) Compare(ctx context.Context, env account.EnvironmentID) (Sample, error) {
	var out Sample
	for range sampleTries {
		view, err := s.cfg.Index.View(ctx, env, s.fresh.Reached(env))
		if err != nil {
			return Sample{}, err
		}
		if out.Subject.ID == "" {
			var ok bool
			if out.Subject, ok = view.Somebody(rand.IntN); !ok {
				return out, nil
			}
		}
		if view.EndsAround(out.Subject, clocksDiffer) {
			return Sample{Subject: out.Subject}, nil
		}
		m := &moment{service: s, env: env, version: view.Version()}
		consistency, err := m.engine(ctx)
		if err != nil {
			return Sample{}, err
		}
		if m.version != view.Version() {
			continue
		}
		// what another server writes meanwhile is not to be seen
		exactly := &v1.Consistency_AtExactSnapshot{AtExactSnapshot: consistency.GetAtLeastAsFresh()}
		m.consistency = &v1.Consistency{Requirement: exactly}
		if out.Problem, err = m.differences(ctx, view, out.Subject); err != nil {
			return Sample{}, err
		}
		if out.Compared, out.Version = true, view.Version(); out.Problem == "" {
			return out, nil
		}
	}
	return out, nil
}

// differences says how what the engine answers of a subject at the moment differs from the view; "" if it does not.
func (m *moment) differences(ctx context.Context, view *switcher.View, who switcher.Subject) (string, error) {
	subject := Subject{User: account.UserID(who.ID)}
	if who.Kind == switcher.APIToken {
		subject = Subject{APIToken: account.APITokenID(who.ID)}
	}
	if ids, total := view.IDs(who, mostSampled); total <= mostSampled && !view.Blocked(who) {
		found, err := m.reachable(ctx, subject, memberAccess)
		if err != nil {
			return "", err
		}
		slices.Sort(ids)
		slices.Sort(found)
		if !slices.Equal(ids, found) {
			return fmt.Sprintf("of the accounts that %s may open, the index lists %d and the engine %d", subject.name(), len(ids), len(found)), nil
		}
	}
	names := view.Permissions()
	items, answers := make([]item, 0, checksSampled), make([]bool, 0, checksSampled)
	for range checksSampled {
		id, ok := view.Somewhere(rand.IntN)
		if !ok {
			return "", nil
		}
		name := names[rand.IntN(len(names))] //nolint:gosec // G404: a sample, no secret
		allowed, _ := view.Allowed(who, name, id)
		answers = append(answers, allowed)
		items = append(items, item{relation.AccountObject(m.env, id), name, subjectRef{Object: subject.object(m.env)}})
	}
	said, err := m.askAll(ctx, items)
	if err != nil {
		return "", err
	}
	for i := range items {
		if said[i] != answers[i] {
			return fmt.Sprintf("whether %s has %s at %s: the index says %t and the engine %t",
				subject.name(), items[i].permission, items[i].resource.ID, answers[i], said[i]), nil
		}
	}
	return "", nil
}
