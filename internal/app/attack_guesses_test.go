package app_test

import (
	"net/url"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/httpapi"
)

// TestAttack_WebPagesShutNobodyOut: what pages of others have their readers' browsers send does not count
// for the address, and who guesses there does not shut out a client that shows its secret in the form.
func TestAttack_WebPagesShutNobodyOut(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: httpapi.Limits{Failures: 5, Pause: -1}}
	s := start(t, cfg)
	s.environment("prod")
	shop := s.client("prod", "shop", false, account.PortalAdmin)
	form := func(secret string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {"prod.shop"}, "client_secret": {secret}}
	}
	nobody, guess := caller{s: s}, shop.token[:len(shop.token)-4]+"AAAA"
	for range 10 {
		nobody.refuse("unauthenticated", "GET", "/v1/me", nil) // fetch(url, {mode: "no-cors"}), by a browser that says nothing of it
		nobody.refuse("unauthenticated", "GET", "/v1/me", nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
		nobody.refuse("origin_not_allowed", "POST", "/oauth2/token", form(guess), "Origin", "https://evil.example")
	}
	nobody.must("POST", "/oauth2/token", form(shop.token))
	shop.must("GET", "/v1/me", nil) // never seen before
	for range 5 {
		nobody.refuse("invalid_client", "POST", "/oauth2/token", form(guess))
	}
	nobody.refuse("too_many_failures", "POST", "/oauth2/token", form(guess))
	nobody.must("POST", "/oauth2/token", form(shop.token))
}

// TestAttack_TokensThatAreOverShutNobodyOut: who goes on sending a token of ours that was revoked is
// refused, and neither the address nor who else is there is.
func TestAttack_TokensThatAreOverShutNobodyOut(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: httpapi.Limits{Failures: 5, Pause: -1}}
	w := furnished(t, cfg)
	session, id := w.impersonate(w.support, "owner")
	w.support.must("DELETE", "/v1/impersonations/"+id, nil)
	other := w.client("prod", "other", false, account.BackofficeViewer)
	for range 5 {
		session.refuse("unauthenticated", "GET", "/v1/me", nil)
	}
	session.refuse("too_many_failures", "GET", "/v1/me", nil)
	other.must("GET", "/v1/users", nil) // never seen before
	w.support.must("GET", "/v1/users", nil)
	again, _ := w.impersonate(w.support, "owner")
	again.must("GET", "/v1/me", nil)
}

// TestAttack_GuessesBehindOneAddress: who guesses does not shut out those who get tokens from the same address.
func TestAttack_GuessesBehindOneAddress(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: httpapi.Limits{Failures: 3}}
	s := start(t, cfg)
	s.environment("prod")
	shop := s.client("prod", "shop", false, account.PortalAdmin)
	get := func() caller {
		x := s.exchange(t, "prod.shop", shop.token, map[string]string{"grant_type": "client_credentials"})
		return caller{s: s, token: x.body["access_token"].(string)}
	}
	before := get()
	guess := caller{s: s, token: shop.token[:len(shop.token)-4] + "AAAA"}
	for range 3 {
		guess.refuse("unauthenticated", "GET", "/v1/me", nil)
	}
	guess.refuse("too_many_failures", "GET", "/v1/me", nil)
	before.must("GET", "/v1/me", nil) // used for the first time
	get().must("GET", "/v1/me", nil)
	shop.refuse("too_many_failures", "GET", "/v1/me", nil) // never seen as a bearer: it could be a guess that is right
}
