package world

import (
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
)

// order numbers the accounts in preorder, so that a branch is an interval.
func (w *World) order() {
	children := make([][]int, len(w.accounts))
	var roots []int
	for i, n := range w.accounts {
		if n.parent < 0 {
			roots = append(roots, i)
		} else {
			children[n.parent] = append(children[n.parent], i)
		}
	}
	next := 0
	var visit func(i, level int)
	visit = func(i, level int) {
		if len(w.levels) == level {
			w.levels = append(w.levels, nil)
		}
		w.levels[level] = append(w.levels[level], i)
		w.accounts[i].first = next
		next++
		for _, c := range children[i] {
			visit(c, level+1)
		}
		w.accounts[i].end = next
	}
	for _, i := range roots {
		visit(i, 0)
	}
}

// allowed decides a question from the memberships alone (S1, S3, U4, U5).
func (w *World) allowed(user, at int, permission string) bool {
	if w.users[user].blocked {
		return false
	}
	here := w.accounts[at].first
	return slices.ContainsFunc(w.users[user].memberships, func(m membership) bool {
		top := w.accounts[m.at]
		reaches := m.at == at || m.branch && top.first <= here && here < top.end
		return reaches && w.grants(m, permission)
	})
}

func (w *World) grants(m membership, permission string) bool {
	return permission == "access" || slices.ContainsFunc(m.roles, func(role account.RoleKey) bool {
		return slices.Contains(w.rights[role], permission)
	})
}

// Reader is a user and the number of accounts they are a member of, directly or by inheritance.
type Reader struct {
	User     string // the object's id in the engine
	Accounts int
}

// Root is the user who may open every account.
func (w *World) Root() Reader { return w.reader(0) }

// Reader is the user who may open about a ninth of the accounts.
func (w *World) Reader() Reader { return w.reader(w.byUser[reader]) }

func distance(a, b int) int { return max(a-b, b-a) }

// Readers returns n users from all over.
func (w *World) Readers(n int) []Reader {
	out := make([]Reader, 0, n)
	for i := range n {
		out = append(out, w.reader(i*len(w.users)/n))
	}
	return out
}

func (w *World) reader(user int) Reader {
	return Reader{
		User:     relation.UserObject(Environment, w.users[user].id).ID,
		Accounts: w.reach(user),
	}
}

// reach counts the accounts in the union of a user's memberships and branches.
func (w *World) reach(user int) int {
	type interval struct{ first, end int }
	var all []interval
	for _, m := range w.users[user].memberships {
		n := w.accounts[m.at]
		if m.branch {
			all = append(all, interval{n.first, n.end})
		} else {
			all = append(all, interval{n.first, n.first + 1})
		}
	}
	slices.SortFunc(all, func(a, b interval) int { return a.first - b.first })
	count, seen := 0, 0
	for _, i := range all {
		count += max(0, i.end-max(i.first, seen))
		seen = max(seen, i.end)
	}
	return count
}
