package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

const entriesAtOnce = 64

// worker applies one environment's journal.
type worker struct {
	relay *Relay
	env   account.EnvironmentID
	poke  chan struct{} // there may be something to apply

	mu      sync.Mutex
	running bool
	state   Status
	changed chan struct{} // closed, and replaced, whenever state changes
}

func newWorker(r *Relay, env account.EnvironmentID) *worker {
	return &worker{
		relay: r, env: env,
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
		select {
		case w.poke <- struct{}{}:
		default:
		}
	}
}

func (w *worker) wait(ctx context.Context, version account.Version) (Position, error) {
	for {
		w.mu.Lock()
		state, changed := w.state, w.changed
		w.mu.Unlock()
		if state.Located && state.Position.Version >= version {
			return state.Position, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Position{}, fault.New(fault.Unavailable, "not_yet_in_force",
				"version %d of environment %s is recorded but not yet in force (at %d); try again", version, w.env, state.Position.Version).
				Because(errors.Join(state.Err, ctx.Err()))
		}
	}
}

// run applies entries until ctx ends.
func (w *worker) run(ctx context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := w.advance(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err == nil:
			pause = 0
			w.clearError()
			select {
			case <-ctx.Done():
			case <-w.poke:
			}
			continue
		case moved(err):
			// somebody else applied it, or the engine was replaced: look again where it stands
			w.update(func(s *Status) { s.Located = false })
			pause = nextPause(pause, 100*time.Millisecond)
		case transient(err):
			pause = nextPause(pause, w.relay.cfg.RetryMax)
			w.report(ctx, err, false)
		default:
			pause = w.relay.cfg.StoppedWait
			w.report(ctx, err, true)
		}
		sleep(ctx, pause)
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
		log.ErrorContext(ctx, "relay: STOPPED: an entry of the journal cannot be applied; nothing after it is in force")
	} else {
		log.WarnContext(ctx, "relay: cannot apply now, trying again")
	}
}

// moved reports whether the engine refused a write because its position was another.
func moved(err error) bool {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason() == v1.ErrorReason_ERROR_REASON_WRITE_OR_DELETE_PRECONDITION_FAILURE.String()
		}
	}
	return false
}

// transient reports whether trying again may help without anybody's doing.
func transient(err error) bool {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Kind == fault.Unavailable
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.Unimplemented, codes.PermissionDenied, codes.Unauthenticated, codes.OutOfRange, codes.AlreadyExists:
		return false
	default: // Unavailable, DeadlineExceeded, Aborted, …, and errors of the database
		return true
	}
}

// advance finds the position if need be and applies all that the journal holds after it.
func (w *worker) advance(ctx context.Context) error {
	if !w.status().Located {
		if err := w.locate(ctx); err != nil {
			return err
		}
	}
	for {
		at := w.status().Position.Version
		entries, err := w.relay.journal.Entries(ctx, w.env, at, entriesAtOnce)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Version != at+1 {
				return fault.New(fault.Conflict, "journal_gap", "entry %d follows entry %d in the journal", e.Version, at)
			}
			if err := w.apply(ctx, e); err != nil {
				return err
			}
			at = e.Version
		}
		if len(entries) < entriesAtOnce {
			return nil
		}
	}
}

// apply brings one entry into force and keeps the new position.
func (w *worker) apply(ctx context.Context, e account.Entry) error {
	began := w.relay.cfg.Now()
	updates, err := w.relay.projector.Updates(e, began)
	if err != nil {
		return err
	}
	w.relay.cfg.OnStep(BeforeWrite, e.Version)
	token, err := w.relay.write(ctx, w.env, e.Version-1, e.Version, updates, nil)
	if err != nil {
		return err
	}
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
		// in force, but not kept: locate again, which keeps it
		w.update(func(s *Status) { s.Located = false })
		return err
	}
	w.relay.cfg.OnStep(AfterSave, p.Version)
	w.update(func(s *Status) {
		s.Position, s.Located = p, true
		s.Head = max(s.Head, p.Version)
	})
	return nil
}

// locate finds the position in the engine, and fills the engine if it has none.
func (w *worker) locate(ctx context.Context) error {
	found, err := w.relay.enginePosition(ctx, w.env)
	if err != nil {
		return err
	}
	if found.Version == 0 {
		w.relay.cfg.Log.InfoContext(ctx, "relay: filling the engine from the directory", "environment", w.env)
		if err := w.relay.journal.ForgetPosition(ctx, w.env, w.relay.engine.Name()); err != nil {
			return err
		}
		if found, err = w.relay.fill(ctx, w.env); err != nil {
			return err
		}
	}
	heads, err := w.relay.journal.Heads(ctx)
	if err != nil {
		return err
	}
	if head := heads[w.env]; found.Version > head {
		return fault.New(fault.Conflict, "engine_ahead",
			"the engine has applied version %d of environment %s, but its journal ends at %d: the database is older than the engine; run tenantry reconcile", found.Version, w.env, head)
	}
	// A token kept for this very position is better known than that of a read, but either sees it.
	if version, token, err := w.relay.journal.Position(ctx, w.env, w.relay.engine.Name()); err == nil && version == found.Version && token != "" {
		found.Token = token
	}
	return w.keep(ctx, found)
}
