package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// StreamConfig bounds answers that are sent bit by bit; the zero value is good for production.
type StreamConfig struct {
	Most    int // streams of the log that may be open at once; 100 if 0
	Each    int // of those, in one actor's name; 10 if 0
	Exports int // exports that may be under way at once; 4 if 0

	Poll      time.Duration // how often an idle stream looks for new entries, also such as other replicas wrote; 500 ms if 0
	Recheck   time.Duration // how often an idle stream asks whether its reader still may read; 5 s if 0
	Heartbeat time.Duration // how often an idle stream says that it is there; 15 s if 0
	Age       time.Duration // how long a stream lasts before the reader is asked to come again; 30 min if 0
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
	count(&c.Each, 10)
	count(&c.Exports, 4)
	span(&c.Poll, 500*time.Millisecond)
	span(&c.Recheck, 5*time.Second)
	span(&c.Heartbeat, 15*time.Second)
	span(&c.Age, 30*time.Minute)
	span(&c.Patience, 30*time.Second)
	return c
}

// The paths of what is sent bit by bit, which the limit of a request's time does not end.
const (
	exportPath = "/v1/journal/export"
	streamPath = "/v1/journal/stream"
)

var lasting = []string{exportPath, streamPath}

// slots bounds how many of something there are at once: in all, and in one actor's name.
type slots struct {
	most, each int
	mu         sync.Mutex
	taken      int
	by         map[string]int
}

func newSlots(most, each int) *slots {
	return &slots{most: most, each: each, by: map[string]int{}}
}

// take takes a slot, which release gives back; an Unavailable fault (too_many_streams) if there is none.
func (s *slots) take(actor account.Actor) (release func(), err error) {
	who := string(actor.Environment) + "/" + actor.Name()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.taken >= s.most:
		return nil, fault.New(fault.Unavailable, "too_many_streams", "this server sends the log to as many readers as it can; try again later")
	case s.by[who] >= s.each:
		return nil, fault.New(fault.Unavailable, "too_many_streams", "%s reads %d streams of the log at once, which is the most", actor.Name(), s.each)
	}
	s.taken++
	s.by[who]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[who]--; s.by[who] == 0 {
			delete(s.by, who)
		}
	}), nil
}

// patient writes an answer that is sent bit by bit: the reader has a time for each
// bit, rather than for all. What the server allows for whole requests is lifted.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
}

func (s *server) patient(w http.ResponseWriter) *patient {
	return &patient{w: w, control: http.NewResponseController(w), wait: s.cfg.Streams.Patience}
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

// logPage reads a page for an answer that is under way: who reads is asked for anew,
// so that a client that was revoked, or a user who was blocked, reads no more.
func (s *server) logPage(r *http.Request, reader account.Actor, f directory.LogFilter) (directory.LogPage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Timeout)
	defer cancel()
	actor, err := s.auth.Authenticate(ctx, r.Header.Get("Authorization"), r.Header.Get("Act-For-User"))
	if err != nil {
		return directory.LogPage{}, err
	}
	if actor != reader {
		return directory.LogPage{}, fault.New(fault.Unauthenticated, "unauthenticated", "the credential is another's now")
	}
	return s.directory.Log(ctx, actor, f)
}
