package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/tenantry/tenantry/internal/account"
)

// gates let one write of each environment through at a time, in this process.
// Who waits here holds no connection: so however many want to write one
// environment, writers of others still find a free one. The database's own lock
// keeps other processes apart. The zero value is ready.
type gates struct {
	mu   sync.Mutex
	open map[account.EnvironmentID]*gate // those somebody is in or waits at
}

type gate struct {
	turn  chan struct{} // holds a value while somebody is in
	users int           // in it or waiting
}

// enter waits for its turn, first come, first served, and returns the function
// that gives it up; ctx's error, wrapped, if that ends before.
func (g *gates) enter(ctx context.Context, env account.EnvironmentID) (leave func(), err error) {
	g.mu.Lock()
	if g.open == nil {
		g.open = map[account.EnvironmentID]*gate{}
	}
	at, ok := g.open[env]
	if !ok {
		at = &gate{turn: make(chan struct{}, 1)}
		g.open[env] = at
	}
	at.users++
	g.mu.Unlock()

	select {
	case at.turn <- struct{}{}:
		return func() {
			<-at.turn
			g.drop(env, at)
		}, nil
	case <-ctx.Done():
		g.drop(env, at)
		return nil, fmt.Errorf("store: wait for the environment's turn: %w", ctx.Err())
	}
}

func (g *gates) drop(env account.EnvironmentID, at *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at.users--; at.users == 0 {
		delete(g.open, env)
	}
}
