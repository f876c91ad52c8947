package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// ending is a context with a deadline whose timer is started when somebody first waits for its end: most
// questions are answered before anybody does, and a timer is a good part of what they take.
type ending struct {
	parent context.Context //nolint:containedctx // it is a context itself
	until  time.Time

	mu     sync.Mutex
	timed  context.Context //nolint:containedctx // nil until somebody waits
	cancel context.CancelFunc
	over   bool
}

// endingAt returns a context that ends at a time, or with its parent if that is earlier, or when end is called.
func endingAt(parent context.Context, until time.Time) *ending {
	if earlier, ok := parent.Deadline(); ok && earlier.Before(until) {
		until = earlier
	}
	return &ending{parent: parent, until: until}
}

type endingKey struct{}

// unbounded returns a request without the bound that its time has, for an answer that is sent bit by bit. It still
// ends when the reader has gone.
func unbounded(r *http.Request) *http.Request {
	if e, ok := r.Context().Value(endingKey{}).(*ending); ok {
		return r.WithContext(e.parent)
	}
	return r
}

// end ends the context. It is to be called, as a CancelFunc is.
func (e *ending) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	if e.cancel != nil {
		e.cancel()
	}
}

// Deadline returns when the context ends by itself.
func (e *ending) Deadline() (time.Time, bool) { return e.until, true }

// Done returns the channel that is closed at the end.
func (e *ending) Done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timed == nil {
		if e.over { // whatever the time is by now
			e.timed, e.cancel = context.WithCancel(e.parent)
			e.cancel()
		} else {
			e.timed, e.cancel = context.WithDeadline(e.parent, e.until)
		}
	}
	return e.timed.Done()
}

// Err returns why the context has ended, nil if it has not.
func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.timed != nil:
		return e.timed.Err()
	case e.parent.Err() != nil:
		return e.parent.Err()
	case e.over:
		return context.Canceled
	case !time.Now().Before(e.until):
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value returns the parent's value. Contexts that are made of this one find what ends it by that, too, after they have
// asked for Done: see [context.Context]'s makers.
func (e *ending) Value(key any) any {
	if key == (endingKey{}) {
		return e
	}
	e.mu.Lock()
	from := e.timed
	e.mu.Unlock()
	if from == nil {
		from = e.parent
	}
	return from.Value(key)
}
