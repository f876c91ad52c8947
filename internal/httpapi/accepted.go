package httpapi

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/identity"
)

// credentialKey is what a credential is remembered under: a hash of it, however it was written.
type credentialKey [sha256.Size]byte

// bearerKey is that of a bearer token.
func bearerKey(token string) credentialKey { return sha256.Sum256([]byte("bearer " + token)) }

// clientKey is that of a secret that a client shows to get a token, in the header or in the form.
func clientKey(id, secret string) credentialKey {
	return sha256.Sum256([]byte("client " + id + " " + secret))
}

// headerKey is that of the credential in the header; false if there is none, or it is none that anybody has.
func headerKey(r *http.Request) (credentialKey, bool) {
	header := r.Header.Get("Authorization")
	if token, err := identity.Bearer(header); err == nil {
		return bearerKey(token), true
	}
	if id, secret, ok := basic(header); ok {
		return clientKey(id, secret), true
	}
	return credentialKey{}, false
}

// accepted remembers which credentials were good a short while ago. Each is remembered by itself or not at
// all: when there are too many, those that were good longest ago are forgotten. It is safe for concurrent use.
type accepted struct {
	most  int           // in each of the two maps
	lasts time.Duration // in each of the two maps

	mu          sync.Mutex
	since       time.Time // when now was begun
	now, before map[credentialKey]struct{}
}

func newAccepted(most int, lasts time.Duration) *accepted {
	return &accepted{most: most, lasts: lasts, now: map[credentialKey]struct{}{}}
}

func (a *accepted) add(key credentialKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.age()
	if _, known := a.now[key]; !known && len(a.now) >= a.most {
		a.turn(time.Now())
	}
	a.now[key] = struct{}{}
}

func (a *accepted) has(key credentialKey) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.age()
	_, now := a.now[key]
	_, before := a.before[key]
	return now || before
}

// age forgets what was good too long ago.
func (a *accepted) age() {
	at := time.Now()
	switch since := at.Sub(a.since); {
	case since >= 2*a.lasts:
		a.turn(at)
		a.before = nil
	case since >= a.lasts:
		a.turn(at)
	}
}

// turn begins a new map, and forgets the one before the last.
func (a *accepted) turn(at time.Time) {
	a.since, a.before, a.now = at, a.now, map[credentialKey]struct{}{}
}

// acceptedLately reports whether the credential in a request's header was good a short while ago.
func (s *server) acceptedLately(r *http.Request) bool {
	key, ok := headerKey(r)
	return ok && s.guards.accepted.has(key)
}

// noteAccepted remembers that the credential in a request's header was good.
func (s *server) noteAccepted(r *http.Request) {
	if key, ok := headerKey(r); ok {
		s.remember(key)
	}
}

// noteIssued remembers a token that was just issued, so that who got it is not
// taken for one of those who guess at the same address.
func (s *server) noteIssued(token string) { s.remember(bearerKey(token)) }

func (s *server) remember(key credentialKey) {
	if s.guards.failures != nil {
		s.guards.accepted.add(key)
	}
}

// noteClient remembers that the secret was good with which a token was asked for.
func (s *server) noteClient(r *http.Request, form url.Values) {
	if id, secret, err := clientSecret(r.Header.Values("Authorization"), form); err == nil {
		s.remember(clientKey(id, secret))
	}
}

// showsItsSecretLater reports whether it is in the form who asks for a token, which has not been read.
func showsItsSecretLater(r *http.Request) bool {
	return r.URL.Path == tokenPath && r.Method == http.MethodPost && r.Header.Get("Authorization") == ""
}

// heard reports whether the client that shows its secret in the form is listened to: many of those at
// its address guess, and its secret was not good lately, then it is not, and the request is answered.
func (s *server) heard(w http.ResponseWriter, r *http.Request, form url.Values) bool {
	if !form.Has("client_secret") {
		return true
	}
	infoFrom(r.Context()).inForm = true
	id, secret, err := clientSecret(r.Header.Values("Authorization"), form)
	if err != nil || !s.guards.failures.reached(addressKey(clientAddr(r.Context()))) || s.guards.accepted.has(clientKey(id, secret)) {
		return true
	}
	s.refuseGuess(w, r)
	return false
}
