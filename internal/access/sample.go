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
	// differing is how often in a row they have to differ before that counts.
	differing = 3
	// clocksDiffer is by how much the clocks of this machine and of the engine's may differ: nobody is
	// sampled of whom a membership ends within it.
	clocksDiffer = 5 * time.Minute
	// meetings is how often it is tried to find index and engine at one version, while much is written.
	meetings = 50
)

// Compare asks index and engine about a subject of an environment, chosen at random: which accounts
// they may open, unless these are very many, and checks of random permissions, half of them near what they may open. A
// difference is a problem if it is there three times in a row, with a pause between.
func (s *Service) Compare(ctx context.Context, env account.EnvironmentID, pause time.Duration) (Sample, error) {
	var out Sample
	for try := 1; ; try++ {
		view, m, err := s.meet(ctx, env)
		if err != nil || view == nil {
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
		problem, err := m.differences(ctx, view, out.Subject)
		if err != nil {
			return Sample{}, err
		}
		if problem == "" || try == differing {
			out.Compared, out.Version, out.Problem = true, view.Version(), problem
			return out, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Sample{}, ctx.Err()
		}
	}
}

// meet returns the index's view and a moment at which the engine is asked for exactly that version; no view if they did not meet.
func (s *Service) meet(ctx context.Context, env account.EnvironmentID) (*switcher.View, *moment, error) {
	for range meetings {
		m := &moment{service: s, env: env}
		consistency, err := m.engine(ctx)
		if err != nil {
			return nil, nil, err
		}
		waiting, cancel := context.WithTimeout(ctx, indexWait)
		view, err := s.cfg.Index.View(waiting, env, m.version)
		cancel()
		if err != nil {
			return nil, nil, err
		}
		if view.Version() == m.version {
			// what is written meanwhile is not to be seen
			exactly := &v1.Consistency_AtExactSnapshot{AtExactSnapshot: consistency.GetAtLeastAsFresh()}
			m.consistency = &v1.Consistency{Requirement: exactly}
			return view, m, nil
		}
	}
	return nil, nil, nil
}

// differences says how what the engine answers of a subject at the moment differs from the view; "" if it does not.
func (m *moment) differences(ctx context.Context, view *switcher.View, who switcher.Subject) (string, error) {
	object, ok := objectOf(m.env, who)
	if !ok {
		return "", nil
	}
	if ids, total := view.IDs(who, mostSampled); who.Kind != switcher.Operator && total <= mostSampled && !view.Blocked(who) {
		whose := Subject{User: account.UserID(who.ID)}
		if who.Kind == switcher.APIToken {
			whose = Subject{APIToken: account.APITokenID(who.ID)}
		}
		found, err := m.reachable(ctx, whose, memberAccess)
		if err != nil {
			return "", err
		}
		slices.Sort(ids)
		slices.Sort(found)
		if !slices.Equal(ids, found) {
			return fmt.Sprintf("of the accounts that %s may open, the index lists %d and the engine %d", object, len(ids), len(found)), nil
		}
	}
	items, answers := m.sampled(view, who, subjectRef{Object: object})
	said, err := m.askAll(ctx, items)
	if err != nil {
		return "", err
	}
	for i := range items {
		if said[i] != answers[i] {
			return fmt.Sprintf("whether %s has %s at %s: the index says %t and the engine %t", object, items[i].permission, items[i].resource, answers[i], said[i]), nil
		}
	}
	return "", nil
}

// sampled returns questions about a subject, and what the view answers.
func (m *moment) sampled(view *switcher.View, who switcher.Subject, subject subjectRef) (items []item, answers []bool) {
	names := view.Permissions()
	for i := range checksSampled {
		id, ok := view.Somewhere(rand.IntN)
		if near, known := view.Near(who, rand.IntN); known && i%2 == 0 {
			id, ok = near, true
		}
		if !ok {
			break
		}
		name := names[rand.IntN(len(names))] //nolint:gosec // G404: a sample, no secret
		allowed, _ := view.Allowed(who, name, id)
		answers, items = append(answers, allowed), append(items, item{relation.AccountObject(m.env, id), name, subject})
	}
	for _, right := range switcher.PortalRights() {
		holds, _ := view.Portal(who, right)
		answers, items = append(answers, holds), append(items, item{relation.EnvironmentObject(m.env), right, subject})
	}
	return items, answers
}

// objectOf is a subject of the index as the engine knows it.
func objectOf(env account.EnvironmentID, who switcher.Subject) (relation.Object, bool) {
	for kind, is := range subjectKinds {
		if is == who.Kind {
			return relation.In(env, kind, who.ID), true
		}
	}
	return relation.Object{}, false
}
