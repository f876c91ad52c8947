package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher"
)

// listing puts the accounts of a lookup into order and pages.
type listing struct {
	filter     Filter
	permission string             // that the engine looks up
	feature    account.FeatureKey // that the accounts have; "" for any
	query      string             // folded
	after      cursor             // the end of the page before; without marks on the first
}

// fingerprint tells whether a cursor belongs to this list.
func (l *listing) fingerprint() string {
	return switcher.Digest(fmt.Sprintf("%q %q %q %q %q", l.query, l.filter.Under, l.permission, l.filter.Sort, l.feature))
}

// features is the features that the list asks for.
func (l *listing) features() []account.FeatureKey {
	if l.feature == "" {
		return nil
	}
	return []account.FeatureKey{l.feature}
}

func (l *listing) resume(text string) (err error) {
	if text != "" {
		l.after, err = parseCursor(text, l.fingerprint())
	}
	return err
}

// cursor is the place of an account in this list's order.
func (l *listing) cursor(f forest, n *node) cursor {
	after := switcher.After{Marks: []switcher.Mark{markOf(n)}}
	switch l.filter.Sort {
	case ByName:
	case ByDate:
		after.At = n.CreatedAt
	default:
		after.Marks = nil
		for _, n := range f.line(n.ID) {
			after.Marks = append(after.Marks, markOf(n))
		}
	}
	return cursor{l.fingerprint(), after}
}

func markOf(n *node) switcher.Mark { return switcher.MarkOf(n.ID, n.folded) }

// inForest is a mark as a node that takes its place among the accounts of f: the
// account itself while it is called what it was. One that is gone, or has another name now, has
// what the mark kept of the old one: of a long name too little to come after others that begin
// alike, so that these appear again rather than are passed over.
func inForest(m switcher.Mark, f forest) *node {
	if n := f[m.ID]; n != nil && m == markOf(n) {
		return n
	}
	return &node{Account: account.Account{ID: m.ID}, folded: m.Folded}
}

// order returns how to compare two accounts, and where among them the page
// before ended, for which that compares too; nil on the first page.
func (l *listing) order(f forest) (compare func(a, b *node) int, after *node) {
	marks := l.after.after.Marks
	if n := len(marks); n > 0 {
		after = inForest(marks[n-1], f)
	}
	switch l.filter.Sort {
	case ByName:
		return byName, after
	case ByDate:
		if after != nil {
			after = &node{Account: account.Account{ID: after.ID, CreatedAt: l.after.after.At}, folded: after.folded}
		}
		return byDate, after
	default:
		roots := f.plant()
		if after != nil {
			after = lastUpTo(roots, marks, f)
		}
		return byTree, after
	}
}

// lastUpTo goes down the tree along marks and returns the last account, in tree
// order, that is not after the place they lead to; one before all others if there is none.
func lastUpTo(siblings []*node, marks []switcher.Mark, f forest) *node {
	last := &node{}
	for i, m := range marks {
		at := inForest(m, f)
		n, found := slices.BinarySearchFunc(siblings, at, byName)
		if found && i < len(marks)-1 {
			last, siblings = siblings[n], siblings[n].children
			continue
		}
		if found {
			return siblings[n]
		}
		if n > 0 { // it, and all below it, come before
			last = siblings[n-1]
			for len(last.children) > 0 {
				last = last.children[len(last.children)-1]
			}
		}
		break
	}
	return last
}

func (l *listing) matches(f forest, n *node) bool {
	if l.filter.Under != "" && !f.under(l.filter.Under, n.ID) {
		return false
	}
	return l.query == "" || strings.Contains(n.folded, l.query) || strings.Contains(account.Fold(string(n.ID)), l.query)
}

// page returns the accounts after the cursor, up to the limit, how many match
// in all, and the cursor of the next page. Accounts that the directory does not
// have any more are left out.
func (l *listing) page(f forest, ids []account.ID) ([]Reachable, int, string) {
	entries := make([]*node, 0, len(ids))
	for _, id := range ids {
		if n, ok := f[id]; ok && l.matches(f, n) {
			entries = append(entries, n)
		}
	}
	compare, after := l.order(f)
	slices.SortFunc(entries, compare)
	total := len(entries)
	start := 0
	if after != nil {
		var found bool
		if start, found = slices.BinarySearchFunc(entries, after, compare); found {
			start++
		}
	}
	end := min(start+l.filter.Limit, total)
	if l.filter.All {
		end = total
	}
	page := make([]Reachable, 0, end-start)
	for _, n := range entries[start:end] {
		page = append(page, f.reachable(n))
	}
	if end == total {
		return page, total, ""
	}
	return page, total, l.cursor(f, entries[end-1]).String()
}
