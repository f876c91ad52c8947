package httpapi

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// tokens takes "Bearer good-<name>" for the client of that name, and refuses what "Bearer barred-<name>" asks for.
type tokens struct {
	known
	asked int
}

func (k *tokens) Authenticate(_ context.Context, p identity.Presented) (identity.Caller, error) {
	k.asked++
	if name, ok := strings.CutPrefix(p.Authorization, "Bearer barred-"); ok {
		return identity.Caller{Credential: "prod/client:" + name}, fault.New(fault.Denied, "user_blocked", "user ada is blocked")
	}
	name, ok := strings.CutPrefix(p.Authorization, "Bearer good-")
	if !ok {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "who are you?")
	}
	return identity.Caller{Actor: account.Actor{Environment: "prod", Client: account.ClientID(name)}, Credential: "prod/client:" + name}, nil
}

// limited is an API with limits, in a bubble where a second passes when all wait.
func limited(t *testing.T, l Limits, run func(a *api, k *tokens)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &tokens{}
		run(serve(t, Deps{Authenticator: k, Directory: newDirectory(t, empty{}, granting{})}, Config{Limits: l}), k)
	})
}

// empty is a store with nothing in it.
type empty struct{ broken }

func (empty) Head(context.Context, account.EnvironmentID) (account.Version, error) {
	return 0, fault.New(fault.NotFound, "reached", "the store was reached")
}

// get sends a request with a token, from an address; it reaches the store if nothing refuses it.
func (a *api) get(token, address string) answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, "/v1/accounts", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 1).String()
	return a.send(r)
}

func TestRateOfACredential(t *testing.T) {
	limited(t, Limits{Credential: 5}, func(a *api, _ *tokens) {
		for i := range 5 {
			got := a.get("good-shop", "192.0.2.1").ok(404)
			if left := got.header.Get("RateLimit-Remaining"); left != strconv.Itoa(4-i) || got.header.Get("RateLimit-Limit") != "5" || got.header.Get("RateLimit-Reset") != "1" {
				t.Errorf("request %d: %v", i, got.header)
			}
		}
		got := a.get("good-shop", "198.51.100.1") // wherever it comes from
		got.refused(429, "rate_limited", "")
		if got.header.Get("Retry-After") != "1" || got.header.Get("RateLimit-Remaining") != "0" {
			t.Errorf("the refusal: %v", got.header)
		}
		a.get("good-crm", "192.0.2.1").ok(404) // others are not refused
		<-time.After(2 * time.Second)          // in the bubble: nobody waits
		a.get("good-shop", "192.0.2.1").ok(404)
	})
}

// robots takes "Bearer <n>" for an API token of the account initech.
type robots struct{ known }

func (robots) Authenticate(_ context.Context, p identity.Presented) (identity.Caller, error) {
	id := account.APITokenID(strings.TrimPrefix(p.Authorization, "Bearer "))
	return identity.Caller{
		Actor: account.Actor{Environment: "prod", APIToken: id}, Account: "initech",
		Credential: "prod/api_token:" + string(id), Share: "prod/account:initech",
	}, nil
}

// TestAPITokensOfAnAccountShareARate: who makes more of them may not ask for more.
func TestAPITokensOfAnAccountShareARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := serve(t, Deps{Authenticator: robots{}, Directory: newDirectory(t, empty{}, granting{})}, Config{Limits: Limits{Credential: 5}})
		for i := range 5 {
			a.get(fmt.Sprint(i), "192.0.2.1").ok(404)
		}
		a.get("9", "192.0.2.2").refused(429, "rate_limited", "")
	})
}

func TestRateOfAnAddress(t *testing.T) {
	limited(t, Limits{Address: 3}, func(a *api, k *tokens) {
		for _, token := range []string{"good-shop", "good-crm", "bad"} {
			if got := a.get(token, "2001:db8::1"); got.status == 429 {
				t.Fatalf("%s: %s", token, got.text)
			}
		}
		asked := k.asked
		a.get("good-shop", "2001:db8::ffff:ffff:ffff:2").refused(429, "rate_limited", "") // of the same /64
		if k.asked != asked {
			t.Error("who was refused was authenticated")
		}
		a.get("good-shop", "2001:db8:0:1::1").ok(404)
		a.get("good-shop", "::ffff:192.0.2.1").ok(404)
		for range 20 {
			for _, path := range probes {
				r := httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, path, nil)
				r.RemoteAddr = "[2001:db8::1]:1"
				a.send(r).ok(200)
			}
		}
		r := httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, "/openapi.json", nil)
		r.RemoteAddr = "[2001:db8::1]:1"
		a.send(r).refused(429, "rate_limited", "")
	})
}

// TestRefusalsCountForTheCredential: what a good credential is refused is asked for with it all the same.
func TestRefusalsCountForTheCredential(t *testing.T) {
	limited(t, Limits{Credential: 3}, func(a *api, _ *tokens) {
		for range 3 {
			a.get("barred-shop", "192.0.2.1").refused(403, "user_blocked", "")
		}
		a.get("barred-shop", "192.0.2.2").refused(429, "rate_limited", "")
		a.get("good-shop", "192.0.2.2").refused(429, "rate_limited", "")
		a.get("good-crm", "192.0.2.2").ok(404)
	})
}

