package access

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// forest is accounts with all their ancestors.
type forest map[account.ID]*node

// node is an account in a forest.
type node struct {
	account.Account
	folded   string // the name, as it is searched and ordered by
	children []*node
	rank     int // its place in tree order, from 1
}

func newForest(accounts []account.Account) forest {
	f := make(forest, len(accounts))
	for _, a := range accounts {
		f[a.ID] = &node{Account: a, folded: account.Fold(a.Name)}
	}
	return f
}

// reachable is an account of a list, without its sources.
func (f forest) reachable(n *node) Reachable {
	return reachableAt(f.accounts(n.ID))
}

// accounts is line, as accounts.
func (f forest) accounts(id account.ID) []account.Account {
	nodes := f.line(id)
	line := make([]account.Account, len(nodes))
	for i, n := range nodes {
		line[i] = n.Account
	}
	return line
}

// reachableAt is the last account of a line, from the root on, without its sources.
func reachableAt(line []account.Account) Reachable {
	last := len(line) - 1
	out := Reachable{
		Place: placeOf(line[last]), Parent: line[last].Parent,
		CreatedAt: line[last].CreatedAt, SubAccountManagement: line[last].SubAccountManagement,
	}
	for _, above := range line[:last] {
		out.Path = append(out.Path, placeOf(above))
	}
	return out
}

func placeOf(a account.Account) account.Place { return account.Place{ID: a.ID, Name: a.Name} }

// line returns the accounts from the root to id, which is the last.
func (f forest) line(id account.ID) []*node {
	var line []*node
	for n := f[id]; n != nil && len(line) <= account.MaxMaxDepth; n = f[n.Parent] {
		line = append(line, n)
	}
	slices.Reverse(line)
	return line
}

// plant finds the children of every account, puts siblings into order, and
// numbers all accounts in tree order. It returns the roots in order.
func (f forest) plant() []*node {
	var roots []*node
	for _, n := range f {
		if above, ok := f[n.Parent]; ok {
			above.children = append(above.children, n)
		} else {
			roots = append(roots, n)
		}
	}
	rank := 0
	var number func(siblings []*node)
	number = func(siblings []*node) {
		slices.SortFunc(siblings, byName)
		for _, n := range siblings {
			rank++
			n.rank = rank
			number(n.children)
		}
	}
	number(roots)
	return roots
}

// byName orders accounts by name, those of one name by id.
func byName(a, b *node) int {
	return cmp.Or(strings.Compare(a.folded, b.folded), strings.Compare(string(a.ID), string(b.ID)))
}

// byTree orders accounts that have been planted: parents before their children, siblings by name.
func byTree(a, b *node) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), byName(a, b))
}

// byDate orders accounts by when they were created, the newest first.
func byDate(a, b *node) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), byName(a, b))
}

// sources says by which memberships an account can be opened (S5), the nearest first.
func (f forest) sources(id account.ID, memberships []account.Membership, now time.Time) []Source {
	line := f.accounts(id)
	holdings := make([]holding, len(memberships))
	for i, m := range memberships {
		holdings[i] = holdingOf(m)
	}
	return sourcesOf(line, holdings, now)
}

// under reports whether top is the account or above it.
func (f forest) under(top, id account.ID) bool {
	return slices.ContainsFunc(f.line(id), func(n *node) bool { return n.ID == top })
}
