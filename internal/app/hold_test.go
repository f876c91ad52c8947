package app_test

import (
	"sync"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/relay"
)

// heldRelay is a relay that can be kept from writing.
type heldRelay struct {
	mu   sync.Mutex
	gate chan struct{} // nil while it may write
}

// holdRelay has the relay of a deployment wait while it is held; who holds it lets it go before the service ends.
func holdRelay(cfg *app.Config) *heldRelay {
	h := &heldRelay{}
	cfg.OnStep = func(step relay.Step, _ account.Version) {
		h.mu.Lock()
		gate := h.gate
		h.mu.Unlock()
		if step == relay.BeforeWrite && gate != nil {
			<-gate
		}
	}
	return h
}

func (h *heldRelay) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{})
}

func (h *heldRelay) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gate != nil {
		close(h.gate)
		h.gate = nil
	}
}
