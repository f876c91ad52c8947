package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/transport"
)

// guards is what keeps one caller from taking all of the server.
type guards struct {
	addresses   *rate // of requests, by address
	credentials *rate // of requests, by credential
	failures    *rate // of failed authentications, by address
	over        *rate // of requests with issued tokens that open nothing any more, by token
	accepted    *accepted
	places      *places
	questions   *turns // what only reads
	changes     *turns // what waits for others, and so is not in the way of what does not
	held        chan struct{}
}

// acceptedFor is how long it is remembered, once or twice over, that a credential was accepted; less if there are more than maxKeys.
const acceptedFor = 10 * time.Minute

// maxHeld is how many refusals may be held back at once; more are told without delay.
const maxHeld = 4096

func newGuards(l Limits) guards {
	return guards{
		addresses: newRate(l.Address, time.Second), credentials: newRate(l.Credential, time.Second), failures: newRate(l.Failures, time.Minute),
		over:     newRate(l.Failures, time.Minute),
		accepted: newAccepted(maxKeys, acceptedFor),
		places:   newPlaces(l.Most, l.Each), questions: newTurns(l.AtWork, l.Wait), changes: newTurns(whileWaiting(), l.Wait),
		held: make(chan struct{}, maxHeld),
	}
}

// probes are for whoever watches the server: they are never refused for the rate of requests.
var probes = []string{"/healthz", "/readyz"}

// guard refuses what comes too fast from an address, and secrets that pages of other origins send,
// before anything is asked about it, and counts the authentications that fail. An address
// from which too many failed is heard no more for a while, except with credentials that were
// accepted a short while ago: one bad credential behind an address does not shut out the good ones.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(probes, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if err := infoFrom(r.Context()).unclear; err != nil {
			s.fail(w, r, err)
			return
		}
		key := addressKey(clientAddr(r.Context()))
		if !s.guards.addresses.allow(w, key) {
			s.refuse(w, r, refusedAddress, fault.New(fault.Limited, "rate_limited", "too many requests come from this address"))
			return
		}
		if s.isForeignForm(r) {
			s.fail(w, r, foreignOrigin())
			return
		}
		if s.guards.failures.reached(key) && !s.acceptedLately(r) && !showsItsSecretLater(r) {
			s.refuseGuess(w, r)
			return
		}
		wrapped := watched(w, r)
		next.ServeHTTP(wrapped, r)
		if wrapped.Status() == http.StatusUnauthorized && couldBeGuess(r) {
			s.guards.failures.note(key)
		}
	})
}

// couldBeGuess reports whether a request that was not authenticated has shown something
// that could have been a secret: who shows nothing, or what we signed ourselves, finds nothing out.
func couldBeGuess(r *http.Request) bool {
	i := infoFrom(r.Context())
	return (len(r.Header.Values("Authorization")) > 0 || i.inForm) && !i.genuine
}

// codeGuesses is the code of what is refused because too much has failed.
const codeGuesses = "too_many_failures"

// refuseGuess answers who is not heard because too much has failed.
func (s *server) refuseGuess(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds(s.guards.failures.window)))
	s.refuse(w, r, refusedFailures, tooManyFailures())
}

func tooManyFailures() *fault.Error {
	return fault.New(fault.Limited, codeGuesses, "too many requests from this address, or with this token, had no valid credential")
}

// refuse tells a refusal for the rate of requests, but not at once: who asks again as
// soon as it is answered is slowed down so, and costs little.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, why string, f *fault.Error) {
	s.metrics.refused.WithLabelValues(why).Inc()
	s.holdBack(r.Context())
	s.fail(w, r, f)
}

func (s *server) holdBack(ctx context.Context) {
	if s.cfg.Limits.Pause < 0 {
		return
	}
	select {
	case s.guards.held <- struct{}{}:
		defer func() { <-s.guards.held }()
	default:
		return
	}
	defer transport.Rest(ctx)()
	timer := time.NewTimer(s.cfg.Limits.Pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.stopping:
	}
}

// mayPass refuses what comes too fast with one credential, and takes a place for what does not. With
// false the request is answered; otherwise release is to be called when it is.
func (s *server) mayPass(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	i := infoFrom(r.Context())
	allowed := i.credential == "" || s.guards.credentials.allow(w, i.caller())
	if !allowed || i.over {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(s.guards.credentials.window)))
		s.refuse(w, r, refusedCaller, tooManyRequests())
		return nil, false
	}
	release, err := s.guards.places.take(i.party())
	if err != nil {
		s.metrics.refused.WithLabelValues(refusedBusy).Inc()
		s.fail(w, r, err)
		return nil, false
	}
	return release, true
}

func tooManyRequests() *fault.Error {
	return fault.New(fault.Limited, "rate_limited", "too many requests are sent with this credential")
}

// mayBeAsked refuses a request whose credential's secret or signature is good before questions are asked about it, if
// mayPass would refuse it afterwards. A token that has failed too often is refused as well: its
// failures count for itself, as they are neither guesses nor the doing of who else has the credential.
func (s *server) mayBeAsked(i *info) func(credential, token string) error {
	return func(credential, token string) error {
		if i.issued = token; token != "" && s.guards.over.reached(token) {
			return tooManyFailures()
		}
		if s.guards.credentials.reached(credential) {
			i.over = true
			return tooManyRequests()
		}
		return nil
	}
}

// noteGenuine notes a request whose token was issued here, and opens nothing any more.
func (s *server) noteGenuine(i *info) {
	i.genuine = true
	if i.issued != "" {
		s.guards.over.note(i.issued)
	}
}

// caller is whom a request's share is reckoned to: its credential, for API tokens their account, or else the address that it comes from.
func (i *info) caller() string {
	if i.credential != "" {
		return cmp.Or(i.share, i.credential)
	}
	return addressKey(i.addr)
}

// turn waits for a request's turn to be worked on. Questions and changes do not wait for each other.
func (s *server) turn(ctx context.Context, line *turns) (release func(), err error) {
	release, err = line.take(ctx, infoFrom(ctx).party())
	if err != nil {
		if ctx.Err() != nil {
			return nil, interrupted(ctx.Err())
		}
		s.metrics.refused.WithLabelValues(refusedBusy).Inc()
		return nil, err
	}
	return release, nil
}

// lineOf is where an operation waits for its turn.
func (s *server) lineOf(op huma.Operation) *turns {
	if op.Method == http.MethodGet || slices.Contains(op.Tags, tagAccess) {
		return s.guards.questions
	}
	return s.guards.changes
}
