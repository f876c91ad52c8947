package sqlite

import (
	"context"
	"sync"
)

// turns lets one writer in at a time, in the order of asking.
type turns struct {
	mu      sync.Mutex
	taken   bool
	closed  bool
	waiting []*waiter
}

type waiter struct {
	ready chan struct{} // closed when it has the turn, or never will
	alone bool          // it shares its commit with nobody
	has   bool
}

// take waits for the turn. Where ctx ends just as the turn comes, it has the turn and an error:
// whoever has it must pass it on.
func (t *turns) take(ctx context.Context, alone bool) (has bool, err error) {
	if ctx.Err() != nil {
		return false, ended(ctx)
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return false, ErrClosed
	}
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return true, nil
	}
	w := &waiter{ready: make(chan struct{}), alone: alone}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()

	select {
	case <-w.ready:
		if !w.has {
			return false, ErrClosed
		}
		return true, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.waiting {
		if other == w {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			break
		}
	}
	return w.has, ended(ctx)
}

// share gives the turn to the next in line if that one shares commits; false if not.
func (t *turns) share() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.waiting) == 0 || t.waiting[0].alone {
		return false
	}
	t.give()
	return true
}

// pass gives the turn to the next in line, if there is one.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.taken = false
		return
	}
	t.give()
}

func (t *turns) give() {
	w := t.waiting[0]
	t.waiting = t.waiting[1:]
	w.has = true
	close(w.ready)
}

// shut turns away whoever waits, and whoever comes.
func (t *turns) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, w := range t.waiting {
		close(w.ready)
	}
	t.waiting = nil
}

// last waits for the last turn that there will be, after shut.
func (t *turns) last() {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return
	}
	w := &waiter{ready: make(chan struct{}), alone: true}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	<-w.ready
}
