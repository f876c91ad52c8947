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

// Switched is an account that a user may open at this moment, and what a token for it says.
type Switched struct {
	Reachable
	Pass    account.Pass
	Version account.Version // as of which the engine answered
}

// Switch checks that a user may open an account, and returns what a token for it
// says (W2). through is the client that the request came through. All that is recorded
// when it is called is in force for it. It changes nothing.
//
// The token lasts as long as the environment's tokens do, and no longer than the
// impersonation in which it is asked for (E4), the user's own token, or the last of the memberships
// by which the user may open the account (U6).
//
// Faults: Denied (not_a_user: the caller is a machine or an operator; outside_account: with a
// token for one account; permission_denied, the same for an account that does not
// exist), Unauthenticated (the user, the client or the session is gone), Invalid
// (invalid_id, invalid_consistency_token), Unavailable.
func (s *Service) Switch(ctx context.Context, actor account.Actor, through account.Through, to account.ID, version account.Version) (Switched, error) {
	switch {
	case actor.User == "":
		return Switched{}, notAUser(actor)
	case actor.Account != "":
		return Switched{}, directory.OutsideAccount(actor)
	}
	if err := account.CheckID("account", to); err != nil {
		return Switched{}, err
	}
	at := s.cfg.Now().UTC()
	out := Switched{Pass: account.Pass{User: actor.User, Account: to, Through: through, IssuedAt: at.Truncate(time.Second)}}
	if actor.Impersonation != "" {
		out.Pass.Operator, out.Pass.Impersonation = actor.Client, actor.Impersonation
	}
	view, err := s.switchView(ctx, actor, &out, version, at)
	if err != nil {
		return Switched{}, err
	}
	allowed, seen, err := s.mayOpen(ctx, actor, to, view.head)
	if err != nil {
		return Switched{}, err
	}
	if !allowed || view.missing || !out.Pass.ExpiresAt.After(out.Pass.IssuedAt) {
		return Switched{}, fault.New(fault.Denied, "permission_denied", "%s may not open this account: needs access on account %s", actor.Name(), to)
	}
	out.Version = seen
	return out, nil
}

func notAUser(actor account.Actor) error {
	instead := "send a user's token"
	if actor.Client != "" && !actor.Person {
		instead += ", or name the user in Act-For-User"
	}
	return fault.New(fault.Denied, "not_a_user", "only users switch to an account: %s is none; %s", actor.Name(), instead)
}

// switchView is what the directory says of a switch besides what it fills in.
type switchView struct {
	head    account.Version
	missing bool // there is no such account, or no membership by which the user may open it
}

// switchView reads, in one snapshot, what a token for an account says.
func (s *Service) switchView(ctx context.Context, actor account.Actor, out *Switched, version account.Version, at time.Time) (view switchView, err error) {
	gone := fault.New(fault.Unauthenticated, "unauthenticated", "who is calling is not there any more")
	err = s.names.Read(ctx, actor.Environment, func(r directory.Reader) (err error) {
		if view.head, err = r.Head(ctx); err == nil {
			err = directory.CheckKnown(version, view.head)
		}
		if err != nil {
			return err
		}
		if _, err := r.User(ctx, actor.User); err != nil {
			return err
		}
		line, err := lineTo(ctx, r, out.Pass.Account)
		if view.missing = errors.Is(err, fault.NotFound); view.missing {
			return nil
		}
		if err != nil {
			return err
		}
		out.Reachable = reachableAt(line)
		if err := s.readSources(ctx, r, actor.User, line, out, at); err != nil {
			return err
		}
		if out.Pass.Made, err = s.madeOf(ctx, r, out.Pass); err != nil {
			return err
		}
		out.Pass.ExpiresAt, err = lifetimeOf(ctx, r, out)
		view.missing = len(out.Sources) == 0
		return err
	})
	if errors.Is(err, fault.NotFound) {
		err = gone
	}
	return view, err
}

// readSources reads by which memberships a user may open the last account of a line.
func (s *Service) readSources(ctx context.Context, r directory.Reader, user account.UserID, line []account.Account, out *Switched, at time.Time) error {
	ids := make([]account.ID, len(line))
	for i, a := range line {
		ids[i] = a.ID
	}
	memberships, err := r.MembershipsAt(ctx, ids, []account.UserID{user})
	holdings := make([]holding, len(memberships))
	for i, m := range memberships {
		holdings[i] = holdingOf(m)
	}
	out.Sources = sourcesOf(line, holdings, at)
	return err
}

// lifetimeOf is when a token ends that is given out for what was read.
func lifetimeOf(ctx context.Context, r directory.Reader, out *Switched) (time.Time, error) {
	env, err := r.Environment(ctx)
	if err != nil {
		return time.Time{}, err
	}
	end := out.Pass.IssuedAt.Add(time.Duration(env.Value.TokenMinutes) * time.Minute)
	earlier := func(t time.Time) {
		if t.Before(end) {
			end = t
		}
	}
	if id := out.Pass.Impersonation; id != "" {
		session, err := r.Impersonation(ctx, id)
		if err != nil {
			return time.Time{}, err
		}
		earlier(session.Value.ExpiresAt)
	}
	if until := out.Pass.Through.SignedIn.Until; !until.IsZero() {
		earlier(until)
	}
	if last := lastOf(out.Sources); last != nil {
		earlier(*last)
	}
	return end.UTC().Truncate(time.Second), nil
}

// lastOf is when the last of the sources ends; nil if one never does.
func lastOf(sources []Source) *time.Time {
	if len(sources) == 0 || slices.ContainsFunc(sources, func(s Source) bool { return s.ExpiresAt == nil }) {
		return nil
	}
	return slices.MaxFunc(sources, func(a, b Source) int { return a.ExpiresAt.Compare(*b.ExpiresAt) }).ExpiresAt
}

// mayOpen asks whether a user may open an account, and says up to which version that is so.
func (s *Service) mayOpen(ctx context.Context, actor account.Actor, id account.ID, atLeast account.Version) (bool, account.Version, error) {
	subject, err := subjectOf(actor)
	if err != nil {
		return false, 0, err
	}
	now, err := s.from(ctx, actor.Environment, atLeast)
	if err != nil {
		return false, 0, err
	}
	allowed, err := now.askAll(ctx, []item{{relation.AccountObject(actor.Environment, id), "access", subject}})
	return err == nil && allowed[0], now.version, err
}
