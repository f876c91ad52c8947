package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"
)

// remembered is something that anybody may ask for and that takes work: it is found
// out once in a while, by one at a time, however many ask. What failed is remembered as well, for a second at most.
type remembered[T any] struct {
	lasts time.Duration // from when it is found out
	most  time.Duration // that finding out may take
	find  func(context.Context) (T, error)

	mu   sync.Mutex
	last *finding[T] // nil until somebody asks
}

// finding is what was found out, or will be.
type finding[T any] struct {
	changes uint64
	done    chan struct{} // closed when the rest is there
	value   T
	err     error
	until   time.Time
}

// failureLasts is the longest that a failure is remembered.
const failureLasts = time.Second

// errNotFound stands where finding out has panicked.
var errNotFound = errors.New("httpapi: what was asked for was not found out")

// get returns what there is, if it is not too old and was found out after as many changes as are known of. An
// Unavailable fault (request_canceled, request_timeout) if ctx ends before; who waits for the same does not notice.
func (r *remembered[T]) get(ctx context.Context, changes uint64) (T, error) {
	f, mine := r.finding(changes)
	if mine {
		r.fill(ctx, f)
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, interrupted(ctx.Err())
	}
}

// finding returns what counts now; with true it is the caller who has to find it out.
func (r *remembered[T]) finding(changes uint64) (f *finding[T], mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil || r.last.changes < changes || r.last.isOver() {
		r.last = &finding[T]{changes: changes, done: make(chan struct{}), err: errNotFound}
		return r.last, true
	}
	return r.last, false
}

func (f *finding[T]) isOver() bool {
	select {
	case <-f.done:
		return !time.Now().Before(f.until)
	default:
		return false
	}
}

// fill finds out. It goes on when the one who asked has gone: others wait for it.
func (r *remembered[T]) fill(ctx context.Context, f *finding[T]) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.most)
	defer cancel()
	f.value, f.err = r.find(ctx)
	lasts := r.lasts
	if f.err != nil {
		lasts = min(lasts, failureLasts)
	}
	f.until = time.Now().Add(lasts)
}
