// Package arrays is the in-memory sketch that shows the physical limit: plain arrays and maps, filled once, with nothing of what makes a service.
package arrays

import (
	"context"
	"slices"
	"sync"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// System is the sketch. A branch is an interval of preorder numbers; each user's accounts are
// sorted by name when first asked for and remembered until the user's memberships change.
type System struct {
	world *tree.World

	ids        []string // of accounts
	first, end []int32  // of an account's branch, in preorder
	order      []int32  // accounts in preorder

	mu    sync.RWMutex
	of    [][]tree.Membership // by user
	lists map[int][]int32     // by user: accounts in the order of names
}

// New returns a sketch without content.
func New() *System { return &System{} }

// Load fills the arrays.
func (s *System) Load(_ context.Context, w *tree.World) error {
	n := w.Size.Accounts
	s.world, s.first, s.end, s.order = w, make([]int32, n), make([]int32, n), make([]int32, 0, n)
	s.ids = make([]string, n)
	for i := range s.ids {
		s.ids[i] = tree.AccountID(i)
	}
	s.number(0)
	s.of, s.lists = make([][]tree.Membership, w.Users), map[int][]int32{}
	for user := range w.Users {
		s.of[user] = w.Of(user)
	}
	return nil
}

// number gives the accounts of a branch their places in preorder.
func (s *System) number(top int) {
	s.first[top] = int32(len(s.order))    //nolint:gosec // some millions at most
	s.order = append(s.order, int32(top)) //nolint:gosec // some millions at most
	for child := top*tree.FanOut + 1; child <= top*tree.FanOut+tree.FanOut && child < len(s.first); child++ {
		s.number(child)
	}
	s.end[top] = int32(len(s.order)) //nolint:gosec // some millions at most
}

// Start does nothing.
func (s *System) Start(context.Context) error { return nil }

// Stop does nothing.
func (s *System) Stop() error { return nil }

// Close forgets the content.
func (s *System) Close() error {
	*s = System{}
	return nil
}

// Processes returns none.
func (s *System) Processes() []int { return nil }

// Check compares intervals.
func (s *System) Check(_ context.Context, user, account int, p tree.Permission) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	here := s.first[account]
	for _, m := range s.of[user] {
		if !m.Role.Holds(p) {
			continue
		}
		if int(m.Account) == account || s.branch(m) && s.first[m.Account] <= here && here < s.end[m.Account] {
			return true, nil
		}
	}
	return false, nil
}

func (s *System) branch(m tree.Membership) bool { return m.Branch || s.world.AlwaysOn[m.Account] }

// Page cuts a remembered list, and makes rows of what is left.
func (s *System) Page(_ context.Context, user int, query string) (peer.Page, error) {
	rows, total := s.rows(user, query)
	page := peer.Page{Total: total, Accounts: make([]int32, len(rows))}
	for i := range rows {
		page.Accounts[i] = int32(tree.Number(rows[i].ID)) //nolint:gosec // some millions at most
	}
	return page, nil
}

// List copies a remembered list.
func (s *System) List(_ context.Context, user int) ([]int32, error) {
	return slices.Clone(s.list(user)), nil
}

func (s *System) list(user int) []int32 {
	s.mu.RLock()
	all, known := s.lists[user]
	s.mu.RUnlock()
	if known {
		return all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all = s.reach(user)
	s.lists[user] = all
	return all
}

// reach makes a user's list from the intervals of the memberships.
func (s *System) reach(user int) []int32 {
	var all []int32
	for _, m := range s.of[user] {
		if s.branch(m) {
			all = append(all, s.order[s.first[m.Account]:s.end[m.Account]]...)
		} else {
			all = append(all, m.Account)
		}
	}
	s.world.SortByName(all)
	return slices.Compact(all)
}

// Put changes a membership and forgets the user's list.
func (s *System) Put(_ context.Context, m tree.Membership) error {
	return s.change(m, func(of []tree.Membership) []tree.Membership { return append(of, m) })
}

// Remove ends a membership and forgets the user's list.
func (s *System) Remove(_ context.Context, m tree.Membership) error {
	return s.change(m, func(of []tree.Membership) []tree.Membership { return of })
}

// change replaces a user's memberships: without that of the account, then as add says.
func (s *System) change(m tree.Membership, add func([]tree.Membership) []tree.Membership) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(s.of[m.User]), func(o tree.Membership) bool { return o.Account == m.Account })
	s.of[m.User] = add(others)
	delete(s.lists, int(m.User))
	return nil
}
