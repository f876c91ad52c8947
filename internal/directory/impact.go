package directory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Impact is what a move does to who can open the accounts of the moved branch.
// Users alone are counted; those who are blocked and memberships that have expired
// open nothing, before and after.
type Impact struct {
	Gains Shift `json:"gains"`
	Loses Shift `json:"loses"`
}

// Shift is how many users gain, or lose, access to how many accounts.
type Shift struct {
	Users    int `json:"users"`
	Accounts int `json:"accounts"` // to which at least one of the users gains or loses access
	Pairs    int `json:"pairs"`    // of a user and an account
}

// impactOf counts what the move of an account from below the accounts of old to
// below those of next changes. Whoever has sub-account access at an account that is
// only on one of the lines gains or loses what they cannot open otherwise: by
// another account of the other line, or by a membership in the branch itself.
func impactOf(ctx context.Context, r Reader, top account.Account, old, next []account.ID, at time.Time) (Impact, error) {
	entered, left := without(next, old), without(old, next)
	reach, err := r.BranchReach(ctx, append(slices.Clone(old), entered...), at)
	if err != nil {
		return Impact{}, err
	}
	gainers, losers := changed(reach, entered, left)
	if len(gainers)+len(losers) == 0 {
		return Impact{}, nil
	}
	below, err := r.Descendants(ctx, top.ID, 0)
	if err != nil {
		return Impact{}, err
	}
	inside, err := r.ReachOf(ctx, append(slices.Clone(gainers), losers...), at)
	if err != nil {
		return Impact{}, err
	}
	branch := newPreorder(top, below)
	spans := branch.spans(inside)
	return Impact{Gains: branch.shift(gainers, spans), Loses: branch.shift(losers, spans)}, nil
}

// changed returns the users who reach into a branch only after the move, and those who do only before.
func changed(reach []Reach, entered, left []account.ID) (gainers, losers []account.UserID) {
	type sides struct{ before, after bool }
	users := map[account.UserID]sides{}
	for _, m := range reach {
		s := users[m.User]
		s.before = s.before || !slices.Contains(entered, m.Account)
		s.after = s.after || !slices.Contains(left, m.Account)
		users[m.User] = s
	}
	for user, s := range users {
		switch {
		case !s.before:
			gainers = append(gainers, user)
		case !s.after:
			losers = append(losers, user)
		}
	}
	return gainers, losers
}

// span is the accounts from..to-1 of a preorder.
type span struct{ from, to int }

// preorder numbers the accounts of a branch so that every branch in it is a span.
type preorder map[account.ID]span

// newPreorder numbers the branch of top; below is level by level.
func newPreorder(top account.Account, below []account.Account) preorder {
	size := make(map[account.ID]int, len(below)+1)
	for _, a := range slices.Backward(below) {
		size[a.ID]++
		size[a.Parent] += size[a.ID]
	}
	size[top.ID]++
	order := make(preorder, len(size))
	order[top.ID] = span{0, size[top.ID]}
	free := map[account.ID]int{top.ID: 1} // where the next child of an account begins
	for _, a := range below {
		from := free[a.Parent]
		order[a.ID] = span{from, from + size[a.ID]}
		free[a.Parent], free[a.ID] = from+size[a.ID], from+1
	}
	return order
}

// spans returns what of the branch each user can open by a membership in it: in order, without overlap.
func (o preorder) spans(inside []Reach) map[account.UserID][]span {
	spans := map[account.UserID][]span{}
	for _, m := range inside {
		s, ok := o[m.Account]
		if !ok {
			continue
		}
		if !m.Branch {
			s.to = s.from + 1
		}
		spans[m.User] = append(spans[m.User], s)
	}
	for user, all := range spans {
		slices.SortFunc(all, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
		var merged []span
		for _, s := range all {
			if n := len(merged); n == 0 || s.from >= merged[n-1].to { // else it lies within the last one
				merged = append(merged, s)
			}
		}
		spans[user] = merged
	}
	return spans
}

// shift counts the accounts of the branch that the users cannot open by what they have inside of it.
func (o preorder) shift(users []account.UserID, inside map[account.UserID][]span) Shift {
	var out Shift
	edges := make([]int, len(o)+1) // how many users can open an account more than the one before
	for _, user := range users {
		rest := len(o)
		for _, s := range inside[user] {
			rest -= s.to - s.from
			edges[s.from]++
			edges[s.to]--
		}
		if rest > 0 {
			out.Users++
			out.Pairs += rest
		}
	}
	have := 0
	for _, edge := range edges[:len(o)] {
		have += edge
		if have < len(users) {
			out.Accounts++
		}
	}
	return out
}
