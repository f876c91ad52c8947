package oidc_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// TestC1_LyingProvidersAreNotBelieved: each of these answers is none.
func TestC1_LyingProvidersAreNotBelieved(t *testing.T) {
	secrets := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("somebody else was asked")
	}))
	defer secrets.Close()
	f := testoidc.NewFake(t)
	document := func(changes testoidc.Claims) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			out := testoidc.Claims{"issuer": f.Issuer, "jwks_uri": f.Issuer + testoidc.KeySet}
			maps.Copy(out, changes)
			writeJSON(w, out)
		}
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	key := publicOf(f, "es")
	private := f.Key("es")
	symmetric := jose.JSONWebKey{Key: []byte("a secret that everybody knows"), KeyID: "es"}
	forEncryption := key
	forEncryption.Use = "enc"
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	set := func(keys ...jose.JSONWebKey) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, jose.JSONWebKeySet{Keys: keys}) }
	}
	var many []jose.JSONWebKey
	for range 101 {
		many = append(many, key)
	}
	huge := text(`{"issuer":"` + f.Issuer + `","jwks_uri":"` + f.Issuer + testoidc.KeySet + `","x":"` + strings.Repeat("x", 1<<20) + `"}`)
	for _, tt := range []struct {
		name, path string
		answer     http.HandlerFunc
	}{
		{"speaks for another", testoidc.Discovery, document(testoidc.Claims{"issuer": "https://accounts.example"})},
		{"speaks for itself with a slash", testoidc.Discovery, document(testoidc.Claims{"issuer": f.Issuer + "/"})},
		{"has no issuer", testoidc.Discovery, document(testoidc.Claims{"issuer": nil})},
		{"has no keys' address", testoidc.Discovery, document(testoidc.Claims{"jwks_uri": nil})},
		{"has keys in a file", testoidc.Discovery, document(testoidc.Claims{"jwks_uri": "file:///etc/passwd"})},
		{"has keys elsewhere without TLS", testoidc.Discovery, document(testoidc.Claims{"jwks_uri": "http://keys.example/keys"})},
		{"has keys with a password", testoidc.Discovery, document(testoidc.Claims{"jwks_uri": "https://a:b@keys.example/keys"})},
		{"has keys at the link's address", testoidc.Discovery, document(testoidc.Claims{"jwks_uri": "https://169.254.169.254/latest"})},
		{"redirects to another port", testoidc.Discovery, redirect(secrets.URL)},
		{"redirects its keys", testoidc.KeySet, redirect(secrets.URL)},
		{"redirects to itself for ever", testoidc.Discovery, redirect(f.Issuer + testoidc.Discovery)},
		{"is not there", testoidc.Discovery, http.NotFound},
		{"has no keys", testoidc.KeySet, http.NotFound},
		{"has keys with an error", testoidc.KeySet, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			set(key)(w, r)
		}},
		{"answers with a page", testoidc.Discovery, text("<html>")},
		{"has keys that are a page", testoidc.KeySet, text("<html>")},
		{"answers with a list", testoidc.Discovery, text("[]")},
		{"has an empty set", testoidc.KeySet, set()},
		{"has a secret for a key", testoidc.KeySet, set(symmetric)},
		{"publishes its private key", testoidc.KeySet, set(private)},
		{"has a key for encryption", testoidc.KeySet, set(forEncryption)},
		{"has a weak key", testoidc.KeySet, set(jose.JSONWebKey{Key: &weak.PublicKey, KeyID: "es", Algorithm: "RS256"})},
		{"has too many keys", testoidc.KeySet, set(many...)},
		{"has a huge document", testoidc.Discovery, huge},
		{"has a huge document, packed", testoidc.Discovery, packed(huge)},
		{"has a huge set", testoidc.KeySet, text(`{"keys":[` + strings.Repeat(" ", 1<<20) + `]}`)},
		{"nests deeply", testoidc.KeySet, text(strings.Repeat(`{"keys":[`, 50_000))},
		{"has huge headers", testoidc.Discovery, func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				w.Header().Add("X-Filler", strings.Repeat("x", 1000))
			}
			document(nil)(w, r)
		}},
	} {
		f.Answer(testoidc.Discovery, nil)
		f.Answer(testoidc.KeySet, nil)
		f.Answer(tt.path, tt.answer)
		before := f.Asked(testoidc.Discovery)
		trust(t, f.Issuer).isAway(tt.name, f.Token(nil))
		if n := f.Asked(testoidc.Discovery) - before; n > 4 {
			t.Errorf("%s: it was asked %d times", tt.name, n)
		}
	}
	f.Answer(testoidc.Discovery, nil)
	f.Answer(testoidc.KeySet, set(symmetric, private, forEncryption, key))
	trust(t, f.Issuer).takes("a good key beside bad ones", f.Token(nil))
	f.Answer(testoidc.KeySet, set(key, key))
	trust(t, f.Issuer).refuses("two keys of one name", f.Token(nil))
	f.Answer(testoidc.KeySet, nil)
	f.Answer(testoidc.Discovery, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			redirect(testoidc.Discovery+"?again")(w, r)
			return
		}
		document(nil)(w, r)
	})
	trust(t, f.Issuer).takes("a redirect at the same host", f.Token(nil))
}

