package switcher

import (
	"slices"
	"sync"
)

// interval is some accounts that follow each other in the tree: from up to, but without, to.
type interval struct{ from, to uint32 }

func (i interval) empty() bool { return i.from >= i.to }

func (i interval) within(other interval) interval {
	return interval{max(i.from, other.from), min(i.to, other.to)}
}

// area is a part of the tree: intervals in its order, which do not meet.
type area []interval

// size is how many accounts an area has.
func (a area) size() int {
	n := 0
	for _, i := range a {
		n += int(i.to - i.from)
	}
	return n
}

// has reports whether a position is in an area.
func (a area) has(position uint32) bool {
	_, found := a.find(position)
	return found
}

// find returns which interval of an area has a position.
func (a area) find(position uint32) (int, bool) {
	return slices.BinarySearchFunc(a, position, func(i interval, p uint32) int {
		switch {
		case i.to <= p:
			return -1
		case i.from > p:
			return 1
		default:
			return 0
		}
	})
}

// within is the part of an area inside an interval.
func (a area) within(bounds interval) area {
	var out area
	for _, i := range a {
		if part := i.within(bounds); !part.empty() {
			out = append(out, part)
		}
	}
	return out
}

// areas remembers, of a version, where those with many memberships hold something.
type areas struct {
	mu    sync.Mutex
	known map[areaKey]area
}

type areaKey struct {
	subject    slot
	permission int
}

// manyMemberships is from how many on an area is remembered; mostAreas is how many areas are.
var manyMemberships uint32 = 256 // tests make them few

const mostAreas = 256

func (a *areas) get(key areaKey) (area, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.known[key]
	return known, ok
}

func (a *areas) put(key areaKey, known area) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= mostAreas {
		a.known = map[areaKey]area{}
	}
	a.known[key] = known
}

// reach returns where a user or an API token holds a permission by membership, direct or
// inherited: an area that is not to be changed.
func (v *View) reach(subject slot, permission int) area {
	if v.state.subjects.info.At(subject).count < manyMemberships {
		found, _ := v.find(subject, permission)
		return found
	}
	key := areaKey{subject, permission}
	if known, ok := v.state.areas.get(key); ok {
		return known
	}
	found, lasts := v.find(subject, permission)
	if lasts {
		v.state.areas.put(key, found)
	}
	return found
}

// find finds out what reach returns. lasts is whether it is so at any time: none of the memberships ends.
func (v *View) find(subject slot, permission int) (found area, lasts bool) {
	s := v.state
	found, lasts = make(area, 0, s.subjects.info.At(subject).count), true
	for i := s.subjects.info.At(subject).first; i != none; {
		m := s.memberships.all.At(i)
		i = m.nextOfSubject
		lasts = lasts && m.expires == 0
		if !v.gives(&m, permission) {
			continue
		}
		at := s.interval(m.account)
		if !s.reachesDown(&m) {
			at.to = at.from + 1
		}
		found = append(found, at)
	}
	return found.joined(), lasts
}

// joined puts intervals into order, and those together that meet.
func (a area) joined() area {
	a.sort()
	out := a[:0]
	for _, i := range a {
		if n := len(out); n > 0 && i.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, i.to)
			continue
		}
		out = append(out, i)
	}
	return out
}

// sort puts intervals into order, as numbers: these are compared without a call for each comparison.
func (a area) sort() {
	if len(a) < 2 {
		return
	}
	numbers := make([]uint64, len(a))
	for i, v := range a {
		numbers[i] = uint64(v.from)<<32 | uint64(v.to)
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		a[i] = interval{uint32(n >> 32), uint32(n)} //nolint:gosec // G115: the two halves
	}
}
