package switcher

import (
	"container/heap"
	"slices"
	"sort"
)

// ordering is an order of accounts other than the tree's, and where in it a page begins.
type ordering struct {
	state *state
	by    order
	after *beyond // nil on the first page
	at    int64   // of the cursor in order of date
}

func (s *state) ordering(by Sort, after After) *ordering {
	o := &ordering{state: s, by: byName}
	if by == ByDate {
		o.by, o.at = byDate, after.At.UnixMicro()
	}
	if n := len(after.Marks); n > 0 {
		b := s.beyond(after.Marks[n-1])
		o.after = &b
	}
	return o
}

// key is a number in the order of which accounts are, but for those that have the same.
func (o *ordering) key(at slot) uint64 {
	if o.by == byName {
		return o.state.accounts.labels.At(at)
	}
	return ^(uint64(o.state.accounts.nodes.At(at).created) ^ 1<<63) //nolint:gosec // G115: keeps the order, turned round
}

func (o *ordering) compare(x, y slot) int {
	if o.by == byName {
		return o.state.accounts.compareNames(x, y)
	}
	return o.state.accounts.compareDates(x, y)
}

// comes reports whether an account is after the cursor.
func (o *ordering) comes(at slot) bool {
	if o.after == nil {
		return true
	}
	if o.by == byDate {
		if made := o.state.accounts.nodes.At(at).created; made != o.at {
			return made < o.at
		}
	}
	return o.after.has(at)
}

// fromNames looks for the accounts of a page where all accounts are by name, which is
// quick where the area has many of them. ok is whether it was worth the while.
func (l *lister) fromNames(o *ordering) (found []slot, ok bool) {
	s := l.view.state
	if o.by != byName || l.total == 0 || 8*l.total < s.names.count {
		return nil, false
	}
	everything := l.total == s.names.count
	budget := s.names.count
	if most := l.most(); most < l.total {
		budget = 64 * most // of one in eight; where they lie apart, merge does it
	}
	i, offset := 0, 0
	if o.after != nil {
		i, offset = s.names.place(&s.accounts, o.after.folded, o.after.id)
	}
	for ; i < len(s.names.chunks); i, offset = i+1, 0 {
		for _, at := range s.names.chunks[i].slots[offset:] {
			if (everything || l.area.has(s.tree.position(&s.accounts, at))) && o.comes(at) {
				found = append(found, at)
			}
			if len(found) == l.most() {
				return found, true
			}
			if budget--; budget < 0 {
				return nil, false
			}
		}
	}
	return found, true
}

// amongFew takes the accounts of a page out of all of an area that is about as many branches as accounts.
// ok is whether it is that.
func (l *lister) amongFew(o *ordering) (found []slot, ok bool) {
	if l.total > 8*len(l.area) {
		return nil, false
	}
	best := o.best(l.most())
	l.parts(func(c *chunk, from, to int) bool {
		for _, at := range c.slots[from:to] {
			best.offer(at)
		}
		return true
	})
	return best.sorted(), true
}

// merge takes the accounts of a page out of the chunks of the area, each of which knows its own in the order.
func (l *lister) merge(o *ordering) []slot {
	sources := l.sources(o)
	q := &queue{ordering: o, sources: sources}
	heap.Init(q)
	most := l.most()
	found := make([]slot, 0, min(most, l.total))
	for len(found) < most && len(q.sources) > 0 {
		first := q.sources[0]
		found = append(found, first.at)
		if first.next(o) {
			heap.Fix(q, 0)
		} else {
			heap.Pop(q)
		}
	}
	return found
}

// source is what is left of a chunk.
type source struct {
	key    uint64
	at     slot
	chunk  *chunk
	places []uint16 // of the chunk's accounts in the order, that are left
	covers *[maxChunk / 64]uint64
}

// next goes on to the next account of the area.
func (s *source) next(o *ordering) bool {
	for len(s.places) > 0 {
		place := s.places[0]
		s.places = s.places[1:]
		if s.covers == nil || s.covers[place>>6]&(1<<(place&63)) != 0 {
			s.at = s.chunk.slots[place]
			s.key = o.key(s.at)
			return true
		}
	}
	return false
}

// sources returns the chunks of the area, each at its first account after the cursor.
func (l *lister) sources(o *ordering) []*source {
	all := make([]source, 0, l.chunks())
	l.parts(func(c *chunk, from, to int) bool {
		if n := len(all); n == 0 || all[n-1].chunk != c {
			all = append(all, source{chunk: c})
			if to-from < len(c.slots) {
				all[n].covers = &[maxChunk / 64]uint64{}
			}
		}
		if covers := all[len(all)-1].covers; covers != nil {
			for place := from; place < to; place++ {
				covers[place>>6] |= 1 << (place & 63)
			}
		}
		return true
	})
	left := make([]*source, 0, len(all))
	for i := range all {
		s := &all[i]
		s.places = s.chunk.sorted(o.by, o.compare)
		if o.after != nil {
			s.places = s.places[sort.Search(len(s.places), func(i int) bool { return o.comes(s.chunk.slots[s.places[i]]) }):]
		}
		if s.next(o) {
			left = append(left, s)
		}
	}
	return left
}

// chunks is how many chunks the area is in, or a little more.
func (l *lister) chunks() int {
	tree := &l.view.state.tree
	n := 0
	for _, part := range l.area {
		first, _ := tree.chunkAt(part.from)
		last, _ := tree.chunkAt(part.to - 1)
		n += last - first + 1
	}
	return min(n, len(tree.chunks))
}

// queue has the source with the first account first.
type queue struct {
	ordering *ordering
	sources  []*source
}

func (q *queue) Len() int { return len(q.sources) }

func (q *queue) Less(i, j int) bool {
	x, y := q.sources[i], q.sources[j]
	if x.key != y.key {
		return x.key < y.key
	}
	return q.ordering.compare(x.at, y.at) < 0
}

func (q *queue) Swap(i, j int) { q.sources[i], q.sources[j] = q.sources[j], q.sources[i] }

func (q *queue) Push(x any) { q.sources = append(q.sources, x.(*source)) } //nolint:forcetypeassert // heap hands over what it was given

func (q *queue) Pop() any {
	last := q.sources[len(q.sources)-1]
	q.sources = q.sources[:len(q.sources)-1]
	return last
}

// best keeps the first accounts, in the order, of those offered.
type best struct {
	ordering *ordering
	most     int
	slots    []slot // with the last first, once there are enough
}

func (o *ordering) best(most int) *best { return &best{ordering: o, most: most} }

func (b *best) offer(at slot) {
	if !b.ordering.comes(at) {
		return
	}
	if len(b.slots) < b.most {
		b.slots = append(b.slots, at)
		if len(b.slots) == b.most {
			heap.Init(b)
		}
		return
	}
	if b.most > 0 && b.ordering.key(at) <= b.ordering.key(b.slots[0]) && b.ordering.compare(at, b.slots[0]) < 0 {
		b.slots[0] = at
		heap.Fix(b, 0)
	}
}

func (b *best) sorted() []slot {
	slices.SortFunc(b.slots, b.ordering.compare)
	return b.slots
}

func (b *best) Len() int           { return len(b.slots) }
func (b *best) Less(i, j int) bool { return b.ordering.compare(b.slots[i], b.slots[j]) > 0 }
func (b *best) Swap(i, j int)      { b.slots[i], b.slots[j] = b.slots[j], b.slots[i] }
func (b *best) Push(any)           {}
func (b *best) Pop() any           { return nil }
