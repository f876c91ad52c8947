package httpapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// turns bounds how much is worked on at once, and shares it out among callers: who
// has least at work comes first, and nobody has more than half. So one caller's
// flood, or slow questions, wait behind each other and not in front of others.
type turns struct {
	most, each int
	wait       time.Duration // how long one may wait for a turn

	mu     sync.Mutex
	atWork int
	lines  map[string]*line // of callers that have something at work or waiting
	came   uint64           // how many have ever waited
}

// line is one caller's work.
type line struct {
	atWork  int
	waiting []*ticket // the first has waited longest
}

type ticket struct {
	number uint64
	turn   chan struct{} // closed when it has come
}

func newTurns(most int, wait time.Duration) *turns {
	return &turns{most: most, each: (most + 1) / 2, wait: wait, lines: map[string]*line{}}
}

// take waits for a turn, which release gives back. An Unavailable fault (too_busy)
// if none comes in time; the context's error if that ends before.
func (t *turns) take(ctx context.Context, caller string) (release func(), err error) {
	mine := t.join(caller)
	if mine != nil {
		timer := time.NewTimer(t.wait)
		defer timer.Stop()
		select {
		case <-mine.turn:
		case <-timer.C:
			err = tooBusy()
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil && t.leave(caller, mine) {
			return nil, err
		}
	}
	return sync.OnceFunc(func() { t.release(caller) }), nil
}

func tooBusy() *fault.Error {
	return fault.New(fault.Unavailable, "too_busy", "more is asked than can be worked on at once, in all or with this credential; try again later, with fewer requests at once")
}

// join takes a turn if there is one, and returns nil; otherwise a place in the line.
func (t *turns) join(caller string) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[caller]
	if l == nil {
		l = &line{}
		t.lines[caller] = l
	}
	if t.atWork < t.most && l.atWork < t.each { // then nobody waits who could go: see share
		t.atWork++
		l.atWork++
		return nil
	}
	t.came++
	mine := &ticket{number: t.came, turn: make(chan struct{})}
	l.waiting = append(l.waiting, mine)
	return mine
}

// leave takes a ticket out of the line, and reports whether it was still in it.
func (t *turns) leave(caller string, mine *ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[caller]
	i := slices.Index(l.waiting, mine)
	if i < 0 {
		return false // its turn came just now
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	t.forget(caller, l)
	return true
}

func (t *turns) release(caller string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[caller]
	l.atWork--
	t.atWork--
	t.share()
	t.forget(caller, l)
}

// share gives free turns to those who wait: to the caller with least at work, and
// among these to who came first.
func (t *turns) share() {
	for t.atWork < t.most {
		var next *line
		for _, l := range t.lines {
			if len(l.waiting) == 0 || l.atWork >= t.each {
				continue
			}
			if next == nil || l.atWork < next.atWork || l.atWork == next.atWork && l.waiting[0].number < next.waiting[0].number {
				next = l
			}
		}
		if next == nil {
			return
		}
		close(next.waiting[0].turn)
		next.waiting = slices.Delete(next.waiting, 0, 1)
		next.atWork++
		t.atWork++
	}
}

func (t *turns) forget(caller string, l *line) {
	if l.atWork == 0 && len(l.waiting) == 0 {
		delete(t.lines, caller)
	}
}

// working is how many turns are taken.
func (t *turns) working() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.atWork
}
