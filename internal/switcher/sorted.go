package switcher

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// sorted returns all accounts by folded name, those of one name by id.
func (a *accounts) sorted() []slot {
	keyed := make([]keyedSlot, 0, a.byID.Len())
	for at := range slot(a.nodes.Len()) { //nolint:gosec // G115: slots are numbered so
		if a.texts.At(at, textID) != "" {
			keyed = append(keyed, keyedSlot{at: at})
		}
	}
	a.sortFrom(keyed, 0)
	all := make([]slot, len(keyed))
	for i, k := range keyed {
		all[i] = k.at
	}
	return all
}

// keyedSlot is an account with the part of its folded name that is compared: to look each
// name up for every comparison costs far more than to compare.
type keyedSlot struct {
	key uint64
	at  slot
}

// few is how many accounts are sorted by their whole names.
const few = 12

// sortFrom sorts accounts whose names are the same up to a place in them.
func (a *accounts) sortFrom(some []keyedSlot, from int) {
	if len(some) <= few {
		slices.SortFunc(some, func(x, y keyedSlot) int { return a.compareTexts(x.at, y.at) })
		return
	}
	longest := 0
	for i := range some {
		name := a.folded(some[i].at)
		some[i].key = keyAt(name, from)
		longest = max(longest, len(name))
	}
	slices.SortFunc(some, func(x, y keyedSlot) int { return cmp.Compare(x.key, y.key) })
	for len(some) > 0 {
		n := 1
		for n < len(some) && some[n].key == some[0].key {
			n++
		}
		if n > 1 {
			a.sortTied(some[:n], from+8, longest)
		}
		some = some[n:]
	}
}

// sortTied sorts accounts whose names are the same up to a place, or end before it; none is longer than longest.
func (a *accounts) sortTied(some []keyedSlot, from, longest int) {
	if from < longest {
		a.sortFrom(some, from)
		return
	}
	slices.SortFunc(some, func(x, y keyedSlot) int { return a.compareTexts(x.at, y.at) })
}

// keyAt is eight bytes of a text from a place on, in whose order texts are that are the same before it; 0 for what is beyond its end.
func keyAt(text string, from int) uint64 {
	var eight [8]byte
	if from < len(text) {
		copy(eight[:], text[from:])
	}
	return binary.BigEndian.Uint64(eight[:])
}
