package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tenantry/tenantry/client"
)

// counter is a server that gives tokens at_1, at_2, … and takes the last one.
type counter struct {
	*httptest.Server
	t       *testing.T
	given   atomic.Int64
	calls   atomic.Int64
	lives   int                                     // seconds
	refuses func(w http.ResponseWriter) (done bool) // a request for a token; nil for never
}

func newCounter(t *testing.T) *counter {
	c := &counter{t: t, lives: 900}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/token" {
		id, secret, basic := r.BasicAuth()
		if err := r.ParseForm(); err != nil || !basic || id != "prod.shop" || secret != token || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != "check read" {
			c.t.Errorf("asked for a token as %s with %v", id, r.PostForm)
		}
		if c.refuses == nil || !c.refuses(w) {
			answer(w, http.StatusOK, fmt.Sprintf(`{"access_token":"at_%d","token_type":"Bearer","expires_in":%d}`, c.given.Add(1), c.lives))
		}
		return
	}
	c.calls.Add(1)
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer at_%d", c.given.Load()) {
		answer(w, http.StatusUnauthorized, `{"code":"unauthenticated","detail":"no"}`)
		return
	}
	answer(w, http.StatusOK, `{"allowed":true}`)
}

func (c *counter) client() *client.Client {
	c.t.Helper()
	got, err := client.New(c.URL, token, client.WithTokenExchange("check", "read"), client.WithHTTPClient(c.Client()))
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func ask(t *testing.T, c *client.Client) error {
	t.Helper()
	_, err := c.Check(t.Context(), "user:ada", "access", "account:globex")
	return err
}

func TestAccessTokensAreKept(t *testing.T) {
	s := newCounter(t)
	c := s.client()
	var together sync.WaitGroup
	for range 20 {
		together.Go(func() {
			if err := ask(t, c.ActingFor("ada")); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if s.given.Load() != 1 {
		t.Errorf("%d tokens for 20 calls at once", s.given.Load())
	}
	s.given.Add(1) // the server takes another now: the keys were revoked
	if err := ask(t, c); err != nil || s.given.Load() != 3 || s.calls.Load() != 22 {
		t.Errorf("with a token that was revoked: %v, %d tokens, %d calls", err, s.given.Load(), s.calls.Load())
	}
}

func TestAccessTokensAreReplacedInTime(t *testing.T) {
	s := newCounter(t)
	s.lives = 5 // less than the margin
	c := s.client()
	for range 3 {
		if err := ask(t, c); err != nil {
			t.Fatal(err)
		}
	}
	if s.given.Load() != 3 || s.calls.Load() != 3 {
		t.Errorf("%d tokens and %d calls", s.given.Load(), s.calls.Load())
	}
}

func TestRefusedExchanges(t *testing.T) {
	refusals := map[string]struct {
		answer func(w http.ResponseWriter)
		status int
		code   string
	}{
		"revoked": {func(w http.ResponseWriter) {
			answer(w, http.StatusUnauthorized, `{"error":"invalid_client","error_description":"unknown"}`)
		}, 401, "invalid_client"},
		"away": {func(w http.ResponseWriter) {
			answer(w, http.StatusServiceUnavailable, `{"error":"temporarily_unavailable","error_description":"away"}`)
		}, 503, "temporarily_unavailable"},
		"limited": {func(w http.ResponseWriter) {
			answer(w, http.StatusTooManyRequests, `{"code":"rate_limited","detail":"slowly"}`)
		}, 429, "rate_limited"},
		"a proxy":  {func(w http.ResponseWriter) { answer(w, http.StatusBadGateway, `<html>`) }, 502, ""},
		"redirect": {func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(http.StatusFound) }, 302, ""},
	}
	for name, tt := range refusals {
		s := newCounter(t)
		s.refuses = func(w http.ResponseWriter) bool { tt.answer(w); return true }
		err := ask(t, s.client())
		problem, ok := errors.AsType[*client.Problem](err)
		if !ok || problem.Status != tt.status || problem.Code != tt.code || s.calls.Load() != 0 || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v (%+v)", name, err, problem)
		}
	}

	// a server that takes no token at all is not asked without end
	s := newCounter(t)
	c := s.client()
	s.refuses = func(w http.ResponseWriter) bool {
		answer(w, http.StatusOK, `{"access_token":"other","token_type":"Bearer","expires_in":900}`)
		return true
	}
	for range 2 { // with a new token, and with one that was kept
		problem, ok := errors.AsType[*client.Problem](ask(t, c))
		if !ok || problem.Code != "unauthenticated" {
			t.Errorf("%v", problem)
		}
	}
	if s.calls.Load() != 3 {
		t.Errorf("%d calls", s.calls.Load())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newCounter(t).client().Check(ended, "user:ada", "access", "account:globex"); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

func TestOnlySecretsOfClientsAreExchanged(t *testing.T) {
	for _, secret := range []string{"tenantry_api_prod.t.c2VjcmV0", "eyJhbGciOi.e30.AAAA", "tenantry_prod.shop", "c2VjcmV0LXNlY3JldA"} {
		if _, err := client.New("https://tenantry.example", secret, client.WithTokenExchange()); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

// TestStreamsOutlastTheirTokens: when the token of a stream has expired it goes on with another one.
func TestStreamsOutlastTheirTokens(t *testing.T) {
	var given, streams atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/token" {
			answer(w, http.StatusOK, fmt.Sprintf(`{"access_token":"at_%d","token_type":"Bearer","expires_in":900}`, given.Add(1)))
			return
		}
		n := streams.Add(1)
		if n == 2 { // the token that was kept
			answer(w, http.StatusUnauthorized, `{"code":"unauthenticated","detail":"expired"}`)
			return
		}
		if want := fmt.Sprintf("Bearer at_%d", given.Load()); r.Header.Get("Authorization") != want {
			t.Errorf("stream %d: %s, want %s", n, r.Header.Get("Authorization"), want)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "id: %d\nevent: entry\ndata: {}\n\n", n)
		_, _ = fmt.Fprint(w, "event: end\ndata: {\"code\":\"unauthenticated\"}\n\n")
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, token, client.WithTokenExchange())
	if err != nil {
		t.Fatal(err)
	}
	var seen []int64
	for event, err := range c.FollowJournal(t.Context(), client.JournalFilter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, event.Version); len(seen) == 2 {
			break
		}
	}
	if len(seen) != 2 || seen[0] != 1 || seen[1] != 3 || given.Load() != 2 {
		t.Errorf("events %v, %d tokens", seen, given.Load())
	}
}
