package tree

import (
	"slices"
	"strings"
)

// Allowed decides a check by going up the tree, one parent after the other.
func (w *World) Allowed(user, account int, p Permission) bool {
	for at := account; at >= 0; at = Parent(at) {
		for _, m := range w.Of(user) {
			reaches := at == account || m.Branch || w.AlwaysOn[at]
			if int(m.Account) == at && reaches && m.Role.Holds(p) {
				return true
			}
		}
	}
	return false
}

// List returns every account that a user may open, in the order of ids.
func (w *World) List(user int) []int32 {
	seen := map[int32]bool{}
	for _, m := range w.Of(user) {
		seen[m.Account] = true
		if m.Branch || w.AlwaysOn[m.Account] {
			w.below(int(m.Account), seen)
		}
	}
	all := make([]int32, 0, len(seen))
	for account := range seen {
		all = append(all, account)
	}
	slices.Sort(all)
	return all
}

// below adds an account's branch, going down from parents to children.
func (w *World) below(top int, seen map[int32]bool) {
	for first, last := top, top; first < w.Size.Accounts; first, last = first*FanOut+1, last*FanOut+FanOut {
		for i := first; i <= min(last, w.Size.Accounts-1); i++ {
			seen[int32(i)] = true //nolint:gosec // some millions at most
		}
	}
}

// Page returns the first accounts by name of those that a user may open, of which the name
// has the query in it, and how many there are in all.
func (w *World) Page(user int, query string, limit int) (accounts []int32, total int) {
	all := w.List(user)
	if query != "" {
		all = slices.DeleteFunc(all, func(a int32) bool { return !strings.Contains(w.Folded[a], query) })
	}
	w.SortByName(all)
	return all[:min(limit, len(all))], len(all)
}

// SortByName puts accounts into the order of names.
func (w *World) SortByName(accounts []int32) {
	slices.SortFunc(accounts, func(a, b int32) int { return int(w.rank[a]) - int(w.rank[b]) })
}

// Question is a check and its right answer.
type Question struct {
	User, Account int
	Permission    Permission
	Allowed       bool
}

// Question returns the check with its answer.
func (w *World) Question(user, account int, p Permission) Question {
	return Question{User: user, Account: account, Permission: p, Allowed: w.Allowed(user, account, p)}
}

// Questions returns n checks, about half of them allowed, of ordinary users and the accounts
// that they have to do with. Equal parts give equal questions, different parts hardly any twice.
func (w *World) Questions(n int, part uint64) []Question {
	d := roll(w.Size.Seed, 1000+part)
	all := make([]Question, 0, n)
	for len(all) < n {
		user := d.below(w.special)
		of := w.Of(user)
		account := int(of[d.below(len(of))].Account)
		if d.below(4) == 0 { // further down, which needs sub-account access
			account = min(account*FanOut+1+d.below(FanOut), w.Size.Accounts-1)
		}
		all = append(all, w.Question(user, account, Permissions()[d.below(3)]))
	}
	return all
}

// Ordinary returns n users without a name.
func (w *World) Ordinary(n int, part uint64) []int {
	d := roll(w.Size.Seed, 2000+part)
	all := make([]int, n)
	for i := range all {
		all[i] = d.below(w.special)
	}
	return all
}
