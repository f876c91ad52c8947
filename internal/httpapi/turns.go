package httpapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// turns bounds how much is worked on at once, and shares it out among callers: who
// has least at work comes first, and nobody has more than half while others are
// there. So one caller's flood, or slow questions, wait behind each other and not in front of others.
type turns struct {
	most int
	wait time.Duration // how long one may wait for a turn

	mu      sync.Mutex
	atWork  int
	lines   map[string]*line // of callers that are there: with something at work or waiting, or a moment ago
	waiting map[string]*line // those of them that wait
	came    uint64           // how many have ever waited
	swept   time.Time        // when callers that are gone were forgotten last
}

// line is one caller's work.
type line struct {
	atWork  int
	waiting []*ticket // the first has waited longest
	last    time.Time // when the caller had a turn or waited for one
}

type ticket struct {
	number uint64
	turn   chan struct{} // closed when it has come
}

// present is how long after its last turn a caller counts as there.
const present = time.Second

func newTurns(most int, wait time.Duration) *turns {
	return &turns{most: most, wait: wait, lines: map[string]*line{}, waiting: map[string]*line{}}
}

// each is how many turns one caller may have: half, or all if nobody else is there.
func (t *turns) each() int {
	if len(t.lines) < 2 {
		return t.most
	}
	return (t.most + 1) / 2
}

// take waits for a turn, which release gives back. An Unavailable fault (too_busy)
// if none comes in time; the context's error if that ends before.
func (t *turns) take(ctx context.Context, caller string) (release func(), err error) {
	mine := t.join(caller)
	select {
	case <-mine.turn: // at once
	default:
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
	return fault.New(fault.Unavailable, codeTooBusy, "more is asked than can be worked on at once, in all or with this credential; try again later, with fewer requests at once")
}

// join puts a ticket in line. Its turn has come already if there is one for it.
func (t *turns) join(caller string) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.sweep(now)
	l := t.lines[caller]
	if l == nil {
		l = &line{}
		t.lines[caller] = l
	}
	t.came++
	mine := &ticket{number: t.came, turn: make(chan struct{})}
	l.last, l.waiting = now, append(l.waiting, mine)
	t.waiting[caller] = l
	t.share()
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
	if len(l.waiting) == 0 {
		delete(t.waiting, caller)
	}
	return true
}

func (t *turns) release(caller string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	l := t.lines[caller]
	l.atWork--
	l.last = now
	t.atWork--
	t.sweep(now)
	t.share()
}

// share gives free turns to those who wait: to the caller with least at work, and
// among these to who came first.
func (t *turns) share() {
	for t.atWork < t.most {
		var next *line
		var caller string
		for name, l := range t.waiting {
			if l.atWork >= t.each() {
				continue
			}
			if next == nil || l.atWork < next.atWork || l.atWork == next.atWork && l.waiting[0].number < next.waiting[0].number {
				next, caller = l, name
			}
		}
		if next == nil {
			return
		}
		close(next.waiting[0].turn)
		next.waiting = slices.Delete(next.waiting, 0, 1)
		if len(next.waiting) == 0 {
			delete(t.waiting, caller)
		}
		next.atWork++
		t.atWork++
	}
}

// sweep forgets callers that are gone.
func (t *turns) sweep(now time.Time) {
	if now.Sub(t.swept) < present/4 {
		return
	}
	t.swept = now
	for name, l := range t.lines {
		if l.atWork == 0 && len(l.waiting) == 0 && now.Sub(l.last) >= present {
			delete(t.lines, name)
		}
	}
}

// working is how many turns are taken.
func (t *turns) working() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.atWork
}
