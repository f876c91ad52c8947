package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// TestNoGuessCountsAsAccepted: not however often, and in however many ways, a good token is sent; nor after more
// good tokens than are remembered.
func TestNoGuessCountsAsAccepted(t *testing.T) {
	s := build(Deps{Authenticator: known{}}, Config{Limits: Limits{Failures: 60}})
	request := func(header string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
		r.Header.Set("Authorization", header)
		return r
	}
	seen := func() (n int) {
		for i := range 1000 {
			if s.acceptedLately(request(fmt.Sprint("Bearer tenantry_prod.shop.guess", i))) {
				n++
			}
		}
		return n
	}
	for i := range maxKeys + 20_000 {
		s.noteAccepted(request([]string{"Bearer", "bearer", "BEARER", "bEARER"}[i%4] + strings.Repeat(" ", 1+i/4) + "good"))
	}
	if n := len(s.guards.accepted.now); n != 1 || seen() > 0 {
		t.Errorf("one good token is remembered %d times, and %d of 1000 guesses count as accepted", n, seen())
	}
	if !s.acceptedLately(request("Bearer good")) {
		t.Error("a good token is not remembered")
	}
	for i := range 2*maxKeys + 1 {
		s.noteIssued(fmt.Sprint("token ", i))
	}
	if n := len(s.guards.accepted.now) + len(s.guards.accepted.before); n > 2*maxKeys || seen() > 0 {
		t.Errorf("%d tokens are remembered, and %d of 1000 guesses count as accepted", n, seen())
	}
	if s.acceptedLately(request("Bearer good")) || !s.acceptedLately(request(fmt.Sprint("Bearer token ", 2*maxKeys))) {
		t.Error("those that were good longest ago are not the ones that are forgotten")
	}
}

func TestAcceptedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAccepted(10, acceptedFor)
		a.add(bearerKey("first"))
		<-time.After(acceptedFor)
		a.add(bearerKey("second"))
		if !a.has(bearerKey("first")) || !a.has(bearerKey("second")) || a.has(bearerKey("third")) || a.has(clientKey("first", "")) {
			t.Errorf("after one time: %d and %d", len(a.now), len(a.before))
		}
		<-time.After(acceptedFor)
		if a.has(bearerKey("first")) || !a.has(bearerKey("second")) {
			t.Errorf("after two: %d and %d", len(a.now), len(a.before))
		}
		<-time.After(2 * acceptedFor)
		if a.has(bearerKey("second")) || len(a.now)+len(a.before) > 0 {
			t.Errorf("after four: %d and %d", len(a.now), len(a.before))
		}
	})
}

// guarded is an API that gives tokens and has a limit to failures, in a bubble.
func guarded(t *testing.T, run func(a *api)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		run(serve(t, Deps{
			Authenticator: &tokens{}, Directory: newDirectory(t, empty{}, granting{}),
			OAuth: OAuth{Issuer: "https://tenantry.example", Clients: till{}, Tokens: till{}, Keys: till{}},
		}, Config{Limits: Limits{Failures: 5, Pause: -1}, Origins: []string{"https://app.example"}}))
	})
}

const usual = "192.0.2.1" // as httptest has it

func formOf(secret string) string {
	return grantForm + "&client_id=prod.shop&client_secret=" + url.QueryEscape(secret)
}

// TestRequestsWithoutACredentialAreNoGuesses: they find nothing out, and anybody's page can have a browser send them.
func TestRequestsWithoutACredentialAreNoGuesses(t *testing.T) {
	guarded(t, func(a *api) {
		for range 20 {
			a.do("GET", "/v1/accounts", "", "Authorization", "-").refused(401, "unauthenticated", "")
			a.token(grantForm, "").deny("no client", 401, "invalid_client")
			a.token(grantForm+"&client_id=prod.shop", "").deny("no secret", 401, "invalid_client")
		}
		a.get("good-shop", usual).ok(404)
		for range 5 {
			a.do("GET", "/v1/accounts", "", "Authorization", "").refused(401, "unauthenticated", "")
		}
		a.get("good-crm", usual).refused(429, "too_many_failures", "")
	})
}

// TestAGoodSecretInTheFormIsHeard: as one in the header is, when others at the address guess; a guess is not.
func TestAGoodSecretInTheFormIsHeard(t *testing.T) {
	guarded(t, func(a *api) {
		a.token(formOf(tillSecret), "").ok(200)
		for range 5 {
			a.token(formOf("guess"), "").deny("a guess", 401, "invalid_client")
		}
		got := a.token(formOf("guess"), "").refused(429, "too_many_failures", "")
		if got.header.Get("Retry-After") != "60" {
			t.Errorf("the refusal: %v", got.header)
		}
		a.get("good-shop", usual).refused(429, "too_many_failures", "")
		a.token(grantForm, basicOf("prod.shop", "guess")).refused(429, "too_many_failures", "")
		a.token(formOf(tillSecret), "").ok(200)
		a.token(grantForm, basicOf("prod.shop", tillSecret)).ok(200) // the same secret
		a.token(grantForm, strings.Replace(basicOf("prod.shop", tillSecret), "Basic ", "basic   ", 1)).ok(200)
		<-time.After(3 * acceptedFor)
		for range 5 {
			a.token(formOf("guess"), "").deny("a guess", 401, "invalid_client")
		}
		a.token(formOf(tillSecret), "").refused(429, "too_many_failures", "") // a guess that is right is not told
	})
}

