package app

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
)

const (
	// holding is how long a process that has just taken the embedded engine may need to make it.
	holding = 10 * time.Second
	// turn is how long OpenInForce leaves it to another process to bring entries into force before
	// it looks whether that process is still there.
	turn = 3 * time.Second
)

// openEngine opens the engine. The embedded one is opened for writing; if another
// process has it and cfg.Beside allows it, it is attached to for reading only.
// Processes come and go meanwhile, so both are tried until one works.
func openEngine(ctx context.Context, cfg Config) (e *engine.Engine, attached bool, err error) {
	if !cfg.Embedded() {
		e, err := engine.Remote(ctx, cfg.Remote)
		return e, false, err
	}
	patience := cfg.EngineWait
	if cfg.Beside {
		patience = holding
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	embedded := engine.EmbeddedConfig{File: cfg.EngineFile(), MaxPages: cfg.EnginePages, Now: cfg.Now, Log: cfg.Log}
	for told := false; ; {
		e, err := engine.Embedded(ctx, embedded)
		if !fault.HasCode(err, engine.CodeInUse) {
			return e, false, err
		}
		if cfg.Beside {
			looking := embedded
			looking.ReadOnly = true
			e, lookErr := engine.Embedded(ctx, looking)
			if !fault.HasCode(lookErr, engine.CodeMissing) { // else it is about to be made
				return e, true, lookErr
			}
		} else if !told && patience > 0 {
			told = true
			cfg.Log.InfoContext(ctx, "waiting for another process to let go of the engine", "for", patience, "because", err)
		}
		select {
		case <-waiting.Done():
			return nil, false, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// OpenInForce is Open, and then waits until all that is recorded is in force. What
// this process brings into the embedded engine takes the time that it takes; for
// another process, or a SpiceDB elsewhere, it waits no longer than patience. If
// the process that it waits for ends, it takes over.
//
// Errors are those of Open, and Unavailable faults if it has not come about.
func OpenInForce(ctx context.Context, cfg Config, patience time.Duration) (*App, error) {
	limit := time.Now().Add(patience)
	for {
		a, err := openWithin(ctx, cfg, time.Until(limit))
		if err != nil {
			return nil, err
		}
		err = a.inForceWithin(ctx, time.Until(limit))
		if err == nil {
			return a, nil
		}
		attached, late := a.attached, time.Now().After(limit)
		if err := errors.Join(err, a.Close()); !attached || late || ctx.Err() != nil || !errors.Is(err, fault.Unavailable) {
			return nil, err
		}
	}
}

// openWithin is Open, with a limit for a SpiceDB elsewhere, which may not answer.
func openWithin(ctx context.Context, cfg Config, left time.Duration) (*App, error) {
	if !cfg.Embedded() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	return Open(ctx, cfg)
}

// inForceWithin is CatchUp with as much time as there is for this kind of engine.
func (a *App) inForceWithin(ctx context.Context, left time.Duration) error {
	if a.cfg.Embedded() && !a.attached {
		return a.CatchUp(ctx)
	}
	if a.attached {
		left = min(left, turn)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return a.CatchUp(ctx)
}

// Settled waits until the embedded engine has been prepared for every environment,
// or cannot be: one that is being filled is not worth comparing. It waits no longer
// than patience for another process to do it. A remote engine is as it is.
// Unavailable (engine_preparing) if it has not come about.
func (a *App) Settled(ctx context.Context, patience time.Duration) error {
	if !a.cfg.Embedded() {
		return nil
	}
	if a.attached {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	return a.Relay.Settled(ctx)
}
