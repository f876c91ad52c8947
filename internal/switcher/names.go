package switcher

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// names is all accounts by folded name, those of one name by id.
//
// Each account has a label, which never decreases along the order: accounts with
// different labels are compared without their names. A new one gets a label
// between its neighbours', or, when there is no room, that of the one before;
// when there have been many of these, all labels are dealt out anew.
type names struct {
	by     *paged.Edit
	chunks []*nameChunk
	tight  int // accounts that have got the label of the one before since labels were dealt out
	count  int
}

type nameChunk struct {
	by    *paged.Edit
	slots []slot
}

// compareNames compares two accounts by name and id.
func (a *accounts) compareNames(x, y slot) int {
	if byLabel := cmp.Compare(a.labels.At(x), a.labels.At(y)); byLabel != 0 {
		return byLabel
	}
	return a.compareTexts(x, y)
}

func (a *accounts) compareTexts(x, y slot) int {
	if x == y {
		return 0
	}
	return cmp.Or(strings.Compare(a.folded(x), a.folded(y)), strings.Compare(a.texts.At(x, textID), a.texts.At(y, textID)))
}

// compareTo compares an account with a name and an id.
func (a *accounts) compareTo(x slot, folded string, id account.ID) int {
	return cmp.Or(strings.Compare(a.folded(x), folded), strings.Compare(a.texts.At(x, textID), string(id)))
}

// compareDates compares two accounts by when they were made, the newer first, and then by name.
func (a *accounts) compareDates(x, y slot) int {
	return cmp.Or(cmp.Compare(a.nodes.At(y).created, a.nodes.At(x).created), a.compareNames(x, y))
}

// fill takes over all accounts, in their order, and deals out labels.
func (n *names) fill(e *paged.Edit, a *accounts, all []slot) {
	*n = names{by: e, count: len(all)}
	for part := range slices.Chunk(all, chunkFull) {
		n.chunks = append(n.chunks, &nameChunk{by: e, slots: slices.Clone(part)})
	}
	n.label(e, a)
}

// label deals out labels, with room between them.
func (n *names) label(e *paged.Edit, a *accounts) {
	n.tight = 0
	room := math.MaxUint64 / (uint64(n.count) + 1) //nolint:gosec // G115: a number of accounts
	next := room
	for _, c := range n.chunks {
		for _, at := range c.slots {
			a.labels.Set(e, at, next)
			next += room
		}
	}
}

// place returns the chunk that has the first account that is not before a name and an id, and where in it.
func (n *names) place(a *accounts, folded string, id account.ID) (chunk, offset int) {
	chunk = sort.Search(len(n.chunks), func(i int) bool {
		c := n.chunks[i].slots
		return a.compareTo(c[len(c)-1], folded, id) >= 0
	})
	if chunk == len(n.chunks) {
		return chunk, 0
	}
	slots := n.chunks[chunk].slots
	return chunk, sort.Search(len(slots), func(i int) bool { return a.compareTo(slots[i], folded, id) >= 0 })
}

// own makes a chunk one of the edit.
func (n *names) own(e *paged.Edit, i int) *nameChunk {
	if n.by != e {
		n.by, n.chunks = e, slices.Clone(n.chunks)
	}
	c := n.chunks[i]
	if c.by != e {
		c = &nameChunk{by: e, slots: append(make([]slot, 0, chunkMost), c.slots...)}
		n.chunks[i] = c
	}
	return c
}

// insert puts an account, whose texts are known, where it belongs.
func (n *names) insert(e *paged.Edit, a *accounts, at slot) {
	n.count++
	if len(n.chunks) == 0 {
		n.by, n.chunks = e, []*nameChunk{{by: e, slots: []slot{at}}}
		n.label(e, a)
		return
	}
	i, offset := n.place(a, a.folded(at), a.id(at))
	if i == len(n.chunks) {
		i, offset = i-1, len(n.chunks[i-1].slots)
	}
	c := n.own(e, i)
	c.slots = slices.Insert(c.slots, offset, at)
	before, after := n.neighbours(a, i, offset)
	label := before + (after-before)/2
	if label == before {
		n.tight++
	}
	a.labels.Set(e, at, label)
	if len(c.slots) == chunkMost {
		right := &nameChunk{by: e, slots: append(make([]slot, 0, chunkMost), c.slots[chunkMost/2:]...)}
		c.slots = c.slots[:chunkMost/2]
		n.chunks = slices.Insert(n.chunks, i+1, right)
	}
	if n.tight > chunkMost+n.count/8 {
		n.label(e, a)
	}
}

// neighbours returns the labels before and after an account.
func (n *names) neighbours(a *accounts, i, offset int) (before, after uint64) {
	after = math.MaxUint64
	switch slots := n.chunks[i].slots; {
	case offset > 0:
		before = a.labels.At(slots[offset-1])
	case i > 0:
		last := n.chunks[i-1].slots
		before = a.labels.At(last[len(last)-1])
	}
	switch slots := n.chunks[i].slots; {
	case offset+1 < len(slots):
		after = a.labels.At(slots[offset+1])
	case i+1 < len(n.chunks):
		after = a.labels.At(n.chunks[i+1].slots[0])
	}
	return before, after
}

// remove takes an account out, whose texts are still known.
func (n *names) remove(e *paged.Edit, a *accounts, at slot) {
	i, offset := n.place(a, a.folded(at), a.id(at))
	c := n.own(e, i)
	c.slots = slices.Delete(c.slots, offset, offset+1)
	n.count--
	if len(c.slots) == 0 {
		n.chunks = slices.Delete(n.chunks, i, i+1)
	}
}