func packed(by http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		plain := httptest.NewRecorder()
		by(plain, r)
		var out bytes.Buffer
		zip := gzip.NewWriter(&out)
		_, _ = zip.Write(plain.Body.Bytes())
		_ = zip.Close()
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(out.Bytes())
	}
}

// TestC1_SlowProvidersAreGivenUp: whether they do not begin or do not end.
func TestC1_SlowProvidersAreGivenUp(t *testing.T) {
	f := testoidc.NewFake(t)
	for name, slow := range map[string]http.HandlerFunc{
		"says nothing": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"does not end": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"issuer":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		f.Answer(testoidc.Discovery, slow)
		here := trust(t, f.Issuer)
		here.Providers = oidc.New(oidc.Config{AllowHTTP: true, Timeout: 20 * time.Millisecond})
		here.isAway(name, f.Token(nil))
	}
}

// TestC1_FailuresAreLoggedInBounds: what a provider answers does not fill the log, or forge lines of it.
func TestC1_FailuresAreLoggedInBounds(t *testing.T) {
	f := testoidc.NewFake(t)
	f.Answer(testoidc.Discovery, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "\nlevel=ERROR msg=forged\n"+strings.Repeat("x", 100_000))
	})
	var log logged
	here := trust(t, f.Issuer)
	here.Providers = oidc.New(oidc.Config{AllowHTTP: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	token := f.Token(nil)
	here.isAway("at first", token)
	said := log.String()
	if strings.Count(said, "\n") != 1 || len(said) > 600 || !strings.Contains(said, "level=WARN") || !strings.Contains(said, f.Issuer) {
		t.Errorf("the log says %.1000q", said)
	}
	if strings.Contains(said, strings.Split(token, ".")[2]) {
		t.Error("the token is in the log")
	}
}

type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(part []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(part)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestC1_ProvidersOnThisMachineAreRefused: unless that is allowed, nothing is dialled, whatever the name.
func TestC1_ProvidersOnThisMachineAreRefused(t *testing.T) {
	f := testoidc.NewFake(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Error("it was dialled")
			_ = conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		f.Issuer, "https://127.0.0.1:" + port, "https://localhost:" + port, "https://[::ffff:127.0.0.1]:" + port,
		"https://0.0.0.0:" + port, "https://[::]:" + port,
		"http://login.example", "ftp://login.example", "https://", "login.example", "https://ada:secret@login.example:1", "https://127.0.0.1:" + port + "#x", "",
	} {
		here := trust(t, address)
		here.Providers = oidc.New(oidc.Config{Self: us, Timeout: time.Second})
		here.issuer = account.Issuer{URL: address, Audiences: []string{testoidc.Audience}}
		here.isAway(address, f.Token(testoidc.Claims{"iss": address}))
	}
	if n := f.Asked(testoidc.Discovery); n != 0 {
		t.Errorf("a provider without TLS was asked %d times", n)
	}
}

// TestC1_TLSIsVerified: a provider on this machine has to show a certificate as any other.
func TestC1_TLSIsVerified(t *testing.T) {
	f := testoidc.NewFake(t)
	s := httptest.NewTLSServer(f)
	defer s.Close()
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	f.Issuer = s.URL
	trust(t, f.Issuer).isAway("a certificate of nobody's", f.Token(nil))
	here := trust(t, f.Issuer)
	here.Providers = oidc.New(oidc.Config{AllowHTTP: true, Roots: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	here.takes("a certificate of an authority that is trusted", f.Token(nil))
}

// TestC1_ProvidersHaveTLS: without it only for development, and only on this machine.
func TestC1_ProvidersHaveTLS(t *testing.T) {
	for address, want := range map[string]struct{ everywhere, development bool }{
		"https://login.example": {true, true}, "https://login.example:8443/realms/a?x=1": {true, true}, "HTTPS://login.example": {true, true},
		"http://127.0.0.1:3000": {false, true}, "http://localhost:3000": {false, true}, "http://[::1]:3000": {false, true},
		"http://login.example": {}, "http://10.0.0.7": {}, "http://localhost.example": {}, "http://127.0.0.1.example": {}, "http://0.0.0.0": {}, "http://LOCALHOST.": {},
		"ftp://login.example": {}, "file:///etc/passwd": {}, "//login.example": {}, "login.example": {}, "https://": {}, "https:login.example": {}, "": {},
		"https://ada@login.example": {}, "https://ada:secret@login.example": {}, "https://login.example#x": {}, "https://login.example\n": {}, "http://127.0.0.1@login.example": {},
	} {
		if got := oidc.CheckURL(address, false) == nil; got != want.everywhere {
			t.Errorf("%s may be fetched from: %v", address, got)
		}
		if got := oidc.CheckURL(address, true) == nil; got != want.development {
			t.Errorf("%s may be fetched from for development: %v", address, got)
		}
	}
}

func TestC1_AddressesThatNoProviderHas(t *testing.T) {
	for address, want := range map[string]struct{ everywhere, onThisMachine bool }{
		"192.0.2.7:443": {true, true}, "10.0.0.7:443": {true, true}, "192.168.1.1:8443": {true, true}, "[2001:db8::7]:443": {true, true}, "[fd12::7]:443": {true, true},
		"127.0.0.1:443": {false, true}, "127.8.8.8:443": {false, true}, "[::1]:443": {false, true}, "[::ffff:127.0.0.1]:443": {false, true}, "[::127.0.0.1]:443": {false, true},
		"[64:ff9b::7f00:1]:443": {false, true}, "[2002:7f00:1::]:443": {false, true}, "[64:ff9b::c000:207]:443": {true, true},
		"0.0.0.0:443": {}, "0.1.2.3:443": {}, "[::]:443": {}, "[::ffff:0.0.0.0]:443": {}, "169.254.169.254:80": {}, "[::ffff:169.254.169.254]:80": {}, "[::169.254.169.254]:80": {},
		"[64:ff9b::a9fe:a9fe]:80": {}, "[2002:a9fe:a9fe::1]:80": {}, "[fe80::1]:443": {}, "[fe80::1%lo]:443": {}, "[fec0::1]:443": {}, "[fd00:ec2::254]:80": {}, "[fd20:ce::254]:80": {},
		"100.100.100.200:80": {}, "168.63.129.16:80": {}, "224.0.0.1:443": {}, "239.1.2.3:443": {}, "[ff02::1]:443": {}, "255.255.255.255:443": {}, "240.0.0.1:443": {}, "": {}, "login.example:443": {},
	} {
		if got := oidc.Guard(address, false) == nil; got != want.everywhere {
			t.Errorf("%s may be dialled: %v", address, got)
		}
		if got := oidc.Guard(address, true) == nil; got != want.onThisMachine {
			t.Errorf("%s may be dialled for development: %v", address, got)
		}
	}
}
