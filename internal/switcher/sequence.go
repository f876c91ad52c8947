package switcher

import (
	"slices"
	"sort"
	"sync/atomic"

	"github.com/tenantry/tenantry/internal/switcher/paged"
)

// sequence is all accounts of an environment as the tree is shown: parents before
// their children, siblings by name. So every branch is one interval of it.
type sequence struct {
	by     *paged.Edit
	chunks []*chunk
	starts []uint32 // how many accounts come before each chunk, and at last how many there are
	places []uint32 // where a chunk is among the chunks, by its id
}

const maxChunk = 512

// How many accounts a chunk has: at most, and when the whole sequence is made anew. Tests make them few.
var chunkMost, chunkFull = maxChunk, maxChunk * 3 / 4

// chunk is some accounts that follow each other.
type chunk struct {
	by    *paged.Edit
	id    uint32
	slots []slot

	orders  [2]atomic.Pointer[[]uint16] // see order
	wording atomic.Pointer[wording]
}

// order is another order of the accounts of a chunk.
type order int

const (
	byName order = iota
	byDate       // the newest first
)

// sorted returns the places of the chunk's accounts in another order, which is found out once.
func (c *chunk) sorted(by order, compare func(a, b slot) int) []uint16 {
	if known := c.orders[by].Load(); known != nil {
		return *known
	}
	places := make([]uint16, len(c.slots))
	for i := range places {
		places[i] = uint16(i)
	}
	slices.SortFunc(places, func(a, b uint16) int { return compare(c.slots[a], c.slots[b]) })
	c.orders[by].Store(&places)
	return places
}

func (s *sequence) length() uint32 {
	if len(s.starts) == 0 {
		return 0
	}
	return s.starts[len(s.starts)-1]
}

// chunkAt returns which chunk has a position, and where that is in it.
func (s *sequence) chunkAt(position uint32) (i int, offset uint32) {
	i = sort.Search(len(s.chunks), func(i int) bool { return s.starts[i+1] > position })
	return i, position - s.starts[min(i, len(s.starts)-1)]
}

func (s *sequence) at(position uint32) slot {
	i, offset := s.chunkAt(position)
	return s.chunks[i].slots[offset]
}

// position returns where an account is.
func (s *sequence) position(a *accounts, at slot) uint32 {
	known := a.places.At(at)
	i := s.places[known.chunk]
	return s.starts[i] + s.chunks[i].find(at, known.near)
}

// find returns where in the chunk an account of it is, which is looked for from a place on, to both sides.
func (c *chunk) find(at slot, near uint32) uint32 {
	down := min(int(near), len(c.slots)-1)
	for up := down; ; up, down = up+1, down-1 {
		if down >= 0 && c.slots[down] == at {
			return uint32(down) //nolint:gosec // G115: less than chunkMost
		}
		if (up < len(c.slots) || down < 0) && c.slots[up] == at {
			return uint32(up) //nolint:gosec // G115: as above
		}
	}
}

// fill makes the sequence anew out of all accounts in their order.
func (s *sequence) fill(e *paged.Edit, a *accounts, all []slot) {
	*s = sequence{by: e}
	for part := range slices.Chunk(all, chunkFull) {
		s.chunks = append(s.chunks, s.newChunk(e, a, slices.Clone(part)))
	}
	s.number()
}

func (s *sequence) newChunk(e *paged.Edit, a *accounts, slots []slot) *chunk {
	c := &chunk{by: e, id: uint32(len(s.places)), slots: slots} //nolint:gosec // G115: there are fewer chunks than accounts
	free := -1
	if len(s.places) > len(s.chunks) {
		free = slices.Index(s.places, none)
	}
	if free >= 0 {
		c.id = uint32(free)
		s.places[free] = 0
	} else {
		s.places = append(s.places, 0)
	}
	c.claim(e, a)
	return c
}

// claim notes in the accounts of a chunk where they are.
func (c *chunk) claim(e *paged.Edit, a *accounts) {
	for i, at := range c.slots {
		if here := (place{c.id, uint32(i)}); a.places.At(at) != here {
			a.places.Set(e, at, here)
		}
	}
}

// number finds starts and places after the chunks have changed.
func (s *sequence) number() {
	s.starts = append(s.starts[:0], 0)
	for i := range s.places {
		s.places[i] = none
	}
	for i, c := range s.chunks {
		s.starts = append(s.starts, s.starts[i]+uint32(len(c.slots))) //nolint:gosec // G115: slots are numbered so
		s.places[c.id] = uint32(i)
	}
}

