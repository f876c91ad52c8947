package httpapi

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/go-chi/httprate"
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

var _ httprate.LimitCounter = (*counter)(nil)

// shared is how many counts there are for keys beyond the bound.
const shared = 1 << 12

func newCounter(most int, length time.Duration) *counter {
	return &counter{most: most, length: length, seed: maphash.MakeSeed(), now: map[uint64]int{}, before: map[uint64]int{}}
}

// Config does nothing: a counter knows its windows from the start.
func (*counter) Config(int, time.Duration) {}

// Increment counts one.
func (c *counter) Increment(key string, current time.Time) error {
	return c.IncrementBy(key, current, 1)
}

// IncrementBy counts several. It never fails.
func (c *counter) IncrementBy(key string, current time.Time, amount int) error {
	c.add(key, current, amount)
	return nil
}

func (c *counter) add(key string, current time.Time, amount int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current.After(c.window) {
		before := map[uint64]int{}
		if current.Add(-c.length).Equal(c.window) {
			before = c.now
		}
		c.now, c.before = map[uint64]int{}, before // never the same again: a map that was large once stays large
		c.window = current
	}
	c.now[c.slot(c.now, key)] += amount
}

// Get returns the counts of a window and of the one before. It never fails.
func (c *counter) Get(key string, current, previous time.Time) (inCurrent, inPrevious int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case current.Equal(c.window):
		return c.now[c.slot(c.now, key)], c.before[c.slot(c.before, key)], nil
	case previous.Equal(c.window):
		return 0, c.now[c.slot(c.now, key)], nil
	default:
		return 0, 0, nil
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
