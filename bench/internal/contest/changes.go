package contest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// The keys of the cases about changes.
const (
	Grant         = "grant"
	Revoke        = "revoke"
	GrantInCheck  = "grant-check"
	RevokeInCheck = "revoke-check"
	GrantInList   = "grant-list"
	RevokeInList  = "revoke-list"
)

// changeCases describe what change measures.
func changeCases() []Case {
	describe := func(key, title string) Case { return Case{Key: key, Title: title, Group: Changes, Clients: 1} }
	return []Case{
		describe(Grant, "grant of sub-account access, until acknowledged"),
		describe(GrantInCheck, "from then until the first check that says so has been answered"),
		describe(GrantInList, "from then until the first list with it has arrived"),
		describe(Revoke, "its end, until acknowledged"),
		describe(RevokeInCheck, "from then until the first check that says so has been answered"),
		describe(RevokeInList, "from then until the first list without it has arrived"),
	}
}

// changer measures changes of one system in one round.
type changer struct {
	system peer.System
	grant  tree.Membership
	below  int // an account that the grant opens, below its own
	pace   pace
	times  map[string][]time.Duration
}

// changes grants and revokes again and again, and watches checks and lists by turns.
func changes(ctx context.Context, s peer.System, w *tree.World, round int, p pace) (map[string]Figure, error) {
	top := w.Of(w.Reaches[0].User)[0].Account // of the smallest branch: a list is not long
	c := changer{
		system: s, pace: p, below: int(top)*tree.FanOut + 1, times: map[string][]time.Duration{},
		grant: tree.Membership{User: int32(w.Newcomers[round%len(w.Newcomers)]), Account: top, Role: tree.Editor, Branch: true}, //nolint:gosec // some millions at most
	}
	const least = 6 // changes of each kind, however long they take
	begun := time.Now()
	for i := 0; i < least || time.Since(begun) < 2*p.each; i++ {
		if err := c.once(ctx, i%2 == 0); err != nil {
			return nil, err
		}
	}
	out := map[string]Figure{}
	for key, times := range c.times {
		out[key] = figure(times, time.Since(begun), 0)
	}
	return out, nil
}

// once grants and revokes, watching checks or lists.
func (c changer) once(ctx context.Context, byCheck bool) error {
	for _, step := range []struct {
		key, inCheck, inList string
		do                   func(context.Context, tree.Membership) error
		opens                bool
	}{{Grant, GrantInCheck, GrantInList, c.system.Put, true}, {Revoke, RevokeInCheck, RevokeInList, c.system.Remove, false}} {
		begun := time.Now()
		if err := step.do(ctx, c.grant); err != nil {
			return err
		}
		acknowledged := time.Now()
		c.times[step.key] = append(c.times[step.key], acknowledged.Sub(begun))
		key, sees := step.inList, c.inList
		if byCheck {
			key, sees = step.inCheck, c.inCheck
		}
		if err := c.await(ctx, step.opens, sees); err != nil {
			return err
		}
		c.times[key] = append(c.times[key], time.Since(acknowledged))
	}
	return nil
}

// await asks again and again until the answer is the wanted one.
func (c changer) await(ctx context.Context, want bool, sees func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, c.pace.limit)
	defer cancel()
	for {
		got, err := sees(ctx)
		if err != nil {
			return fmt.Errorf("a change was not seen: %w", err)
		}
		if got == want {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("a change was not seen: %w", context.Cause(ctx))
		}
	}
}

func (c changer) inCheck(ctx context.Context) (bool, error) {
	return c.system.Check(ctx, int(c.grant.User), c.below, tree.Manage)
}

func (c changer) inList(ctx context.Context) (bool, error) {
	all, err := c.system.List(ctx, int(c.grant.User))
	return slices.Contains(all, int32(c.below)), err //nolint:gosec // some millions at most
}
