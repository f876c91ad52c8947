package transport_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/transport"
)

// only is a server with room for one connection.
type only struct {
	t        *testing.T
	url      string
	protocol string
	registry *prometheus.Registry
	begun    chan struct{} // one for each request but those for /
	release  chan struct{}
}

// serveOne serves, over TLS, /body, which reads the body; /answer, which is large; /held, which waits on purpose; and
// /work, which reads the body and then works. The last two end when release is closed.
func serveOne(t *testing.T, protocol string) *only {
	t.Helper()
	s := &only{t: t, protocol: protocol, registry: prometheus.NewRegistry(), begun: make(chan struct{}, 10), release: make(chan struct{})}
	server := httptest.NewUnstartedServer(transport.Handler(http.HandlerFunc(s.answer)))
	server.Listener = transport.Bound(server.Listener, transport.Bounds{Most: 1, Each: 10}, s.registry)
	server.Config.ConnContext = transport.ConnContext
	server.EnableHTTP2 = protocol == "HTTP/2.0"
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(s.release) })
	s.url = server.URL
	return s
}

func (s *only) answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/body":
		s.begun <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
	case "/answer":
		s.begun <- struct{}{}
		part := make([]byte, 1<<20)
		for range 64 { // much more than what is on the way
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	case "/held":
		defer transport.Rest(r.Context())()
		s.begun <- struct{}{}
		<-s.release
	case "/work":
		_, _ = io.Copy(io.Discard, r.Body)
		s.begun <- struct{}{}
		<-s.release
	}
}

// client has connections of its own.
func (s *only) client() *http.Client {
	to := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: s.protocol == "HTTP/2.0"}
	s.t.Cleanup(to.CloseIdleConnections)
	return &http.Client{Transport: to}
}

// send begins a request, of which nothing more is done: its answer is not read.
func (s *only) send(path string, body io.Reader) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	by := s.client()
	go func() {
		if resp, err := by.Do(r); err == nil {
			s.t.Cleanup(func() { _ = resp.Body.Close() })
		}
	}()
	select {
	case <-s.begun:
	case <-time.After(10 * time.Second):
		s.t.Fatal("the request does not come")
	}
}

// get asks for / on a connection of its own, and returns the protocol of the answer.
func (s *only) get() (protocol string, err error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.client().Do(r)
	if err != nil {
		return "", err
	}
	return resp.Proto, resp.Body.Close()
}

// TestWhatWaitsForItsSenderGivesWay: a body that does not come, an answer that nobody reads and a refusal that is held back keep no
// connection from others, on HTTP/2 neither, where they hold up one stream.
func TestWhatWaitsForItsSenderGivesWay(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for _, path := range []string{"/body", "/answer", "/held"} {
			t.Run(strings.TrimPrefix(path, "/")+" "+protocol, func(t *testing.T) {
				s := serveOne(t, protocol)
				var body io.Reader
				if path == "/body" {
					stalled, end := io.Pipe()
					t.Cleanup(func() { _ = end.Close() })
					body = stalled
				}
				s.send(path, body)
				deadline := time.After(20 * time.Second)
				got, err := s.get()
				for err != nil { // an answer is waited for a while
					select {
					case <-deadline:
						t.Fatalf("others have no room: %v", err)
					case <-time.After(10 * time.Millisecond):
					}
					got, err = s.get()
				}
				if got != protocol {
					t.Errorf("answered over %s", got)
				}
			})
		}
	}
}

// TestWhatIsWorkedOnStays: once the body is there the connection is not taken for another.
func TestWhatIsWorkedOnStays(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			s := serveOne(t, protocol)
			s.send("/work", strings.NewReader("all of it"))
			if _, err := s.get(); err == nil {
				t.Error("a connection with work gave way")
			}
		})
	}
}

// TestIdleConnectionsGiveWayBeforeSlowBodies: who sends a body slowly is not cut off while there are others with nothing to do.
func TestIdleConnectionsGiveWayBeforeSlowBodies(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 2, Each: 2})
	slow := s.dial("127.0.0.2")
	if got := slow.get("/"); got != "200 OK" {
		t.Fatalf("got %q", got)
	}
	slow.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n1")
	<-s.working
	idle := s.dial("127.0.0.3")
	if got := idle.get("/"); got != "200 OK" {
		t.Fatalf("got %q", got)
	}
	if got := s.dial("127.0.0.4").get("/"); got != "200 OK" {
		t.Errorf("the third connection: %q", got)
	}
	if !idle.closed() {
		t.Error("the idle connection is open")
	}
	if got := slow.send("23").status(); got != "200 OK" {
		t.Errorf("the slow body: %q", got)
	}
}
