package switcher

import (
	"strings"

	"github.com/tenantry/tenantry/internal/account"
)

// Sort is an order of accounts.
type Sort string

// The orders (W1).
const (
	ByTree Sort = "tree" // parents before their children, siblings by name
	ByName Sort = "name"
	ByDate Sort = "date" // the newest first
)

// Query asks for accounts that a user or an API token may open.
type Query struct {
	Who        Subject
	Permission string     // only where they hold it by membership, by its name in the schema; "" wherever they may open the account
	Under      account.ID // this account and all below it; "" for all
	Text       string     // part of the name or id, folded; "" for all
	Sort       Sort
	After      After // the end of the page before
	Limit      int   // the most accounts of the page; 0 is all
	Bare       bool  // ids alone
}

// Page is some of the accounts that a query is about.
type Page struct {
	Accounts []account.Reachable
	IDs      []account.ID // in place of Accounts, if they were asked for
	Total    int          // on all pages
	Next     After        // where the next page begins; without marks if there is none
	Near     bool         // Query.Under is, or is above, an account that the subject may open
}

// Page returns a page, and whether the index knows of the permission; if not, nobody but the
// engine can tell. Nobody who is unknown or blocked opens anything (U5).
func (v *View) Page(q Query) (Page, bool) {
	permission, ok := v.permission(q.Permission)
	if !ok {
		return Page{}, false
	}
	var out Page
	subject, known := v.state.subjects.find(q.Who)
	if !known || v.Blocked(q.Who) {
		return out, true
	}
	where := v.reach(subject, permission)
	if q.Under != "" {
		top, there := v.state.accounts.find(q.Under)
		if !there {
			return out, true
		}
		branch := v.state.interval(top)
		where = where.within(branch)
		out.Near = len(where) > 0 || permission != opening && len(v.reach(subject, opening).within(branch)) > 0
	}
	l := lister{view: v, query: q, area: where}
	found := l.list()
	out.Total = l.total
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
		out.Next = v.state.after(found[q.Limit-1], q.Sort)
	}
	if !q.Bare {
		out.Accounts = v.describe(subject, found)
		return out, true
	}
	out.IDs = make([]account.ID, len(found))
	for i, at := range found {
		out.IDs[i] = v.state.accounts.id(at)
	}
	return out, true
}

// permission returns the number of a permission, and whether the index knows it.
func (v *View) permission(name string) (int, bool) {
	if name == "" {
		return opening, true
	}
	n, ok := v.model.bits[name]
	return n, ok
}

// lister finds the accounts of a page, and how many there are on all.
type lister struct {
	view  *View
	query Query
	area  area
	total int
}

// list returns the accounts after the cursor: one more than the limit, if there are as many.
func (l *lister) list() []slot {
	s := l.view.state
	if l.query.Sort == ByTree || l.query.Sort == "" {
		return l.inTree(s.positionAfter(l.query.After.Marks))
	}
	o := s.ordering(l.query.Sort, l.query.After)
	if l.query.Text != "" {
		best := o.best(l.most())
		l.search(func(_ uint32, at slot) { best.offer(at) })
		return best.sorted()
	}
	l.total = l.area.size()
	if found, ok := l.fromNames(o); ok {
		return found
	}
	if found, ok := l.amongFew(o); ok {
		return found
	}
	return l.merge(o)
}

// most is how many accounts are wanted: one more than the limit, to know whether there is another page.
func (l *lister) most() int {
	if l.query.Limit == 0 {
		return l.area.size()
	}
	return l.query.Limit + 1
}

// parts calls fn for what the area has of each chunk, in the order of the tree, until it returns false.
func (l *lister) parts(fn func(c *chunk, from, to int) bool) {
	tree := &l.view.state.tree
	i := 0
	for _, part := range l.area {
		if part.from >= tree.starts[i+1] {
			i, _ = tree.chunkAt(part.from)
		}
		for {
			begin, end := tree.starts[i], tree.starts[i+1]
			if !fn(tree.chunks[i], int(max(part.from, begin)-begin), int(min(part.to, end)-begin)) {
				return
			}
			if part.to <= end {
				break // the next part may begin in this chunk
			}
			i++
		}
	}
}

// search calls fn for the accounts of the area that have the text, in the order of the tree, and counts them.
func (l *lister) search(fn func(position uint32, at slot)) {
	if strings.Contains(l.query.Text, apart) {
		return // no text is like that
	}
	s := search{text: l.query.Text, marks: marksOf(l.query.Text)}
	state := l.view.state
	l.parts(func(c *chunk, from, to int) bool {
		begin := state.tree.starts[state.tree.places[c.id]]
		s.each(c.worded(&state.accounts), from, to, func(place int) {
			l.total++
			fn(begin+uint32(place), c.slots[place]) //nolint:gosec // G115: less than chunkMost
		})
		return true
	})
}

// inTree returns the accounts from a position on.
func (l *lister) inTree(from uint32) []slot {
	var found []slot
	most := l.most()
	if l.query.Text == "" {
		l.total = l.area.size()
		rest := lister{view: l.view, area: l.area.within(interval{from, l.view.state.tree.length()})}
		rest.parts(func(c *chunk, from, to int) bool {
			found = append(found, c.slots[from:min(to, from+most-len(found))]...)
			return len(found) < most
		})
		return found
	}
	l.search(func(position uint32, at slot) {
		if position >= from && len(found) < most {
			found = append(found, at)
		}
	})
	return found
}
