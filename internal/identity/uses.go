package identity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// UseStore keeps when credentials were used last.
type UseStore interface {
	// NoteUses keeps the times of some API tokens of an environment, and passes over those that are gone.
	NoteUses(ctx context.Context, env account.EnvironmentID, uses map[account.APITokenID]time.Time) error
	// NoteSecretUses is NoteUses for the secrets of clients.
	NoteSecretUses(ctx context.Context, env account.EnvironmentID, uses map[account.SecretID]time.Time) error
}

// usePause is how long after one write of a credential's last use comes the next.
const usePause = time.Minute

// Uses remembers which API tokens and secrets of clients are used, and writes it
// down at once for one that was not used lately, otherwise once a minute. It is
// safe for concurrent use.
type Uses struct {
	log     *slog.Logger
	wake    chan struct{}
	tokens  *used[account.APITokenID]
	secrets *used[account.SecretID]
}

// NewUses returns Uses that writes to a store while Run runs; nil log for silence.
func NewUses(store UseStore, log *slog.Logger) *Uses {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Uses{log: log, wake: make(chan struct{}, 1), tokens: newUsed(store.NoteUses), secrets: newUsed(store.NoteSecretUses)}
}

// Note remembers that an API token was used. It does not wait for anything.
func (u *Uses) Note(env account.EnvironmentID, id account.APITokenID, at time.Time) {
	if u.tokens.note(env, id, at) {
		u.rouse()
	}
}

// NoteSecret remembers that a client's secret was used. It does not wait for anything.
func (u *Uses) NoteSecret(env account.EnvironmentID, id account.SecretID, at time.Time) {
	if u.secrets.note(env, id, at) {
		u.rouse()
	}
}

func (u *Uses) rouse() {
	select {
	case u.wake <- struct{}{}:
	default: // it is awake
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
	u.tokens.flush(ctx, all, u.log, "API tokens")
	u.secrets.flush(ctx, all, u.log, "secrets of clients")
}

// used is the last uses of one kind of credential.
type used[ID comparable] struct {
	write func(context.Context, account.EnvironmentID, map[ID]time.Time) error

	mu    sync.Mutex
	known map[usedKey[ID]]*use
}

type usedKey[ID comparable] struct {
	env account.EnvironmentID
	id  ID
}

// use is a credential's last use, by the clock that note is given.
type use struct {
	at      time.Time
	written time.Time // the use that is written down; zero for none
	due     time.Time // when the next may be written down, by the wall clock
}

func newUsed[ID comparable](write func(context.Context, account.EnvironmentID, map[ID]time.Time) error) *used[ID] {
	return &used[ID]{write: write, known: map[usedKey[ID]]*use{}}
}

// note remembers a use, and reports whether it may be written down now.
func (u *used[ID]) note(env account.EnvironmentID, id ID, at time.Time) (due bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := usedKey[ID]{env, id}
	known := u.known[k]
	if known == nil {
		known = &use{}
		u.known[k] = known
	}
	if at.After(known.at) {
		known.at = at
	}
	return !time.Now().Before(known.due)
}

func (u *used[ID]) flush(ctx context.Context, all bool, log *slog.Logger, what string) {
	for env, uses := range u.take(all) {
		if err := u.write(ctx, env, uses); err != nil {
			log.WarnContext(ctx, "when credentials were used last could not be written down", "environment", env, "what", what, "number", len(uses), "error", err)
			u.putBack(env, uses)
		}
	}
}

// take returns what is to be written down, as if it were, and forgets what has not been used lately.
func (u *used[ID]) take(all bool) map[account.EnvironmentID]map[ID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	out := map[account.EnvironmentID]map[ID]time.Time{}
	for k, known := range u.known {
		due, news := !now.Before(known.due), known.at.After(known.written)
		switch {
		case news && (due || all):
			if out[k.env] == nil {
				out[k.env] = map[ID]time.Time{}
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
func (u *used[ID]) putBack(env account.EnvironmentID, uses map[ID]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range uses {
		k := usedKey[ID]{env, id}
		if u.known[k] == nil {
			u.known[k] = &use{at: at}
		}
		u.known[k].written = time.Time{} // it stays due when it is
	}
}