// own makes the sequence, but not its chunks, one of the edit.
func (s *sequence) own(e *paged.Edit) {
	if s.by == e {
		return
	}
	s.by, s.chunks = e, slices.Clone(s.chunks)
	s.starts, s.places = slices.Clone(s.starts), slices.Clone(s.places)
}

// ownChunk makes a chunk one of the edit, which forgets its other orders and its wording.
func (s *sequence) ownChunk(e *paged.Edit, i int) *chunk {
	c := s.chunks[i]
	if c.by != e {
		c = &chunk{by: e, id: c.id, slots: append(make([]slot, 0, chunkMost), c.slots...)}
		s.chunks[i] = c
	}
	c.orders[byName].Store(nil)
	c.orders[byDate].Store(nil)
	c.wording.Store(nil)
	return c
}

// insert puts an account at a position.
func (s *sequence) insert(e *paged.Edit, a *accounts, position uint32, at slot) {
	s.own(e)
	if len(s.chunks) == 0 {
		s.fill(e, a, []slot{at})
		return
	}
	i, offset := s.chunkAt(position)
	if i == len(s.chunks) { // at the very end
		i, offset = i-1, uint32(len(s.chunks[i-1].slots)) //nolint:gosec // G115: at most chunkMost
	}
	if len(s.chunks[i].slots) == chunkMost {
		s.split(e, a, i, chunkMost/2)
		s.number()
		if half := uint32(chunkMost / 2); offset > half { //nolint:gosec // G115: at most maxChunk
			i, offset = i+1, offset-half
		}
	}
	c := s.ownChunk(e, i)
	c.slots = slices.Insert(c.slots, int(offset), at)
	a.places.Set(e, at, place{c.id, offset})
	for j := i + 1; j < len(s.starts); j++ {
		s.starts[j]++
	}
}

// touch notes that an account in the sequence has another name or parent now, or is another account.
func (s *sequence) touch(e *paged.Edit, a *accounts, at slot) {
	s.own(e)
	s.ownChunk(e, int(s.places[a.places.At(at).chunk]))
}

// remove takes the account at a position out.
func (s *sequence) remove(e *paged.Edit, position uint32) {
	s.own(e)
	i, offset := s.chunkAt(position)
	c := s.ownChunk(e, i)
	c.slots = slices.Delete(c.slots, int(offset), int(offset)+1)
	if len(c.slots) == 0 {
		s.chunks = slices.Delete(s.chunks, i, i+1)
	}
	s.number()
}

// move takes the interval from, to out and puts it before what is at the position before, which is outside of it.
func (s *sequence) move(e *paged.Edit, a *accounts, from, to, before uint32) {
	if before == from || before == to {
		return
	}
	s.own(e)
	for _, position := range []uint32{from, to, before} {
		s.cut(e, a, position)
	}
	i, j, k := s.boundary(from), s.boundary(to), s.boundary(before)
	taken := slices.Clone(s.chunks[i:j])
	if k > i {
		s.chunks = slices.Insert(s.chunks, k, taken...)
		s.chunks = slices.Delete(s.chunks, i, j)
	} else {
		s.chunks = slices.Delete(s.chunks, i, j)
		s.chunks = slices.Insert(s.chunks, k, taken...)
	}
	s.number()
	s.join(e, a)
}

// boundary is the chunk that begins at a position, at which one does.
func (s *sequence) boundary(position uint32) int {
	i, _ := slices.BinarySearch(s.starts, position)
	return i
}

// cut has a chunk begin at a position.
func (s *sequence) cut(e *paged.Edit, a *accounts, position uint32) {
	if i, offset := s.chunkAt(position); i < len(s.chunks) && offset > 0 {
		s.split(e, a, i, int(offset))
		s.number()
	}
}

func (s *sequence) split(e *paged.Edit, a *accounts, i, offset int) {
	c := s.ownChunk(e, i)
	right := append(make([]slot, 0, chunkMost), c.slots[offset:]...)
	c.slots = c.slots[:offset]
	s.chunks = slices.Insert(s.chunks, i+1, s.newChunk(e, a, right))
}

// join puts neighbours together that are small: those that cuts have left.
func (s *sequence) join(e *paged.Edit, a *accounts) {
	kept := s.chunks[:0:0]
	joined := false
	for i, c := range s.chunks {
		if n := len(kept); n > 0 && len(kept[n-1].slots)+len(c.slots) <= chunkFull/2 {
			last := s.ownChunk(e, slices.Index(s.chunks, kept[n-1]))
			last.slots = append(last.slots, c.slots...)
			last.claim(e, a)
			kept[n-1], joined = last, true
			continue
		}
		kept = append(kept, s.chunks[i])
	}
	if joined {
		s.chunks = kept
		s.number()
	}
}
