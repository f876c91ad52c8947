package oidc_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// asked fails the test unless the provider was asked so often for its document and its keys.
func asked(t *testing.T, f *testoidc.Fake, when string, times int) {
	t.Helper()
	if d, k := f.Asked(testoidc.Discovery), f.Asked(testoidc.KeySet); d != times || k != times {
		t.Errorf("%s the provider was asked %d times for its document and %d times for its keys, want %d", when, d, k, times)
	}
}

// TestC1_UnknownKeysAskSeldom: a flood of keys that there are not is one question in 30 seconds.
func TestC1_UnknownKeysAskSeldom(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	flood := func() {
		for i := range 100 {
			here.refuses("an unknown key", f.Sign("es", testoidc.Claims{"kid": fmt.Sprint("k", i)}, f.Claims(nil)))
		}
	}
	here.takes("a good token", f.Token(nil))
	flood()
	asked(t, f, "at once", 1)
	here.pass(oidc.Between)
	flood()
	asked(t, f, "after a flood", 2)
	here.takes("a good token", f.Token(nil))
	f.Add("new", "ES256")
	here.refuses("a new key, within the pause", f.Sign("new", nil, f.Claims(nil)))
	here.pass(oidc.Between)
	here.takes("a new key", f.Sign("new", nil, f.Claims(nil)))
	asked(t, f, "for a new key", 3)
}

// TestC1_UnknownKeysAskSeldomWhileTheProviderIsAway: nor does a provider that fails get more of it.
func TestC1_UnknownKeysAskSeldomWhileTheProviderIsAway(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	here.takes("a good token", f.Token(nil))
	f.Answer(testoidc.Discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	unknown := f.Sign("es", testoidc.Claims{"kid": "k"}, f.Claims(nil))
	for range 29 {
		here.pass(oidc.Between / 29)
		_, _ = here.verify(unknown) // refused or not to be found out
	}
	here.pass(time.Second)
	for range 29 {
		here.isAway("an unknown key while the provider is away", unknown)
		here.pass(time.Second)
	}
	if n := f.Asked(testoidc.Discovery); n != 2 {
		t.Errorf("in a minute the provider was asked %d times, want 2", n)
	}
	here.takes("a known key", f.Token(nil))
}

// TestC1_ManyAtOnceWaitForOneAnswer: those who come while a provider is asked do not ask it again.
func TestC1_ManyAtOnceWaitForOneAnswer(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{publicOf(f, "es")}}
	f.Answer(testoidc.KeySet, func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { close(arrived) })
		<-release
		writeJSON(w, keys)
	})
	token := f.Token(nil)
	var all sync.WaitGroup
	all.Go(func() { here.takes("the first", token) })
	<-arrived
	for range 50 {
		all.Go(func() { here.takes("another", token) })
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := here.Verify(gone, here.issuer, token); err == nil {
		t.Error("who has gone waits on")
	}
	close(release)
	all.Wait()
	asked(t, f, "by fifty at once", 1)
}

// TestC1_KeysAreReadAgainEveryHour: what a provider takes back is void within the hour.
func TestC1_KeysAreReadAgainEveryHour(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	here.takes("a good token", f.Token(nil))
	f.Publish(publicOf(f, "rs"))
	here.pass(oidc.FreshFor - time.Second)
	here.takes("within the hour", f.Token(nil))
	asked(t, f, "within the hour", 1)
	here.pass(time.Second)
	here.refuses("with a key that was taken back", f.Token(nil))
	here.takes("with a key that was not", f.Sign("rs", nil, f.Claims(nil)))
	asked(t, f, "after the hour", 2)
}

// TestC1_ProviderAwayIsAskedLessAndLess: 5 s after the first failure, then 10 s, 20 s, and so on up to 5 minutes.
func TestC1_ProviderAwayIsAskedLessAndLess(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Answer(testoidc.Discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	token := f.Token(nil)
	here.isAway("at first", token)
	for i, pause := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		here.pass(pause*time.Second - time.Millisecond)
		here.isAway("within the pause", token)
		if n := f.Asked(testoidc.Discovery); n != i+1 {
			t.Errorf("within pause %d the provider was asked %d times", i+1, n)
		}
		here.pass(time.Millisecond)
		here.isAway("after the pause", token)
		if n := f.Asked(testoidc.Discovery); n != i+2 {
			t.Errorf("after pause %d the provider was asked %d times", i+1, n)
		}
	}
	f.Answer(testoidc.Discovery, nil)
	here.pass(5 * time.Minute)
	f.Now = here.now
	here.takes("when it is back", f.Token(nil))
}

// TestC1_ProviderAwayHoldsNobodyUp: while it is away, tokens with keys that are known do not wait for it.
func TestC1_ProviderAwayHoldsNobodyUp(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	here.takes("a good token", f.Token(nil))
	f.Answer(testoidc.Discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	here.pass(oidc.FreshFor)
	here.takes("with old keys, after asking", f.Token(nil))
	stuck := make(chan struct{})
	f.Answer(testoidc.Discovery, func(http.ResponseWriter, *http.Request) { <-stuck })
	here.pass(oidc.Between)
	here.takes("with old keys, without waiting", f.Token(nil))
	close(stuck)
	here.pass(oidc.KeptFor - oidc.FreshFor - oidc.Between - time.Second)
	here.takes("with keys that are nearly too old", f.Token(nil))
	f.Answer(testoidc.Discovery, http.NotFound)
	here.pass(time.Second)
	here.isAway("with keys that are too old", f.Token(nil))
}

// TestC1_RememberedProvidersAreBounded: the one that was not asked for longest is forgotten.
func TestC1_RememberedProvidersAreBounded(t *testing.T) {
	here := trust(t, "https://login.example")
	for i := range oidc.MaxProviders {
		here.Remember(fmt.Sprintf("https://login.example/%d", i))
		here.pass(time.Second)
	}
	here.Remember("https://login.example/0")
	here.pass(time.Second)
	here.Remember("https://login.example/new")
	n, first := here.Known("https://login.example/0")
	_, second := here.Known("https://login.example/1")
	if n != oidc.MaxProviders || !first || second {
		t.Errorf("%d are known, the one used lately: %v, the one used longest ago: %v", n, first, second)
	}
}

func publicOf(f *testoidc.Fake, kid string) jose.JSONWebKey {
	key := f.Key(kid)
	public := key.Public()
	public.Use = "sig"
	return public
}
