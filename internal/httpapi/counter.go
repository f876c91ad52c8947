package httpapi

import (
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// counter counts by key in a window of time and in the one before. Its memory is
// bounded: when it has as many keys as it may, further ones share a bounded number
// of counts, each with some others. Keys are hashed with a seed that nobody knows,
// so that nobody can choose with whom to share.
type counter struct {
	most   int
	length time.Duration // of a window
	seed   maphash.Seed

	mu          sync.Mutex
	window      time.Time // in which now counts
	now, before map[uint64]int
}

// shared is how many counts there are for keys beyond the bound.
const shared = 1 << 12

func newCounter(most int, length time.Duration) *counter {
	return &counter{most: most, length: length, seed: maphash.MakeSeed(), now: map[uint64]int{}, before: map[uint64]int{}}
}

// add counts something that happens at a time.
func (c *counter) add(key string, at time.Time, amount int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(at.Truncate(c.length))
	c.now[c.slot(c.now, key)] += amount
}

// take counts one unless as many as the limit have happened, and tells how many had before, over a
// window that slides: those of this window, and of the one before the part that it still covers.
func (c *counter) take(key string, at time.Time, limit int) (before int, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.slid(key, at)
	if before+1 > limit {
		return before, false
	}
	c.advance(at.Truncate(c.length))
	c.now[c.slot(c.now, key)]++
	return before, true
}

// happened tells how many have happened, as take reckons it.
func (c *counter) happened(key string, at time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slid(key, at)
}

func (c *counter) slid(key string, at time.Time) int {
	window := at.Truncate(c.length)
	if window.Before(c.window) { // who was slow to come here counts with those who are here now
		at, window = c.window, c.window
	}
	inCurrent, inPrevious := c.get(key, window)
	left := 1 - float64(at.Sub(window))/float64(c.length)
	return int(math.Round(float64(inCurrent) + float64(inPrevious)*left))
}

// advance makes a window the one in which now counts.
func (c *counter) advance(current time.Time) {
	if current.After(c.window) {
		before := map[uint64]int{}
		if current.Add(-c.length).Equal(c.window) {
			before = c.now
		}
		c.now, c.before = map[uint64]int{}, before // never the same again: a map that was large once stays large
		c.window = current
	}
}

// get returns the counts of a window and of the one before.
func (c *counter) get(key string, current time.Time) (inCurrent, inPrevious int) {
	switch {
	case current.Equal(c.window):
		return c.now[c.slot(c.now, key)], c.before[c.slot(c.before, key)]
	case current.Add(-c.length).Equal(c.window):
		return 0, c.now[c.slot(c.now, key)]
	default:
		return 0, 0
	}
}

// slot is where a key is counted: under its hash, or under one that it shares.
func (c *counter) slot(in map[uint64]int, key string) uint64 {
	hash := max(maphash.String(c.seed, key), shared) // those below are shared
	if _, known := in[hash]; known || len(in) < c.most {
		return hash
	}
	return hash % shared
}
