// Package oidc verifies the tokens of OpenID providers: their ID tokens and their access tokens in the form of RFC 9068.
//
// Providers are addresses that the administrators of environments name. So they
// are trusted with saying who their own users are, and with nothing else: what is
// fetched from them is bounded, in size, in time and in number, and never from an
// address that only this machine should reach.
package oidc

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Config adjusts Providers.
type Config struct {
	// Self is the issuer of this deployment's own tokens, which is no provider.
	Self string
	// AllowHTTP takes providers on this machine, and without TLS there. It is for development and tests.
	AllowHTTP bool
	Roots     *x509.CertPool   // the authorities to trust; nil is the system's
	Timeout   time.Duration    // for each document that is fetched; 5 s if 0
	Log       *slog.Logger     // nil for silence
	Now       func() time.Time // time.Now if nil
}

// maxProviders bounds the providers whose keys are remembered.
const maxProviders = 1000

// Providers verifies tokens of any provider, and remembers the providers' keys. It is safe for concurrent use.
type Providers struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex
	known map[string]*provider
}

// New returns Providers that know none yet.
func New(cfg Config) *Providers {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = fetchTime
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Providers{cfg: cfg, client: newClient(cfg), known: map[string]*provider{}}
}

// Verify returns what a token says, if it is signed by the issuer, for one of its
// audiences, and of this time.
//
// Faults: Unauthenticated (unauthenticated), the same whatever is wrong with the
// token; why is its cause, for the log. Unavailable (provider_unavailable) if the
// issuer's keys are not known and cannot be had.
func (p *Providers) Verify(ctx context.Context, issuer account.Issuer, token string) (directory.Vouched, error) {
	if SameAddress(issuer.URL, p.cfg.Self) {
		return directory.Vouched{}, refuse("the provider is ourselves")
	}
	parsed, wanted, err := parse(token)
	if err != nil {
		return directory.Vouched{}, err
	}
	key, err := p.of(issuer.URL).key(ctx, wanted)
	if err != nil {
		return directory.Vouched{}, err
	}
	var c claims
	if err := parsed.Claims(key.Key, &c); err != nil {
		return directory.Vouched{}, refuse("signature or claims: %s", quote(err))
	}
	if err := c.check(issuer, p.cfg.Now()); err != nil {
		return directory.Vouched{}, err
	}
	return c.vouched(issuer), nil
}

// of returns what is remembered of a provider. It forgets the one that was not
// asked for longest if there are too many.
func (p *Providers) of(url string) *provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	found := p.known[url]
	if found == nil {
		if len(p.known) >= maxProviders {
			p.forgetOne()
		}
		found = &provider{url: url, from: p}
		p.known[url] = found
	}
	found.used = now
	return found
}

func (p *Providers) forgetOne() {
	var oldest *provider
	for _, each := range p.known {
		if oldest == nil || each.used.Before(oldest.used) {
			oldest = each
		}
	}
	delete(p.known, oldest.url)
}

// refuse is why a token is not taken: one answer to the caller, and the reason for the log.
func refuse(reason string, args ...any) error {
	return Refused().Because(fmt.Errorf(reason, args...))
}

// Refused is what is said of every token that is not taken, whatever the reason.
func Refused() *fault.Error {
	return fault.New(fault.Unauthenticated, "unauthenticated",
		"the token is not valid: it is expired, of a provider that the environment does not trust, or not for it")
}

// quote is a bounded text of an error that may repeat what somebody sent.
func quote(err error) string { return account.Quote(err.Error()) }
