package relay

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/fault"
)

// errBusy says that somebody else is in the middle of a write in several calls.
var errBusy = errors.New("another relay is writing")

// locate finds where the engine stands, fills it if it stands nowhere, and
// keeps the position. While another relay is in the middle of a write, what was
// known before stays good to read from.
func (w *worker) locate(ctx context.Context) error {
	found, err := w.relay.standing(ctx, w.env)
	if err != nil {
		return err
	}
	if abandoned, err := w.abandoned(found.mark); err != nil {
		return err
	} else if abandoned || found.mark == (mark{}) {
		w.withdraw()
		w.relay.cfg.Log.InfoContext(ctx, "relay: filling the engine from the directory", "environment", w.env)
		if err := w.relay.journal.ForgetPosition(ctx, w.env, w.relay.engine.Name()); err != nil {
			return err
		}
		if found, err = w.relay.fill(ctx, w.env, found.mark); err != nil {
			return err
		}
	}
	if err := w.relay.belongs(ctx, w.env, found.mark); err != nil {
		if !transient(err) {
			w.withdraw()
		}
		return err
	}
	known := w.status()
	if known.Located && known.Position.Version == found.mark.version {
		w.at, w.lost = found.mark, false
		return nil // where it was left
	}
	kept, token, err := w.relay.journal.Position(ctx, w.env, w.relay.engine.Name())
	if err != nil {
		return err
	}
	if found.mark.version < max(known.Position.Version, kept) {
		// The engine was restored from a backup. Tokens of what it has lost are good for nothing, and
		// must not be taken for those of the same versions when it has them again.
		w.withdraw()
		if err := w.relay.journal.ForgetPosition(ctx, w.env, w.relay.engine.Name()); err != nil {
			return err
		}
	}
	// The token of the write that moved the engine here is older than that of the
	// read just now and sees the same: with it, more of what the engine has cached is good.
	if kept == found.mark.version && token != "" {
		found.token = token
	}
	w.at, w.lost = found.mark, false
	return w.keep(ctx, Position{Version: found.mark.version, Token: found.token})
}

// abandoned reports whether a mark is that of a write whose writer is gone: our
// own from a try that failed, or another's that has not changed for TakeOver, or
// any if nobody else can be writing.
// If the writer may still be there, it returns errBusy.
func (w *worker) abandoned(m mark) (bool, error) {
	if m.busy == "" {
		w.busy = mark{}
		return false, nil
	}
	if w.relay.own(m) || w.relay.cfg.Alone {
		return true, nil
	}
	now := w.relay.cfg.Now()
	if w.busy != m {
		w.busy, w.since = m, now
	}
	if now.Sub(w.since) < w.relay.cfg.TakeOver {
		return false, errBusy
	}
	return true, nil
}

// settled waits until no write in several calls is under way, and returns where the engine stands.
// A mark that its writer has abandoned is returned as it is.
func (w *worker) settled(ctx context.Context) (standing, error) {
	for {
		found, err := w.relay.standing(ctx, w.env)
		if err != nil {
			return standing{}, err
		}
		_, err = w.abandoned(found.mark)
		if !errors.Is(err, errBusy) {
			return found, err
		}
		sleep(ctx, w.relay.cfg.Poll)
		if ctx.Err() != nil {
			return standing{}, fault.New(fault.Unavailable, "engine_busy", "another process is writing to the engine of environment %s", w.env).Because(ctx.Err())
		}
	}
}
