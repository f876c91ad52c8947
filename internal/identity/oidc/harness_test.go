package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// us is the issuer of our own tokens.
const us = "https://tenantry.example"

// clock is a time that passes when it is told to.
type clock struct {
	mu     sync.Mutex
	passed time.Duration
	from   time.Time
}

func newClock() *clock { return &clock{from: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from.Add(c.passed)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// place is where tokens of one provider are verified.
type place struct {
	*oidc.Providers
	*clock
	t      testing.TB
	issuer account.Issuer
}

// trust returns a place that trusts an issuer on this machine.
func trust(tb testing.TB, issuer string, audiences ...string) *place {
	c := newClock()
	if len(audiences) == 0 {
		audiences = []string{"other", testoidc.Audience}
	}
	return &place{
		Providers: oidc.New(oidc.Config{Self: us, AllowHTTP: true, Now: c.now}), clock: c, t: tb,
		issuer: account.Issuer{ID: "iss_1", URL: issuer, Audiences: audiences, Purpose: account.ForUsers},
	}
}

func (p *place) verify(token string) (directory.Vouched, error) {
	return p.Verify(context.Background(), p.issuer, token)
}

// takes fails the test unless a token is good.
func (p *place) takes(what, token string) directory.Vouched {
	p.t.Helper()
	v, err := p.verify(token)
	if err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
	return v
}

// refuses fails the test unless a token is refused, in the words that are said of all.
func (p *place) refuses(what, token string) {
	p.t.Helper()
	v, err := p.verify(token)
	if err := isRefusal(v, err); err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
}

func isRefusal(v directory.Vouched, err error) error {
	switch {
	case !errors.Is(err, fault.Unauthenticated) || v.Subject != "" || v.Issuer.URL != "":
		return fmt.Errorf("it is taken for %q, with the error %w", v.Subject, err)
	case fault.From(err).Code != "unauthenticated" || fault.From(err).Text != oidc.Refused().Text:
		return fmt.Errorf("it is told why: %w", err)
	case len(err.Error()) > 500:
		return fmt.Errorf("the reason has %d bytes", len(err.Error()))
	default:
		return nil
	}
}

// isAway fails the test unless a token can be neither taken nor refused.
func (p *place) isAway(what, token string) {
	p.t.Helper()
	v, err := p.verify(token)
	if !fault.HasCode(err, "provider_unavailable") || v.Subject != "" {
		p.t.Errorf("%s: %v, %v", what, v, err)
	}
}
