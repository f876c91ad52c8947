package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/transport"
)

// guards is what keeps one caller from taking all of the server.
type guards struct {
	addresses   *rate // of requests, by address
	credentials *rate // of requests, by credential
	failures    *rate // of failed authentications, by address
	accepted    *counter
	places      *places
	questions   *turns // what only reads
	changes     *turns // what waits for others, and so is not in the way of what does not
	held        chan struct{}
}

// acceptedFor is how long it is remembered, once or twice over, that a credential was accepted.
const acceptedFor = 10 * time.Minute

// maxHeld is how many refusals may be held back at once; more are told without delay.
const maxHeld = 4096

func newGuards(l Limits) guards {
	return guards{
		addresses: newRate(l.Address, time.Second), credentials: newRate(l.Credential, time.Second), failures: newRate(l.Failures, time.Minute),
		accepted: newCounter(maxKeys, acceptedFor),
		places:   newPlaces(l.Most, l.Each), questions: newTurns(l.AtWork, l.Wait), changes: newTurns(whileWaiting(), l.Wait),
		held: make(chan struct{}, maxHeld),
	}
}

// probes are for whoever watches the server: they are never refused for the rate of requests.
var probes = []string{"/healthz", "/readyz"}

// guard refuses what comes too fast from an address, before anything is asked about
// it, and counts the authentications that fail. An address from which too many
// failed is heard no more for a while, except with credentials that were accepted a short
// while ago: one bad credential behind an address does not shut out the good ones.
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
		if !s.guards.addresses.allow(w, r, key) {
			s.refuse(w, r, refusedAddress, fault.New(fault.Limited, "rate_limited", "too many requests come from this address"))
			return
		}
		if s.guards.failures.reached(key) && !s.acceptedLately(r) {
			w.Header().Set("Retry-After", strconv.Itoa(seconds(s.guards.failures.window)))
			s.refuse(w, r, refusedFailures, fault.New(fault.Limited, "too_many_failures", "too many requests from this address had no valid credential"))
			return
		}
		wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(wrapped, r)
		if wrapped.Status() == http.StatusUnauthorized {
			s.guards.failures.note(key)
		}
	})
}

// presentedKey is what a request's credential is remembered under.
func presentedKey(r *http.Request) string { return credentialKey(r.Header.Get("Authorization")) }

func credentialKey(header string) string { return "presented " + header }

func (s *server) acceptedLately(r *http.Request) bool {
	now := time.Now().UTC().Truncate(acceptedFor)
	current, before, _ := s.guards.accepted.Get(presentedKey(r), now, now.Add(-acceptedFor)) // it never fails
	return current+before > 0
}

// noteAccepted remembers that a request's credential was good.
func (s *server) noteAccepted(r *http.Request) {
	if r.Header.Get("Authorization") != "" { // a client's secret can be in a form
		s.remember(presentedKey(r))
	}
}

// noteIssued remembers a token that was just issued, so that who got it is not
// taken for one of those who guess at the same address.
func (s *server) noteIssued(token string) { s.remember(credentialKey("Bearer " + token)) }

func (s *server) remember(key string) {
	if s.guards.failures != nil {
		s.guards.accepted.add(key, time.Now().UTC().Truncate(acceptedFor), 1)
	}
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
	if i.credential != "" && !s.guards.credentials.allow(w, r, i.caller()) {
		s.refuse(w, r, refusedCaller, fault.New(fault.Limited, "rate_limited", "too many requests are sent with this credential"))
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
