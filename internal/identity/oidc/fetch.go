package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// The bounds of what is fetched from a provider.
const (
	fetchTime  = 5 * time.Second // for each of the two documents, unless told otherwise
	maxBody    = 1 << 20         // bytes of a document, unpacked
	maxHeaders = 64 << 10        // bytes of an answer's headers
	maxHops    = 3               // redirects, all at one host
)

// fetch discovers a provider and returns its keys. That its document is about
// nobody else is checked by go-oidc.
func (p *Providers) fetch(issuer string) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*p.cfg.Timeout)
	defer cancel()
	if err := checkURL(issuer, p.cfg.AllowHTTP); err != nil {
		return nil, err
	}
	provider, err := goidc.NewProvider(goidc.ClientContext(ctx, p.client), issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if err := checkURL(document.Keys, p.cfg.AllowHTTP); err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	text, err := p.get(ctx, document.Keys)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return readKeys(text)
}

func (p *Providers) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %d", resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}

// checkURL returns why an address is none to fetch from. Without TLS only this machine is, where that is allowed.
func checkURL(address string, allowHTTP bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("it is no address")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http" || !allowHTTP || !isHere(u.Hostname()):
		return errors.New("it is not https")
	default:
		return nil
	}
}

func isHere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
