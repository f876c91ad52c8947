package identity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// UseStore keeps when API tokens were used last.
type UseStore interface {
	// NoteUses keeps the times of some tokens of an environment, and passes over those that are gone.
	NoteUses(ctx context.Context, env account.EnvironmentID, uses map[account.APITokenID]time.Time) error
}

// usePause is how long after one write of a token's last use comes the next.
const usePause = time.Minute

// Uses remembers which API tokens are used, and writes it down at once for a
// token that was not used lately, otherwise once a minute. It is safe for concurrent use.
type Uses struct {
	store UseStore
	log   *slog.Logger
	wake  chan struct{}

	mu    sync.Mutex
	known map[usedToken]*use
}

type usedToken struct {
	env account.EnvironmentID
	id  account.APITokenID
}

// use is a token's last use, by the clock that Note is given.
type use struct {
	at      time.Time
	written time.Time // the use that is written down; zero for none
	due     time.Time // when the next may be written down, by the wall clock
}

// NewUses returns Uses that writes to a store while Run runs; nil log for silence.
func NewUses(store UseStore, log *slog.Logger) *Uses {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Uses{store: store, log: log, wake: make(chan struct{}, 1), known: map[usedToken]*use{}}
}

// Note remembers that a token was used. It does not wait for anything.
func (u *Uses) Note(env account.EnvironmentID, id account.APITokenID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := usedToken{env, id}
	known := u.known[k]
	if known == nil {
		known = &use{}
		u.known[k] = known
	}
	if at.After(known.at) {
		known.at = at
	}
	if !time.Now().Before(known.due) {
		select {
		case u.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// Run writes uses down until ctx ends, and then those that are left.
func (u *Uses) Run(ctx context.Context) {
	ticker := time.NewTicker(usePause / 4)
	defer ticker.Stop()
	for {
		select {
		case <-u.wake:
			u.flush(ctx, false)
		case <-ticker.C:
			u.flush(ctx, false)
		case <-ctx.Done():
			const last = 5 * time.Second
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), last)
			u.flush(ctx, true)
			cancel()
			return
		}
	}
}

// flush writes the uses down that are due, or all that are not written yet.
func (u *Uses) flush(ctx context.Context, all bool) {
	for env, uses := range u.take(all) {
		if err := u.store.NoteUses(ctx, env, uses); err != nil {
			u.log.WarnContext(ctx, "when API tokens were used last could not be written down", "environment", env, "tokens", len(uses), "error", err)
			u.putBack(env, uses)
		}
	}
}

// take returns what is to be written down, as if it were, and forgets tokens that have not been used lately.
func (u *Uses) take(all bool) map[account.EnvironmentID]map[account.APITokenID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	out := map[account.EnvironmentID]map[account.APITokenID]time.Time{}
	for k, known := range u.known {
		due, news := !now.Before(known.due), known.at.After(known.written)
		switch {
		case news && (due || all):
			if out[k.env] == nil {
				out[k.env] = map[account.APITokenID]time.Time{}
			}
			out[k.env][k.id] = known.at
			known.written, known.due = known.at, now.Add(usePause)
		case due:
			delete(u.known, k)
		}
	}
	return out
}

// putBack makes uses that could not be written down wait for the next time.
func (u *Uses) putBack(env account.EnvironmentID, uses map[account.APITokenID]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range uses {
		k := usedToken{env, id}
		if u.known[k] == nil {
			u.known[k] = &use{at: at}
		}
		u.known[k].written = time.Time{} // it stays due when it is
	}
}
