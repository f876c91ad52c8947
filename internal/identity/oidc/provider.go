package oidc

import (
	"context"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// When a provider is asked for its keys. It is asked when a token comes, never by itself.
const (
	freshFor = time.Hour        // as old as keys may get while the provider answers
	keptFor  = 6 * time.Hour    // as old as they may get while it does not
	between  = 30 * time.Second // at least, for keys that are not known
	backoff  = 5 * time.Second  // after a failure, twice that after the next, and so on
	maxPause = 5 * time.Minute
)

// provider is what is remembered of one.
type provider struct {
	url  string
	from *Providers
	used time.Time // guarded by from.mu

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	fetched  time.Time // when the keys came; zero if none did
	tried    time.Time // when they were last asked for
	failures int       // since they came
	running  chan struct{}
}

// key returns the key that a token is signed with. It asks the provider where that
// is due; of those who want to know at once, all wait for one answer.
func (p *provider) key(ctx context.Context, w wanted) (jose.JSONWebKey, error) {
	key, answer, err := p.look(w, true)
	if answer == nil {
		return key, err
	}
	select {
	case <-answer:
	case <-ctx.Done():
		return jose.JSONWebKey{}, unavailable().Because(ctx.Err())
	}
	key, _, err = p.look(w, false)
	return key, err
}

// look returns a key that is remembered, or the answer to wait for. It asks for
// one if it may and that is due.
func (p *provider) look(w wanted, ask bool) (jose.JSONWebKey, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.from.cfg.Now()
	age := now.Sub(p.fetched)
	usable := !p.fetched.IsZero() && age < keptFor
	key, found := jose.JSONWebKey{}, false
	if usable {
		key, found = pick(p.keys, w)
	}
	if ask && (!found || age >= freshFor) {
		p.ask(now, usable)
		if p.running != nil && (!found || p.failures == 0) {
			return jose.JSONWebKey{}, p.running, nil
		}
	}
	switch {
	case found:
		return key, nil, nil
	case !usable || p.failures > 0:
		return key, nil, unavailable()
	default:
		return key, nil, refuse("there is no key %s for %s", account.Quote(w.id), account.Quote(w.algorithm))
	}
}

// ask starts to fetch the keys, unless that goes on already or was done lately.
func (p *provider) ask(now time.Time, usable bool) {
	if p.running != nil || now.Before(p.tried.Add(p.pause(usable))) {
		return
	}
	running := make(chan struct{})
	p.running, p.tried = running, now
	go func() {
		keys, err := p.from.fetch(p.url)
		p.settle(keys, err)
		close(running)
	}()
}

// pause is how long after the provider was asked it may be asked again.
func (p *provider) pause(usable bool) time.Duration {
	pause := time.Duration(0)
	if p.failures > 0 {
		pause = min(backoff<<min(p.failures-1, 10), maxPause)
	}
	if usable {
		pause = max(pause, between)
	}
	return pause
}

func (p *provider) settle(keys []jose.JSONWebKey, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	if err != nil {
		p.failures++
		p.from.cfg.Log.Warn("an OpenID provider cannot be asked for its keys",
			"issuer", account.Quote(p.url), "failures", p.failures, "keys_from", p.fetched, "error", quote(err))
		return
	}
	p.keys, p.fetched, p.failures = keys, p.from.cfg.Now(), 0
}

func unavailable() *fault.Error {
	return fault.New(fault.Unavailable, "provider_unavailable", "the token cannot be verified now: the OpenID provider's keys cannot be had")
}
