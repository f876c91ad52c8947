package switcher

import (
	"slices"
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

// reach returns where a user or an API token holds a permission by membership, direct or inherited.
func (v *View) reach(subject slot, permission int) area {
	s := v.state
	found := make(area, 0, s.subjects.info.At(subject).count)
	for i := s.subjects.info.At(subject).first; i != none; {
		m := s.memberships.all.At(i)
		i = m.nextOfSubject
		if !v.gives(&m, permission) {
			continue
		}
		at := s.interval(m.account)
		if !s.reachesDown(&m) {
			at.to = at.from + 1
		}
		found = append(found, at)
	}
	return found.joined()
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
