package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

const entriesAtOnce = 64

// worker applies one environment's journal.
type worker struct {
	relay *Relay
	env   account.EnvironmentID
	poke  chan struct{} // there may be something to apply

	// acting is held by whoever writes to the engine: the worker, or a reconciliation in this process.
	acting sync.Mutex
	at     mark      // where the engine stands, as far as the worker knows; guarded by acting
	lost   bool      // at may be wrong; guarded by acting
	busy   mark      // somebody else's busy mark, and since when it has been seen; guarded by acting
	since  time.Time // "

	mu      sync.Mutex
	running bool
	state   Status
	changed chan struct{} // closed, and replaced, whenever state changes
}

func newWorker(r *Relay, env account.EnvironmentID) *worker {
	return &worker{
		relay: r, env: env, lost: true,
		poke:    make(chan struct{}, 1),
		state:   Status{Environment: env},
		changed: make(chan struct{}),
	}
}

// start reports whether the caller is the one to run the worker.
func (w *worker) start() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !w.running
	w.running = true
	return first
}

func (w *worker) started() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

func (w *worker) status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// update changes the state and wakes all who wait for it.
func (w *worker) update(fn func(*Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(&w.state)
	close(w.changed)
	w.changed = make(chan struct{})
	w.relay.metrics.observe(w.state)
}

// expect tells the worker that the journal has reached a version.
func (w *worker) expect(head account.Version) {
	w.mu.Lock()
	if head > w.state.Head {
		w.state.Head = head
		w.relay.metrics.observe(w.state)
	}
	behind := w.state.Head > w.state.Position.Version
	w.mu.Unlock()
	if behind {
		w.wake()
	}
}

func (w *worker) wake() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// wait waits until version is in force.
func (w *worker) wait(ctx context.Context, version account.Version) (p Position, err error) {
	err = w.until(ctx, func(s Status) bool {
		p = s.Position
		return s.Located && s.Position.Version >= version
	}, version)
	if err != nil {
		return Position{}, err
	}
	return p, nil
}

// until waits until the state is as wanted; if ctx ends before, version could not be had in time.
func (w *worker) until(ctx context.Context, wanted func(Status) bool, version account.Version) error {
	for {
		w.mu.Lock()
		state, changed := w.state, w.changed
		w.mu.Unlock()
		if wanted(state) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return w.late(state, version, errors.Join(state.Err, ctx.Err()))
		}
	}
}

// late says why a version cannot be had in time.
func (w *worker) late(state Status, version account.Version, cause error) error {
	if !state.Located {
		return fault.New(fault.Unavailable, "engine_preparing", "the engine is being prepared for environment %s; try again", w.env).Because(cause)
	}
	if full(state.Err) {
		return fault.New(fault.Unavailable, "engine_full",
			"version %d of environment %s is recorded but not yet in force (at %d): the engine's disk is full; it will be when there is room again", version, w.env, state.Position.Version).Because(cause)
	}
	return fault.New(fault.Unavailable, "not_yet_in_force",
		"version %d of environment %s is recorded but not yet in force (at %d); try again", version, w.env, state.Position.Version).Because(cause)
}

// run applies entries until ctx ends. While there are none it looks from time to
// time whether the engine still stands where it was left.
func (w *worker) run(ctx context.Context) {
	step := w.advance
	if w.relay.cfg.LookOnly {
		step = w.follow
	}
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := step(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err == nil:
			pause = 0
			w.clearError()
			w.idle(ctx)
			continue
		case moved(err), errors.Is(err, errBusy):
			pause = nextPause(pause, 100*time.Millisecond)
		case full(err): // loud, since somebody has to make room; then it goes on by itself
			pause = nextPause(pause, w.relay.cfg.RetryMax)
			w.report(ctx, err, true)
		case transient(err):
			pause = nextPause(pause, w.relay.cfg.RetryMax)
			w.report(ctx, err, false)
		case refused(err):
			pause = w.relay.cfg.StoppedWait
			w.report(ctx, err, true)
		default: // unknown: loud, but it may pass
			pause = nextPause(pause, w.relay.cfg.RetryMax)
			w.report(ctx, err, true)
		}
		sleep(ctx, pause)
	}
}

