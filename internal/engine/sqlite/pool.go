package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
)

const (
	// maxParked is how many queries may rest half read while their callers work.
	maxParked = 64
	// closeWait is how long closing waits for callers that are in the middle of a result.
	closeWait = 10 * time.Second
)

// pool holds the connections that read.
//
// A query runs in one of a bounded number of slots. A caller that is slow to take its rows may
// meanwhile ask further questions, whose answers it needs to go on; so nobody rests in a slot:
// a query with many rows parks, which makes its slot free and keeps its connection. Where too
// many have parked, the rest of the rows is read into memory instead. Either way, callers that
// hold results can never keep all others waiting.
type pool struct {
	make    func() (*conn, error)
	slots   chan struct{} // holds one for each query that runs
	closing <-chan struct{}

	mu     sync.Mutex
	idle   []*conn
	parked int
	open   int // connections, idle or not
	closed bool
	empty  chan struct{} // closed when it is closed and the last connection was
}

func newPool(readers int, flags sqlite3.OpenFlags, closing <-chan struct{}, path string, pragmas ...string) *pool {
	return &pool{
		make: func() (*conn, error) {
			c, err := open(path, flags, nil, pragmas...) // a query looks between its pages whether to go on
			if err == nil {
				c.work = newWorker()
			}
			return c, err
		},
		slots: make(chan struct{}, readers), closing: closing, empty: make(chan struct{}),
	}
}

// lease is a connection in use.
type lease struct {
	*conn
	pool   *pool
	parked bool
}

// get waits for a slot, or for the end of ctx.
func (p *pool) get(ctx context.Context) (*lease, error) {
	select {
	case <-p.closing:
		return nil, ErrClosed
	default:
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ended(ctx)
	case <-p.closing:
		return nil, ErrClosed
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return &lease{conn: c, pool: p}, nil
	}
	p.open++
	p.mu.Unlock()

	c, err := p.make()
	if err != nil {
		p.gone()
		<-p.slots
		return nil, fmt.Errorf("opening a connection: %w", err)
	}
	return &lease{conn: c, pool: p}, nil
}

// do runs fn on the connection's own goroutine.
func (l *lease) do(fn func()) { l.work.do(fn) }

// end closes a connection of the pool.
func (c *conn) end() error {
	c.work.end()
	return c.Close()
}

// park makes the slot free and keeps the connection; false if too many have.
func (l *lease) park() bool {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.pool.parked >= maxParked {
		return false
	}
	l.pool.parked++
	l.parked = true
	<-l.pool.slots
	return true
}

// put gives the connection back.
func (l *lease) put() {
	p, c := l.pool, l.conn
	c.tidy()
	p.mu.Lock()
	if l.parked {
		p.parked--
	}
	keep := !p.closed && len(p.idle) < cap(p.slots)
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.end() // it has only read
		p.gone()
	}
	if !l.parked {
		<-p.slots
	}
}

// gone notes that a connection is.
func (p *pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	if p.closed && p.open == 0 {
		close(p.empty)
	}
}

// close closes the connections, those in use when they come back. closing must be closed before.
func (p *pool) close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.open -= len(idle)
	last := p.open == 0
	p.mu.Unlock()

	var errs []error
	for _, c := range idle {
		errs = append(errs, c.end())
	}
	if last {
		return errors.Join(errs...)
	}
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case <-p.empty:
	case <-late.C:
		errs = append(errs, errors.New("a caller holds a result half read"))
	}
	return errors.Join(errs...)
}
