package httpapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
)

// turns bounds how much is worked on at once, and shares it out among environments, and
// within one among callers: who has least at work comes first, and nobody has more than half while others are
// there. So one caller's flood, or slow questions, wait behind each other and not in front of others, and so do those
// of an environment with many callers. All strangers have a quarter at most while others are there.
type turns struct {
	most int
	wait time.Duration // how long one may wait for a turn

	mu      sync.Mutex
	atWork  int
	lines   map[string]*line  // of callers that are there: with something at work or waiting, or a moment ago
	waiting map[string]*line  // those of them that wait
	groups  map[string]*group // by environment, "" for strangers
	came    uint64            // how many have ever waited
	swept   time.Time         // when callers that are gone were forgotten last
}

// group is the callers of one environment that are there, or all strangers.
type group struct {
	lines, atWork int
}

// line is one caller's work.
type line struct {
	in      *group
	of      string // the environment, "" for strangers
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
	return &turns{most: most, wait: wait, lines: map[string]*line{}, waiting: map[string]*line{}, groups: map[string]*group{}}
}

// mayHaveMore reports whether a caller may have another turn: half of all, or all if nobody else is there.
func (t *turns) mayHaveMore(l *line) bool {
	if len(t.lines) > 1 && l.atWork >= part(t.most, 2) {
		return false
	}
	return l.of != "" || len(t.groups) < 2 || l.in.atWork < part(t.most, 4)
}

// before reports whether a caller's turn comes before another's.
func (l *line) before(other *line) bool {
	switch {
	case l.in.atWork != other.in.atWork:
		return l.in.atWork < other.in.atWork
	case l.atWork != other.atWork:
		return l.atWork < other.atWork
	default:
		return l.waiting[0].number < other.waiting[0].number
	}
}

// take waits for a turn, which release gives back. An Unavailable fault (too_busy)
// if none comes in time; the context's error if that ends before.
func (t *turns) take(ctx context.Context, by party) (release func(), err error) {
	caller := by.name
	mine := t.join(by)
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
	return fault.New(fault.Unavailable, codeTooBusy, "more is asked than can be worked on at once, in all, in this environment or with this credential; try again later, with fewer requests at once")
}

// join puts a ticket in line. Its turn has come already if there is one for it.
func (t *turns) join(by party) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.sweep(now)
	l := t.lineOf(by)
	t.came++
	mine := &ticket{number: t.came, turn: make(chan struct{})}
	l.last, l.waiting = now, append(l.waiting, mine)
	t.waiting[by.name] = l
	t.share()
	return mine
}

// lineOf is a caller's line, with its group.
func (t *turns) lineOf(by party) *line {
	if l := t.lines[by.name]; l != nil {
		return l
	}
	in := t.groups[by.environment]
	if in == nil {
		in = &group{}
		t.groups[by.environment] = in
	}
	in.lines++
	l := &line{in: in, of: by.environment}
	t.lines[by.name] = l
	return l
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
	l.in.atWork--
	l.last = now
	t.atWork--
	t.sweep(now)
	t.share()
}

// share gives free turns to those who wait: to the environment with least at work, in it to the caller
// with least at work, and among these to who came first.
func (t *turns) share() {
	for t.atWork < t.most {
		var next *line
		var caller string
		for name, l := range t.waiting {
			if t.mayHaveMore(l) && (next == nil || l.before(next)) {
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
		next.in.atWork++
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
			if l.in.lines--; l.in.lines == 0 {
				delete(t.groups, l.of)
			}
		}
	}
}

// working is how many turns are taken.
func (t *turns) working() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.atWork
}