// idle waits for a poke; without one, the engine's mark is looked at in the end.
func (w *worker) idle(ctx context.Context) {
	timer := time.NewTimer(w.relay.cfg.LookAgain)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-w.poke:
	case <-timer.C:
		w.acting.Lock()
		w.lost = true
		w.acting.Unlock()
	}
}

func nextPause(last, most time.Duration) time.Duration {
	return min(max(2*last, 5*time.Millisecond), most)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (w *worker) clearError() {
	if s := w.status(); s.Err != nil || s.Stopped {
		w.update(func(s *Status) { s.Err, s.Stopped = nil, false })
		w.relay.cfg.Log.Info("relay: back in step", "environment", w.env, "version", s.Position.Version)
	}
}

// report logs an error once, until it changes.
func (w *worker) report(ctx context.Context, err error, stopped bool) {
	before := w.status()
	w.update(func(s *Status) { s.Err, s.Stopped = err, stopped })
	if before.Err != nil && before.Err.Error() == err.Error() {
		return
	}
	log := w.relay.cfg.Log.With("environment", w.env, "position", before.Position.Version, "error", err)
	if stopped {
		log.ErrorContext(ctx, "relay: STOPPED: the journal cannot be applied; nothing after this position is in force")
	} else {
		log.WarnContext(ctx, "relay: cannot apply now, trying again")
	}
}

// advance finds the position if need be and applies all that the journal holds after it.
func (w *worker) advance(ctx context.Context) error {
	w.acting.Lock()
	defer w.acting.Unlock()
	if w.lost {
		if err := w.locate(ctx); err != nil {
			return err
		}
	}
	for {
		entries, err := w.relay.journal.Entries(ctx, w.env, w.at.version, entriesAtOnce)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			if e.Version != w.at.version+1 {
				return fault.New(fault.Conflict, "journal_gap", "entry %d follows entry %d in the journal", e.Version, w.at.version)
			}
			if err := w.apply(ctx, e); err != nil {
				return err
			}
		}
	}
}

// apply brings one entry into force and keeps the new position.
func (w *worker) apply(ctx context.Context, e account.Entry) error {
	updates, err := w.relay.projector.Updates(e, w.relay.cfg.Now())
	if err != nil {
		return err
	}
	w.relay.cfg.OnStep(BeforeWrite, e.Version)
	token, err := w.relay.write(ctx, w.env, w.at, markOf(e), updates, func(done int) {
		if done < len(updates) {
			w.relay.cfg.OnStep(MidWrite, e.Version)
		}
	})
	if err != nil {
		w.lost = true // it may have been done all the same, or in part
		return err
	}
	w.at = markOf(e)
	w.relay.cfg.OnStep(AfterWrite, e.Version)
	if err := w.keep(ctx, Position{Version: e.Version, Token: token}); err != nil {
		return err
	}
	w.relay.metrics.applied(w.env, w.relay.cfg.Now().Sub(e.At))
	return nil
}

// keep saves a position in the database and then tells those who wait.
func (w *worker) keep(ctx context.Context, p Position) error {
	if err := w.relay.save(ctx, w.env, p); err != nil {
		w.lost = true // in force, but not kept: locating keeps it
		return err
	}
	w.relay.cfg.OnStep(AfterSave, p.Version)
	w.update(func(s *Status) {
		s.Position, s.Located = p, true
		s.Head = max(s.Head, p.Version)
	})
	return nil
}

// withdraw stops answering from a position that the engine does not have any more.
func (w *worker) withdraw() {
	if w.status().Located {
		w.update(func(s *Status) { s.Located, s.Position = false, Position{} })
	}
}