// TestGuessingIsSlow: an address from which too many authentications failed is not even asked who
// calls, but for credentials that were good lately.
func TestGuessingIsSlow(t *testing.T) {
	limited(t, Limits{Failures: 10}, func(a *api, k *tokens) {
		a.get("good-shop", "192.0.2.1").ok(404)
		for range 10 {
			a.get("bad", "192.0.2.1").refused(401, "unauthenticated", "")
		}
		asked := k.asked
		got := a.get("bad", "192.0.2.1")
		got.refused(429, "too_many_failures", "")
		if got.header.Get("Retry-After") != "60" {
			t.Errorf("the refusal: %v", got.header)
		}
		a.get("good-crm", "192.0.2.1").refused(429, "too_many_failures", "") // a guess that is right is not told
		if k.asked != asked {
			t.Error("who was refused was authenticated")
		}
		a.get("good-shop", "192.0.2.1").ok(404)
		a.get("good-crm", "192.0.2.2").ok(404)
		a.get("good-crm", "192.0.2.1").ok(404) // it was good elsewhere just now
		<-time.After(2 * time.Minute)
		a.get("bad", "192.0.2.1").refused(401, "unauthenticated", "")
		a.get("good-hr", "192.0.2.1").ok(404)
	})
}

// TestRefusalsAreCounted: each under its reason.
func TestRefusalsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		a := serve(t, Deps{Authenticator: &tokens{}, Registry: registry, Directory: newDirectory(t, empty{}, granting{})}, Config{Limits: Limits{Credential: 1, Address: 5, Failures: 2, Pause: -1}})
		a.get("good-shop", "192.0.2.1").ok(404)
		a.get("good-shop", "192.0.2.1").ok(429)
		a.get("bad", "192.0.2.2").ok(401)
		a.get("bad", "192.0.2.2").ok(401)
		a.get("bad", "192.0.2.2").ok(429)
		for i := range 5 {
			a.get(fmt.Sprint("good-", i), "192.0.2.3").ok(404)
		}
		a.get("good-hr", "192.0.2.3").ok(429)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			if f.GetName() == "tenantry_http_refused_total" {
				for _, m := range f.GetMetric() {
					got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
				}
			}
		}
		want := map[string]float64{"credential_rate": 1, "failed_authentications": 1, "address_rate": 1, "busy": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	})
}

func TestWithoutLimits(t *testing.T) {
	limited(t, Limits{}, func(a *api, _ *tokens) {
		for range 300 {
			if got := a.get("good-shop", "192.0.2.1").ok(404); got.header.Get("RateLimit-Limit") != "" {
				t.Fatalf("there is a limit: %v", got.header)
			}
			a.get("bad", "192.0.2.1").ok(401)
		}
	})
}

// TestRefusalsAreHeldBack: who asks again as soon as it is answered is slowed down; who gives up, or a server that stops, is not waited for.
func TestRefusalsAreHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		a := serve(t, Deps{Authenticator: &tokens{}, Stopping: stopping}, Config{Limits: Limits{Address: 1, Pause: 700 * time.Millisecond}})
		start := time.Now()
		a.get("bad", "192.0.2.1").ok(401)
		if time.Since(start) != 0 {
			t.Errorf("what is not refused waited %s", time.Since(start))
		}
		a.get("bad", "192.0.2.1").ok(429)
		if time.Since(start) != 700*time.Millisecond {
			t.Errorf("the refusal came after %s", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/accounts", nil)
		r.RemoteAddr = "192.0.2.1:1"
		start = time.Now()
		a.send(r).ok(429)
		if time.Since(start) != time.Millisecond {
			t.Errorf("who gave up waited %s", time.Since(start))
		}
		close(stopping)
		start = time.Now()
		a.get("bad", "192.0.2.1").ok(429)
		if time.Since(start) != 0 {
			t.Errorf("the server stopped %s later", time.Since(start))
		}
	})
}

// TestCounterIsBounded: 200,000 addresses take no more memory than the bound allows, and who was counted before stays counted.
func TestCounterIsBounded(t *testing.T) {
	c := newCounter(1000, time.Minute)
	window := time.Unix(0, 0).UTC().Add(time.Hour)
	c.add("early", window, 7)
	var address [16]byte
	for i := range uint64(200_000) {
		binary.BigEndian.PutUint64(address[:], 0x2001_0db8<<32|i)
		c.add(addressKey(netip.AddrFrom16(address)), window, 1)
	}
	if n := len(c.now); n > 1000+shared {
		t.Errorf("%d counts are kept", n)
	}
	if now, before := c.get("early", window); now != 7 || before != 0 {
		t.Errorf("counted %d, and %d before", now, before)
	}
	if now, _ := c.get("late", window); now < 15 || now > 120 {
		t.Errorf("one of those who share counts %d; %d on the average are expected", now, 200_000/shared)
	}
	if now, before := c.get("early", window.Add(time.Minute)); now != 0 || before != 7 {
		t.Errorf("in the next window: %d, and %d before", now, before)
	}
	c.add("late", window.Add(2*time.Minute), 1)
	if now, before := c.get("early", window.Add(2*time.Minute)); now != 0 || before != 0 || len(c.now)+len(c.before) != 1 {
		t.Errorf("after the next window: %d, and %d before; %d are kept", now, before, len(c.now)+len(c.before))
	}
}

func TestLimitsByDefault(t *testing.T) {
	l := Limits{}.withDefaults()
	if l.AtWork < 16 || l.AtWork < 8*runtime.GOMAXPROCS(0) || l.Each > l.Most/2 || l.Credential != 0 {
		t.Errorf("%+v", l)
	}
}
