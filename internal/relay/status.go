package relay

import (
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Status is where an environment stands.
type Status struct {
	Environment account.EnvironmentID
	Position    Position
	Head        account.Version // the newest version known
	Located     bool            // the position has been found since the start
	Stopped     bool            // an entry cannot be applied
	Err         error           // why it is behind, nil while all is well
}

// Status returns where each environment stands.
func (r *Relay) Status() []Status {
	r.mu.Lock()
	workers := make([]*worker, 0, len(r.workers))
	for _, w := range r.workers {
		workers = append(workers, w)
	}
	r.mu.Unlock()
	out := make([]Status, 0, len(workers))
	for _, w := range workers {
		if w.started() {
			out = append(out, w.status())
		}
	}
	return out
}

// Ready returns nil when every environment is located and none is stopped, else an Unavailable fault that says which.
func (r *Relay) Ready() error {
	r.mu.Lock()
	looked := r.looked
	r.mu.Unlock()
	if !looked {
		return fault.New(fault.Unavailable, "relay_starting", "the environments have not been read yet")
	}
	for _, s := range r.Status() {
		if err := s.unready(); err != nil {
			return err
		}
	}
	return nil
}

// unready says why an environment is not in step, nil if it is.
func (s Status) unready() error {
	switch {
	case s.Stopped && full(s.Err):
		return fault.New(fault.Unavailable, "engine_full", "environment %s: there is no room for what follows version %d: %v", s.Environment, s.Position.Version, s.Err)
	case s.Stopped:
		return fault.New(fault.Unavailable, "relay_stopped", "environment %s: the journal cannot be applied after version %d: %v", s.Environment, s.Position.Version, s.Err)
	case !s.Located:
		return fault.New(fault.Unavailable, "relay_starting", "environment %s: the engine is being prepared", s.Environment)
	}
	return nil
}
