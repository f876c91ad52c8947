package switcher

import (
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// Loader makes the index of an environment out of the entities of a snapshot, in any
// order in which roles, accounts and users come before memberships and API tokens.
type loader struct {
	writer  *writer
	parents []account.ID // of accounts, by slot
}

func newLoader(env account.EnvironmentID, bits catalogued) *loader {
	l := &loader{writer: newWriter(env, bits)}
	l.writer.loading = true
	return l
}

// add takes an entity over. Faults: Conflict (permission_gone), Internal (index_out_of_step).
func (l *loader) add(e account.Entity) error {
	c := account.Change{After: &e}
	if e.Account != nil {
		l.parents = append(l.parents, e.Account.Parent)
	}
	if err := l.writer.make(c); err != nil {
		return err
	}
	return l.writer.join(c)
}

// finish returns the writer of the next versions, whose state is the snapshot.
func (l *loader) finish(version account.Version) (*writer, error) {
	w := l.writer
	for at, id := range l.parents {
		if id == "" {
			continue
		}
		parent, ok := w.accounts.find(id)
		if !ok {
			return nil, outOfStep("account %s has the parent %s, which is not there", w.accounts.id(slot(at)), id)
		}
		w.accounts.nodes.Ref(w.edit, slot(at)).parent = parent
	}
	w.version, w.loading = version, false
	return w, w.arrange()
}

// arrange makes tree and names out of all accounts, whose parents are known.
func (w *writer) arrange() error {
	a := &w.accounts
	all := make([]slot, 0, a.byID.Len())
	for at := range slot(a.nodes.Len()) { //nolint:gosec // G115: slots are numbered so
		if a.texts.At(at, textID) != "" {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, a.compareTexts)
	w.names.fill(w.edit, a, all)
	line := w.inTreeOrder(all)
	if len(line) != len(all) {
		return outOfStep("the parents of %d accounts go round in a circle", len(all)-len(line))
	}
	for at := range slot(a.sizes.Len()) { //nolint:gosec // G115: as above
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
