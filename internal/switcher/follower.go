package switcher

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// follower keeps the index of one environment in step with its journal.
type follower struct {
	index *Index
	env   account.EnvironmentID
	poke  chan struct{} // there may be something to apply

	current   atomic.Pointer[state] // nil while there is none
	withdrawn atomic.Bool

	writer *writer // makes the next version; the running follower's
	drops  int     // how often the index was dropped, or could not be made of what was read, since an entry was applied; the running follower's
	said   string  // the last error that was logged; the running follower's

	mu      sync.Mutex
	running bool
	head    account.Version // that the journal is known to have
	behind  bool            // the journal has less than the index: it is another one
	late    time.Time       // since when the index has not come to goal; zero while it is not behind
	goal    account.Version // that the journal had at late
	changed chan struct{}   // closed, and replaced, whenever current changes
}

func newFollower(x *Index, env account.EnvironmentID) *follower {
	return &follower{index: x, env: env, poke: make(chan struct{}, 1), changed: make(chan struct{})}
}

// begin reports whether the caller is the one to run the follower.
func (f *follower) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.running
	f.running = true
	return first
}

func (f *follower) begun() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running
}

// next is closed at the next change.
func (f *follower) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// expect tells the follower that the journal has reached a version.
func (f *follower) expect(head account.Version) {
	f.mu.Lock()
	f.head = max(f.head, head)
	f.mu.Unlock()
	f.wakeIfBehind()
}

// see tells the follower which version the journal has.
func (f *follower) see(head account.Version) {
	now := f.current.Load()
	f.mu.Lock()
	f.head = head
	f.behind = now != nil && head < now.version
	f.mu.Unlock()
	f.wakeIfBehind()
}

func (f *follower) wakeIfBehind() {
	now := f.current.Load()
	f.mu.Lock()
	there := now == nil || f.head > now.version || f.behind
	f.noteLag(now)
	f.mu.Unlock()
	if !there {
		return
	}
	select {
	case f.poke <- struct{}{}:
	default:
	}
}

// noteLag notes since when the index has been behind what the journal had then; mu is held.
func (f *follower) noteLag(now *state) {
	lag := account.Version(0)
	if now != nil {
		lag = max(0, f.head-now.version)
	}
	switch {
	case lag == 0:
		f.late = time.Time{}
	case f.late.IsZero() || now.version >= f.goal: // who is always a little behind a journal that goes on is not late
		f.late, f.goal = time.Now(), f.head
	}
	f.index.metrics.lag(f.env, lag)
}

// isLate reports whether the index has been behind for so long that nobody should wait for it.
func (f *follower) isLate() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.late.IsZero() && time.Since(f.late) > tooLate
}

// publish makes a version the current one; nil is none.
func (f *follower) publish(s *state) {
	f.current.Store(s)
	f.mu.Lock()
	close(f.changed)
	f.changed = make(chan struct{})
	f.noteLag(s)
	f.mu.Unlock()
	f.index.metrics.observe(f.env, s)
	f.index.serving(f)
}

const (
	// lookAgain is how often it is looked whether the journal is still the same.
	lookAgain = 5 * time.Second
	// tooLate is how long the index may be behind before questions do not wait for it any more.
	tooLate = 2 * time.Second
	// mostPause is the longest pause between tries, and mostRest between loads that do not help.
	mostPause, mostRest = 2 * time.Second, 5 * time.Minute
)

// run follows the journal until ctx ends.
func (f *follower) run(ctx context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := f.advance(ctx)
		if ctx.Err() != nil {
			return
		}
		rest := lookAgain
		if err == nil {
			pause, f.said = 0, ""
		} else {
			f.report(ctx, err)
			pause = min(max(2*pause, 5*time.Millisecond), mostPause)
			rest = max(pause, f.rest())
		}
		timer := time.NewTimer(rest)
		if err == nil {
			select {
			case <-ctx.Done():
			case <-f.poke:
			case <-timer.C:
			}
		} else {
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
		timer.Stop()
	}
}

// rest is the pause after a load that did not help: longer each time, as each takes the database's time.
func (f *follower) rest() time.Duration {
	if f.drops < 2 {
		return 0
	}
	return min(time.Second<<min(f.drops-2, 20), mostRest)
}

// report logs an error once, until it changes.
func (f *follower) report(ctx context.Context, err error) {
	if err.Error() == f.said {
		return
	}
	f.said = err.Error()
	f.index.cfg.Log.WarnContext(ctx, "index: cannot follow the journal now, trying again", "environment", f.env, "error", err)
}

// advance loads the environment if need be and applies all that the journal holds after it. What
// does not follow on what the index holds makes it load anew.
func (f *follower) advance(ctx context.Context) error {
	if f.writer == nil {
		if err := f.load(ctx); err != nil {
			if isAnother(err) {
				f.drops++ // the next load will hardly find anything else
			}
			return err
		}
	}
	for {
		done, err := f.step(ctx)
		if isAnother(err) {
			f.drop()
		}
		if err != nil || done {
			return err
		}
	}
}

// isAnother reports whether an error says that the journal is not what the index can follow, rather than that it cannot be read now.
func isAnother(err error) bool {
	return fault.HasCode(err, codeOutOfStep) || fault.HasCode(err, "permission_gone")
}

func (f *follower) drop() {
	f.writer = nil
	f.drops++
	f.publish(nil)
	f.index.metrics.dropped(f.env)
}

// entriesAtOnce is how many entries are read at once.
const entriesAtOnce = 64

// step applies some entries, and reports whether there were none. The last one applied is read
// again, by itself as it may be large, to see that the journal is still the same: after a backup was restored, another entry may have its version.
// It is read after the others, so that these are of the same journal.
func (f *follower) step(ctx context.Context) (done bool, err error) {
	w := f.writer
	reading, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	entries, err := f.index.journal.Entries(reading, f.env, w.version, entriesAtOnce)
	if err != nil {
		return false, err
	}
	last, err := f.index.journal.Entries(reading, f.env, w.version-1, 1)
	if err != nil {
		return false, err
	}
	if len(last) == 0 || last[0].Version != w.version || w.entry != "" && last[0].ID != w.entry {
		return false, outOfStep("the journal does not have entry %d (%s) of environment %s any more", w.version, w.entry, f.env)
	}
	w.entry = last[0].ID
	for _, e := range entries {
		if err := w.apply(e); err != nil {
			return false, err
		}
		f.publish(w.publish())
		f.drops = 0
	}
	return len(entries) == 0, w.isWorn()
}

// load makes the index anew from a snapshot.
func (f *follower) load(ctx context.Context) error {
	select { // a few at a time: requests need the database as well
	case f.index.loading <- struct{}{}:
		defer func() { <-f.index.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := time.Now()
	l := newLoader(f.env, f.index.model.bits)
	version, err := l.take(ctx, f.index.journal, f.env)
	if err != nil {
		return err
	}
	w, err := l.finish(version)
	if err != nil {
		return err
	}
	f.writer = w
	f.publish(w.publish())
	took := time.Since(begun)
	f.index.metrics.loaded(f.env, took)
	f.index.cfg.Log.InfoContext(ctx, "index: ready", "environment", f.env, "version", version,
		"accounts", w.accounts.byID.Len(), "memberships", w.memberships.byPair.Len(), "took", took.Round(time.Millisecond))
	return nil
}
