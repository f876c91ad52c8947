package testoidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The documents of a provider.
const (
	Discovery = "/.well-known/openid-configuration"
	KeySet    = "/keys"
)

// Claims are those of a token, or the members of its header.
type Claims map[string]any

// Fake is a provider in the test's process, for what a real one never does. It
// signs whatever it is told to, and answers as it is told to.
type Fake struct {
	Issuer string
	Server *httptest.Server
	Now    func() time.Time // when its tokens are from

	t testing.TB

	mu      sync.Mutex
	private map[string]jose.JSONWebKey // by their names
	public  []jose.JSONWebKey
	asked   map[string]int
	answers map[string]http.HandlerFunc
}

// NewFake runs a fake provider until the test ends. It has a key for RS256, ES256
// and EdDSA each, which are named rs, es and ed.
func NewFake(tb testing.TB) *Fake {
	tb.Helper()
	f := &Fake{t: tb, Now: time.Now, private: map[string]jose.JSONWebKey{}, asked: map[string]int{}, answers: map[string]http.HandlerFunc{}}
	f.Server = httptest.NewServer(f)
	f.Issuer = f.Server.URL
	tb.Cleanup(f.Server.Close)
	f.Add("rs", "RS256")
	f.Add("es", "ES256")
	f.Add("ed", "EdDSA")
	return f
}

// Add makes a key and publishes it.
func (f *Fake) Add(kid, alg string) {
	f.t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	must(f.t, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.private[kid] = jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: alg}
	f.public = append(f.public, jose.JSONWebKey{Key: private.Public(), KeyID: kid, Algorithm: alg, Use: "sig"})
}

// Key returns a key with its private half.
func (f *Fake) Key(kid string) jose.JSONWebKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.private[kid]
}

// Publish replaces the keys that the provider publishes.
func (f *Fake) Publish(keys ...jose.JSONWebKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.public = keys
}

// Answer has a path answered by somebody else; nil is by the provider again.
func (f *Fake) Answer(path string, by http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[path] = by
}

// Asked returns how many requests there were for a path.
func (f *Fake) Asked(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

// ServeHTTP answers as a provider, or as told.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	answer, public := f.answers[r.URL.Path], f.public
	f.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == Discovery:
		_ = json.NewEncoder(w).Encode(Claims{"issuer": f.Issuer, "jwks_uri": f.Issuer + KeySet})
	case r.URL.Path == KeySet:
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: public})
	default:
		http.NotFound(w, r)
	}
}

// Claims returns the claims of a good ID token of ada's, with changes; what is changed to nil is left out.
func (f *Fake) Claims(changes Claims) Claims {
	at := f.Now()
	return Claims{
		"iss": f.Issuer, "aud": Audience, "sub": "ada", "iat": at.Unix(), "exp": at.Add(5 * time.Minute).Unix(),
	}.with(changes)
}

// Token returns a token with these claims, signed with ES256.
func (f *Fake) Token(changes Claims) string {
	return f.Sign("es", nil, f.Claims(changes))
}

// Sign returns a token signed with a key, with changes of its header.
func (f *Fake) Sign(kid string, header, claims Claims) string {
	f.t.Helper()
	key := f.Key(kid)
	header = Claims{"alg": key.Algorithm, "kid": kid, "typ": "JWT"}.with(header)
	text, err := json.Marshal(claims)
	must(f.t, err)
	return SignText(f.t, key, header, text)
}

// SignText returns a JWS of any text and header, signed as the key's algorithm does, whatever the header says.
func SignText(tb testing.TB, key jose.JSONWebKey, header Claims, text []byte) string {
	tb.Helper()
	head, err := json.Marshal(header)
	must(tb, err)
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(text)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(tb, key, []byte(input)))
}

// signature is that of a key for RS256, PS256, ES256 or EdDSA. It is made here, as libraries refuse to sign what a test must.
func signature(tb testing.TB, key jose.JSONWebKey, input []byte) []byte {
	tb.Helper()
	sum := sha256.Sum256(input)
	var out []byte
	var err error
	switch private := key.Key.(type) {
	case *ecdsa.PrivateKey:
		r, s, signErr := ecdsa.Sign(rand.Reader, private, sum[:])
		must(tb, signErr)
		out = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case ed25519.PrivateKey:
		out = ed25519.Sign(private, input)
	case *rsa.PrivateKey:
		if key.Algorithm == "PS256" {
			out, err = rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
			break
		}
		out, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	default:
		tb.Fatalf("testoidc: there is no signing with a %T", private)
	}
	must(tb, err)
	return out
}

// with returns the claims with some replaced, or left out where the value is nil.
func (c Claims) with(changes Claims) Claims {
	out := maps.Clone(c)
	maps.Copy(out, changes)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}
