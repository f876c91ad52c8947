package oidc

import "github.com/go-jose/go-jose/v4"

// For the tests of other packages' view.
const (
	FreshFor     = freshFor
	KeptFor      = keptFor
	Between      = between
	Backoff      = backoff
	MaxProviders = maxProviders
)

// Guard is what decides whether an address may be dialled.
func Guard(address string, allowLoopback bool) error { return guard(address, allowLoopback) }

// ReadKeys reads the keys that a provider publishes.
func ReadKeys(text []byte) ([]jose.JSONWebKey, error) { return readKeys(text) }

// CheckURL is what decides whether an address may be fetched from.
func CheckURL(address string, allowHTTP bool) error { return checkURL(address, allowHTTP) }

// Remember makes a provider known, as a token of its would.
func (p *Providers) Remember(url string) { p.of(url) }

// Known returns how many providers are remembered, and whether this is one of them.
func (p *Providers) Known(url string) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.known), p.known[url] != nil
}
