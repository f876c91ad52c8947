package switcher

import (
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// loader makes the index of an environment out of the entities of a snapshot, in any
// order in which roles, accounts and users come before memberships and API tokens.
type loader struct {
	writer  *writer
	waiting []orphan
	last    struct { // the account whose membership was told last: many of one come after each other
		id account.ID
		at slot
	}
}

// orphan is an account that comes before its parent.
type orphan struct {
	at     slot
	parent account.ID
}

func newLoader(env account.EnvironmentID, bits catalogued) *loader {
	return &loader{writer: newWriter(env, bits)}
}

// add takes an entity over. Faults: Conflict (permission_gone), Internal (index_out_of_step).
func (l *loader) add(e account.Entity) error {
	switch {
	case e.Account != nil:
		return l.addAccount(e.Account)
	case e.User != nil:
		return l.writer.setUser(*e.User, true)
	case e.Membership != nil:
		m := e.Membership
		at, who, err := l.pair(m)
		if err != nil {
			return err
		}
		return l.writer.setMembershipAt(at, who, m.Roles, m.BranchAccess, m.ExpiresAt)
	}
	c := account.Change{After: &e}
	if err := l.writer.make(c); err != nil {
		return err
	}
	return l.writer.join(c)
}

func (l *loader) addAccount(v *account.Account) error {
	w := l.writer
	at, err := w.newAccount(*v, none)
	if err != nil || v.Parent == "" {
		return err
	}
	if parent, ok := w.accounts.find(v.Parent); ok {
		w.accounts.nodes.Ref(w.edit, at).parent = parent
	} else {
		l.waiting = append(l.waiting, orphan{at, v.Parent})
	}
	return nil
}

// pair finds the account and the user of a membership.
func (l *loader) pair(m *account.Membership) (at, who slot, err error) {
	if m.Account != l.last.id || m.Account == "" {
		if l.last.at, err = l.writer.accountOf(m.Account, string(m.User)); err != nil {
			return none, none, err
		}
		l.last.id = m.Account
	}
	who, err = l.writer.subjectOf(Subject{User, string(m.User)}, m.Account)
	return l.last.at, who, err
}

// more says of a membership that was added when it ends and how it reaches into the branch. Faults: Internal (index_out_of_step).
func (l *loader) more(v account.Membership) error {
	at, who, err := l.pair(&v)
	if err != nil {
		return err
	}
	all := &l.writer.memberships
	m, ok := all.find(at, who)
	if !ok {
		return outOfStep("the membership of %s in %s has no roles", v.User, v.Account)
	}
	known := all.all.Ref(l.writer.edit, m)
	known.branch, known.expires = branchOf(v.BranchAccess), micros(v.ExpiresAt)
	return nil
}

// finish returns the writer of the next versions, whose state is the snapshot.
func (l *loader) finish(version account.Version) (*writer, error) {
	w := l.writer
	for _, o := range l.waiting {
		parent, ok := w.accounts.find(o.parent)
		if !ok {
			return nil, outOfStep("account %s has the parent %s, which is not there", w.accounts.id(o.at), o.parent)
		}
		w.accounts.nodes.Ref(w.edit, o.at).parent = parent
	}
	w.version = version
	return w, w.arrange()
}

// arrange makes tree and names out of all accounts, whose parents are known.
func (w *writer) arrange() error {
	a := &w.accounts
	all := a.sorted()
	w.names.fill(w.edit, a, all)
	line := w.inTreeOrder(all)
	if len(line) != len(all) {
		return outOfStep("the parents of %d accounts go round in a circle", len(all)-len(line))
	}
	for at := range slot(a.sizes.Len()) { //nolint:gosec // G115: slots are numbered so
		a.sizes.Set(w.edit, at, 1)
	}
	for _, at := range slices.Backward(line) { // children come after their parents
		if parent := a.parent(at); parent != none {
			*a.sizes.Ref(w.edit, parent) += a.sizes.At(at)
		}
	}
	w.tree.fill(w.edit, a, line)
	return nil
}

// inTreeOrder returns accounts that are in the order of their names as the tree is shown.
func (w *writer) inTreeOrder(named []slot) []slot {
	a := &w.accounts
	first, next := make([]slot, a.nodes.Len()), make([]slot, a.nodes.Len())
	for i := range first {
		first[i] = none
	}
	roots := none
	for _, at := range slices.Backward(named) {
		head := &roots
		if parent := a.parent(at); parent != none {
			head = &first[parent]
		}
		next[at], *head = *head, at
	}
	line := make([]slot, 0, len(named))
	for at := roots; at != none; {
		line = append(line, at)
		if first[at] != none {
			at = first[at]
			continue
		}
		for at != none && next[at] == none {
			at = a.parent(at)
		}
		if at != none {
			at = next[at]
		}
	}
	return line
}
