package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// StreamConfig bounds answers that are sent bit by bit; the zero value is good for production.
type StreamConfig struct {
	Most    int // streams of the log that may be open at once; 100 if 0
	Lists   int // streams of lists of accounts that may be: one for each open page; 1000 if 0, as they hold places for requests
	Each    int // of either, in one actor's name; 10 if 0
	Exports int // exports that may be under way at once, two of them in one actor's name; 8 if 0

	Poll      time.Duration // how often an idle stream looks for what is new, also such as other replicas wrote; 500 ms if 0
	Recheck   time.Duration // how often an idle stream asks whether its reader still may read; 5 s if 0
	Heartbeat time.Duration // how often an idle stream says that it is there; 15 s if 0
	Age       time.Duration // how long a stream lasts before the reader is asked to come again, and an export at most; 30 min if 0
	Patience  time.Duration // how long a reader may take to take what is sent; 30 s if 0
}

func (c StreamConfig) withDefaults() StreamConfig {
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
	count(&c.Most, 100)
	count(&c.Lists, 1000)
	count(&c.Each, 10)
	count(&c.Exports, 8)
	span(&c.Poll, 500*time.Millisecond)
	span(&c.Recheck, 5*time.Second)
	span(&c.Heartbeat, 15*time.Second)
	span(&c.Age, 30*time.Minute)
	span(&c.Patience, 30*time.Second)
	return c
}

// The paths of what is sent bit by bit.
const (
	exportPath         = "/v1/journal/export"
	streamPath         = "/v1/journal/stream"
	accountsStreamPath = "/v1/me/accounts/stream"
)

// slots bounds how many of something there are at once: in all, of one environment, which
// has half of them, and in one actor's name. Users and API tokens together have half of them, those of one environment a
// quarter, and one of these, or all API tokens of one account, half of that, so that they leave room for others.
type slots struct {
	most, each int
	taken      tally
}

func newSlots(most, each int) *slots {
	return &slots{most: most, each: each, taken: newTally()}
}

// exportsEach is how many exports there may be at once in one actor's name.
const exportsEach = 2

// take takes a slot, which release gives back; an Unavailable fault (too_many_streams) if there
// is none. share is whose share it is reckoned to besides the actor's own; "" for nobody's.
func (s *slots) take(actor account.Actor, share string) (release func(), err error) {
	env, each := string(actor.Environment), s.each
	bounds := []bound{{forAll, s.most}, {"in " + env, part(s.most, 2)}}
	if actor.IsMember() {
		ofEnvironment := part(s.most, 4)
		bounds = append(bounds, bound{"members", part(s.most, 2)}, bound{"members of " + env, ofEnvironment})
		each = min(each, part(ofEnvironment, 2))
	}
	bounds = append(bounds, bound{"by " + env + "/" + actor.Name(), each})
	if share != "" {
		bounds = append(bounds, bound{"for " + share, each})
	}
	release, ok := s.taken.take(bounds...)
	if !ok {
		return nil, fault.New(fault.Unavailable, "too_many_streams", "as many readers are sent to at once as can be, or %s reads as many streams as one may; try again later", actor.Name())
	}
	return release, nil
}

// patient writes an answer that is sent bit by bit: the reader has a time for each
// bit, rather than for all. What the server allows for whole requests is lifted.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
	until   time.Time // when the answer has lasted as long as one may
}

func (s *server) patient(w http.ResponseWriter) *patient {
	return &patient{w: w, control: http.NewResponseController(w), wait: s.cfg.Streams.Patience, until: time.Now().Add(s.cfg.Streams.Age)}
}

// Write writes within the reader's time.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(p.wait)) // a recorder in a test has none
	return p.w.Write(b)
}

// flush sends what was written.
func (p *patient) flush() error {
	_ = p.control.SetWriteDeadline(time.Now().Add(p.wait))
	return p.control.Flush()
}

// firstPage takes a place for an answer that is sent bit by bit, and reads its first
// page: what is refused is refused before anything is sent. Without an error release gives the place back.
func (s *server) firstPage(ctx context.Context, places *slots, reader account.Actor, f directory.LogFilter) (first directory.LogPage, release func(), err error) {
	leave, err := places.take(reader, infoFrom(ctx).share)
	if err != nil {
		return directory.LogPage{}, nil, err
	}
	defer func() {
		if release == nil { // refused, or a panic
			leave()
		}
	}()
	if first, err = s.directory.Log(ctx, reader, f); err != nil {
		return directory.LogPage{}, nil, err
	}
	return first, leave, nil
}

// still asks anew who reads an answer that is under way, so that a client that was revoked, a user who was
// blocked, or who may not come from this address any more, reads no more.
func (s *server) still(ctx context.Context, r *http.Request, reader account.Actor, scope account.TokenScope) error {
	caller, err := s.caller(ctx, presented(r))
	if err != nil {
		return err
	}
	if caller.Actor != reader {
		return fault.New(fault.Unauthenticated, "unauthenticated", "the credential is another's now")
	}
	return checkScope(caller.Scopes, scope)
}

// logPage reads a page for an answer that is under way.
func (s *server) logPage(r *http.Request, reader account.Actor, f directory.LogFilter) (directory.LogPage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Timeout)
	defer cancel()
	if err := s.still(ctx, r, reader, account.ScopeAdmin); err != nil {
		return directory.LogPage{}, err
	}
	return s.directory.Log(ctx, reader, f)
}
