package app_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/app"
)

// movedClock is a clock that tests move.
type movedClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *movedClock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// clocked is one machine whose time is a clock that begins now.
func clocked() (shape, *movedClock) {
	c := &movedClock{at: time.Now().UTC().Truncate(time.Second)}
	s := oneMachine
	s.make = func(t testing.TB) app.Config { return app.Config{DataDir: t.TempDir(), Now: c.now} }
	return s, c
}
