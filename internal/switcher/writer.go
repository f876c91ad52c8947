package switcher

import (
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// writer makes the versions of one environment, one after the other. Its errors
// are outOfStep; after one, what it has made is no version, and it is good for nothing more.
type writer struct {
	state
	edit *paged.Edit
	bits catalogued
	sets setNumbers
	free struct{ accounts, subjects, memberships []slot }
}

func newWriter(env account.EnvironmentID, bits catalogued) *writer {
	return &writer{state: state{environment: env}, edit: &paged.Edit{}, bits: bits, sets: setNumbers{}}
}

// publish returns the version that has been made, and begins the next.
func (w *writer) publish() *state {
	made := w.state
	made.areas = &areas{}
	w.edit = &paged.Edit{}
	return &made
}

func (w *writer) addAccount(v account.Account) error {
	parent, err := w.parentOf(v)
	if err != nil {
		return err
	}
	at, err := w.newAccount(v, parent)
	if err != nil {
		return err
	}
	w.names.insert(w.edit, &w.accounts, at)
	w.tree.insert(w.edit, &w.accounts, w.place(parent, w.below(parent), w.isAfter(at)), at)
	w.resize(parent, 1)
	return nil
}

// newAccount adds an account, which has no place among the others yet.
func (w *writer) newAccount(v account.Account, parent slot) (slot, error) {
	a, e := &w.accounts, w.edit
	if _, taken := a.find(v.ID); taken {
		return none, outOfStep("account %s is created twice", v.ID)
	}
	n := node{parent: parent, first: none, created: v.CreatedAt.UnixMicro(), flags: flagsOf(v)}
	var at slot
	if last := len(w.free.accounts) - 1; last >= 0 {
		at, w.free.accounts = w.free.accounts[last], w.free.accounts[:last]
		a.texts.Set(e, at, textsOf(v))
		a.nodes.Set(e, at, n)
		a.sizes.Set(e, at, 1)
	} else {
		at = a.texts.Add(e, textsOf(v))
		a.nodes.Add(e, n)
		a.sizes.Add(e, 1)
		a.labels.Add(e, 0)
		a.places.Add(e, place{})
	}
	a.byID.Add(e, at, a.hashOf(at))
	return at, nil
}

// parentOf finds the parent of an account, which must be there; none for a root.
func (w *writer) parentOf(v account.Account) (slot, error) {
	if v.Parent == "" {
		return none, nil
	}
	at, ok := w.accounts.find(v.Parent)
	if !ok {
		return none, outOfStep("account %s has the parent %s, which is not there", v.ID, v.Parent)
	}
	return at, nil
}

// resize adds to the sizes of an account and of all above it.
func (w *writer) resize(at slot, by int32) {
	for ; at != none; at = w.accounts.parent(at) {
		*w.accounts.sizes.Ref(w.edit, at) += uint32(by) //nolint:gosec // G115: wraps around as it should
	}
}

func (w *writer) changeAccount(before, after account.Account) error {
	a, e := &w.accounts, w.edit
	at, ok := a.find(before.ID)
	if !ok || before.ID != after.ID {
		return outOfStep("account %s is changed and not there", before.ID)
	}
	parent, err := w.parentOf(after)
	if err != nil {
		return err
	}
	if parent != none && a.isUnder(at, parent) {
		return outOfStep("account %s would be below itself", after.ID)
	}
	n := a.nodes.Ref(e, at)
	n.flags = flagsOf(after)
	if made := after.CreatedAt.UnixMicro(); made != n.created { // another account of the same id
		n.created = made
		w.tree.touch(e, a, at)
	}
	renamed, moved := a.name(at) != after.Name, a.parent(at) != parent
	if renamed {
		w.names.remove(e, a, at)
		a.texts.Set(e, at, textsOf(after))
		w.names.insert(e, a, at)
	}
	if renamed || moved {
		w.tree.touch(e, a, at) // also where it stays in the sequence, or whole chunks move: see Changes
		w.relocate(at, parent)
	}
	return nil
}

// isAfter is whether a sibling comes after an account.
func (w *writer) isAfter(at slot) func(sibling slot) bool {
	return func(sibling slot) bool { return w.accounts.compareTexts(sibling, at) > 0 }
}

// relocate puts an account with its branch where it belongs below a parent.
func (w *writer) relocate(at, parent slot) {
	a := &w.accounts
	branch, above := w.interval(at), a.parent(at)
	among := w.below(parent)
	var before uint32
	if parent == above { // the others are in order on each side of it
		before = w.place(parent, interval{among.from, branch.from}, w.isAfter(at))
		if before == branch.from {
			before = w.place(parent, interval{branch.to, among.to}, w.isAfter(at))
		}
	} else {
		before = w.place(parent, among, w.isAfter(at))
	}
	w.tree.move(w.edit, a, branch.from, branch.to, before)
	size := int32(branch.to - branch.from) //nolint:gosec // G115: a number of accounts
	w.resize(above, -size)
	a.nodes.Ref(w.edit, at).parent = parent
	w.resize(parent, size)
}

func (w *writer) removeAccount(id account.ID) error {
	a, e := &w.accounts, w.edit
	at, ok := a.find(id)
	switch {
	case !ok:
		return outOfStep("account %s is deleted and not there", id)
	case a.sizes.At(at) != 1:
		return outOfStep("account %s is deleted and has sub-accounts", id)
	case a.nodes.At(at).first != none:
		return outOfStep("account %s is deleted and has members", id)
	}
	w.tree.remove(e, w.tree.position(a, at))
	w.names.remove(e, a, at)
	w.resize(a.parent(at), -1)
	a.byID.Remove(e, at, a.hashOf(at))
	a.texts.Set(e, at, [paged.Fields]string{})
	a.nodes.Set(e, at, node{parent: none, first: none})
	w.free.accounts = append(w.free.accounts, at)
	return nil
}
