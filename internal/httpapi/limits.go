package httpapi

import (
	"maps"
	"math"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"github.com/go-chi/httprate"
)

// Limits bounds what one caller can take of the server. With the zero value there is no limit to the rate of requests.
type Limits struct {
	Credential int           // requests a second with one credential; no limit if 0
	Address    int           // requests a second from one address, a /64 of IPv6; no limit if 0
	Failures   int           // failed authentications a minute from one address; no limit if 0
	Pause      time.Duration // for how long a refusal for one of these is held back; 250 ms if 0, not at all if negative

	AtWork int           // questions that are worked on at once; 8 a processor, and 16 at least, if 0
	Wait   time.Duration // how long a request may wait to be worked on; 5 s if 0
	Most   int           // requests that may be under way at once; 2048 if 0
	Each   int           // of those, with one credential; 256 if 0
}

func (l Limits) withDefaults() Limits {
	count := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	span := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	count(&l.AtWork, whileWaiting())
	count(&l.Most, 2048)
	count(&l.Each, 256)
	span(&l.Pause, 250*time.Millisecond)
	span(&l.Wait, 5*time.Second)
	return l
}

// whileWaiting is how much may be worked on at once where work is mostly waiting for others.
func whileWaiting() int {
	const perProcessor, least = 8, 16
	return max(least, perProcessor*runtime.GOMAXPROCS(0))
}

// rate is a limit to how often something may happen under each of many keys,
// over a window that slides. A nil rate has no limit.
type rate struct {
	limit   int
	window  time.Duration
	counter *counter
	tells   map[string][]string // the headers that are the same in every answer, which share the values
}

// maxKeys is the most keys that a rate counts each by itself; see counter.
const maxKeys = 1 << 16

func newRate(limit int, window time.Duration) *rate {
	if limit <= 0 {
		return nil
	}
	return &rate{limit: limit, window: window, counter: newCounter(maxKeys, window), tells: map[string][]string{
		headerLimit: {strconv.Itoa(limit)}, headerReset: {strconv.Itoa(seconds(window))},
	}}
}

// The headers that tell of limits, as http.Header spells them.
var (
	headerLimit     = http.CanonicalHeaderKey("RateLimit-Limit")
	headerRemaining = http.CanonicalHeaderKey("RateLimit-Remaining")
	headerReset     = http.CanonicalHeaderKey("RateLimit-Reset")
)

// allow reports whether the request is within the limit, counts it if so, and tells of the limit in the answer's headers.
func (r *rate) allow(w http.ResponseWriter, key string) bool {
	if r == nil {
		return true
	}
	before, allowed := r.counter.take(key, time.Now().UTC(), r.limit)
	left := r.limit - before
	if allowed {
		left--
	} else {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(r.window)))
	}
	maps.Copy(w.Header(), r.tells)
	w.Header()[headerRemaining] = []string{strconv.Itoa(left)}
	return allowed
}

// note counts something that has happened.
func (r *rate) note(key string) {
	if r != nil {
		r.counter.add(key, time.Now().UTC(), 1)
	}
}

// reached reports whether as much has happened as may.
func (r *rate) reached(key string) bool {
	return r != nil && r.counter.happened(key, time.Now().UTC()) >= r.limit
}

// seconds is a span in whole seconds, for headers.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// addressKey is what an address is counted under. Who has an address of IPv6 has the /64 around it.
func addressKey(a netip.Addr) string {
	if !a.IsValid() {
		return "address unknown"
	}
	if a.Is4() {
		return "address " + a.String()
	}
	return "address " + httprate.CanonicalizeIP(a.String())
}
