package relay

import "context"

// follow finds how far the process that writes to the engine has brought it, and
// returns errBusy until that is as far as the journal goes. It writes nothing.
func (w *worker) follow(ctx context.Context) error {
	w.acting.Lock()
	defer w.acting.Unlock()
	found, err := w.relay.standing(ctx, w.env)
	switch {
	case err != nil && refused(err) && !isFault(err): // it has no schema yet
		return errBusy
	case err != nil:
		return err
	case found.mark == (mark{}): // it is about to be filled
		w.withdraw()
		return errBusy
	case found.mark.busy != "": // what was known before stays good to read from
		return errBusy
	}
	if err := w.relay.belongs(ctx, w.env, found.mark); err != nil {
		if !transient(err) {
			w.withdraw()
		}
		return err
	}
	known := w.status()
	if !known.Located || known.Position.Version != found.mark.version {
		w.update(func(s *Status) {
			s.Position, s.Located = Position{Version: found.mark.version, Token: found.token}, true
			s.Head = max(s.Head, found.mark.version)
		})
	}
	if found.mark.version < known.Head {
		return errBusy
	}
	return nil
}
