package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/identity"
)

// ledger keeps what is written of uses, and fails while it is told to.
type ledger struct {
	mu      sync.Mutex
	failing bool
	written []map[account.APITokenID]time.Time
	secrets []map[account.SecretID]time.Time
	told    chan struct{}
}

func (l *ledger) NoteSecretUses(_ context.Context, _ account.EnvironmentID, uses map[account.SecretID]time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.told <- struct{}{} }()
	if l.failing {
		return errors.New("away")
	}
	l.secrets = append(l.secrets, uses)
	return nil
}

func (l *ledger) NoteUses(_ context.Context, _ account.EnvironmentID, uses map[account.APITokenID]time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.told <- struct{}{} }()
	if l.failing {
		return errors.New("away")
	}
	l.written = append(l.written, uses)
	return nil
}

// TestUsesAreWrittenAtOnceAndThenSeldom: the first use at once, what follows at the end here, or a minute later.
func TestUsesAreWrittenAtOnceAndThenSeldom(t *testing.T) {
	l := &ledger{told: make(chan struct{}, 10)}
	u := identity.NewUses(l, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); u.Run(ctx) }()
	u.Note("prod", "export", clock)
	<-l.told
	for i := range 100 {
		u.Note("prod", "export", clock.Add(time.Duration(i)*time.Second))
	}
	cancel()
	<-done
	want := []map[account.APITokenID]time.Time{{"export": clock}, {"export": clock.Add(99 * time.Second)}}
	if diff := cmp.Diff(want, l.written); diff != "" {
		t.Error(diff)
	}
}

// TestUsesOfSecretsAreWrittenToo, apart from those of an API token with the same id.
func TestUsesOfSecretsAreWrittenToo(t *testing.T) {
	l := &ledger{told: make(chan struct{}, 10)}
	u := identity.NewUses(l, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); u.Run(ctx) }()
	u.NoteSecret("prod", "same", clock)
	<-l.told
	u.Note("prod", "same", clock.Add(time.Minute))
	<-l.told
	u.NoteSecret("prod", "same", clock.Add(time.Hour))
	cancel()
	<-done
	if diff := cmp.Diff([]map[account.SecretID]time.Time{{"same": clock}, {"same": clock.Add(time.Hour)}}, l.secrets); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]map[account.APITokenID]time.Time{{"same": clock.Add(time.Minute)}}, l.written); diff != "" {
		t.Error(diff)
	}
}

func TestUsesThatCouldNotBeWrittenAreNotLost(t *testing.T) {
	l := &ledger{told: make(chan struct{}, 10), failing: true}
	u := identity.NewUses(l, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); u.Run(ctx) }()
	u.Note("prod", "export", clock)
	<-l.told
	l.mu.Lock()
	l.failing = false
	l.mu.Unlock()
	cancel()
	<-done
	if diff := cmp.Diff([]map[account.APITokenID]time.Time{{"export": clock}}, l.written); diff != "" {
		t.Error(diff)
	}
}