// TestForeignPagesAreRefusedUncounted: no page can make its readers' addresses be those of who guesses.
func TestForeignPagesAreRefusedUncounted(t *testing.T) {
	foreign := [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://example.com"},
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "null"},
		{"Origin", "https://app.example.evil.example"},
	}
	own := [][]string{
		{},
		{"Sec-Fetch-Site", "same-origin"},
		{"Sec-Fetch-Site", "same-origin", "Origin", "https://portal.example"},
		{"Sec-Fetch-Site", "none"},
		{"Origin", "https://example.com"}, // the host of the requests here
		{"Origin", "https://app.example"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"},
	}
	guarded(t, func(a *api) {
		for range 5 {
			for _, headers := range foreign {
				a.token(formOf("guess"), "", headers...).refused(403, "origin_not_allowed", "")
			}
		}
		for _, headers := range own {
			a.do("GET", "/v1/accounts", "", append(headers, "Authorization", "Bearer good-shop")...).ok(404)
			a.token(formOf(tillSecret), "", headers...).ok(200)
		}
		for _, headers := range foreign { // nothing is guessed: a back end that passes its pages' headers on, or a link
			a.do("GET", "/v1/accounts", "", append(headers, "Authorization", "Bearer good-shop")...).ok(404)
			a.do("GET", "/openapi.json", "", append(headers, "Authorization", "-")...).ok(200)
		}
		a.do("GET", "/healthz", "", "Origin", "https://evil.example").ok(200)
	})
}

// frugal is tokens that says how much is asked about those who are admitted.
type frugal struct {
	known
	questions int
}

func (f *frugal) Authenticate(_ context.Context, p identity.Presented) (identity.Caller, error) {
	name, token, _ := strings.Cut(strings.TrimPrefix(p.Authorization, "Bearer "), "/")
	if err := p.Admit("prod/user:"+name, token); err != nil {
		return identity.Caller{Credential: "prod/user:" + name}, err
	}
	f.questions++
	return identity.Caller{Actor: account.Actor{Environment: "prod", User: account.UserID(name)}, Credential: "prod/user:" + name}, nil
}

// TestNothingIsAskedAboveTheRate: of whom a credential is that was used too often is known by its signature.
func TestNothingIsAskedAboveTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &frugal{}
		a := serve(t, Deps{Authenticator: f, Directory: newDirectory(t, empty{}, granting{})}, Config{Limits: Limits{Credential: 3, Failures: 5, Pause: -1}})
		for range 3 {
			a.get("ada/pass_1", usual).ok(404)
		}
		for range 10 {
			got := a.get("ada/pass_2", usual).refused(429, "rate_limited", "")
			if got.header.Get("RateLimit-Limit") != "3" || got.header.Get("RateLimit-Remaining") != "0" || got.header.Get("Retry-After") != "1" {
				t.Errorf("the refusal: %v", got.header)
			}
		}
		if f.questions != 3 {
			t.Errorf("asked %d times, want 3", f.questions)
		}
		<-time.After(2 * time.Second)
		a.get("ada/pass_1", usual).ok(404)
	})
}

// TestWhatFailsWithATokenOfOursIsItsOwn: not its owner's, nor the address's.
func TestWhatFailsWithATokenOfOursIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &frugal{}
		s := build(Deps{Authenticator: f, Directory: newDirectory(t, empty{}, granting{})}, Config{Limits: Limits{Credential: 3, Failures: 5, Pause: -1}})
		a := &api{t: t, handler: s.router}
		for range 5 {
			s.noteGenuine(&info{issued: "pass_1"})
		}
		for range 10 {
			if got := a.get("ada/pass_1", usual).refused(429, "too_many_failures", ""); got.header.Get("Retry-After") != "60" || got.header.Get("RateLimit-Remaining") != "" {
				t.Errorf("the refusal: %v", got.header)
			}
		}
		if f.questions != 0 {
			t.Errorf("asked %d times", f.questions)
		}
		for range 3 {
			a.get("ada/pass_2", usual).ok(404)
		}
		<-time.After(2 * time.Minute)
		a.get("ada/pass_1", usual).ok(404)
	})
}

// TestTheLogHoldsShortPaths: strangers write paths and methods, and cause lines of the log that are loud.
func TestTheLogHoldsShortPaths(t *testing.T) {
	a := serve(t, Deps{Authenticator: away{}}, Config{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/accounts/"+strings.Repeat("ä", 16<<10), nil)
	r.Header.Set("Authorization", "Bearer guess")
	a.send(r).refused(503, "provider_unavailable", "")
	r.Method = strings.Repeat("X", 16<<10)
	a.send(r).ok(405)
	if n := a.log.Len(); n > 4000 || strings.Contains(a.log.String(), "\uFFFD") || !strings.Contains(a.log.String(), "/v1/accounts/ä") {
		t.Errorf("two requests take %d bytes of the log: %.1000s", n, a.log)
	}
}

// TestC2_SecretsInAPathAreNotLogged: whoever puts one where an id belongs finds it in no log.
func TestC2_SecretsInAPathAreNotLogged(t *testing.T) {
	a := serve(t, Deps{Authenticator: away{}}, Config{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/accounts/tenantry_prod.shop."+strings.Repeat("s3cret", 7), nil)
	r.Header.Set("Authorization", "Bearer guess")
	a.send(r).refused(503, "provider_unavailable", "")
	if log := a.log.String(); strings.Contains(log, "s3cret") || !strings.Contains(log, "tenantry_prod.shop.***") {
		t.Errorf("the log: %s", log)
	}
}

// away is an authenticator whose providers are away.
type away struct{ known }

func (away) Authenticate(context.Context, identity.Presented) (identity.Caller, error) {
	return identity.Caller{}, fault.New(fault.Unavailable, "provider_unavailable", "away")
}
