package transport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/transport"
)

// bounded is a server whose connections are bounded. A request for /wait is at work until release is closed, one for
// /read reads its body.
type bounded struct {
	t        *testing.T
	address  string
	registry *prometheus.Registry
	working  chan struct{} // one for each request that begins to wait, or to read
	release  chan struct{}
}

func serve(t *testing.T, b transport.Bounds) *bounded {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &bounded{t: t, address: inner.Addr().String(), registry: prometheus.NewRegistry(), working: make(chan struct{}, 100), release: make(chan struct{})}
	server := &http.Server{ConnContext: transport.ConnContext, Handler: transport.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			s.working <- struct{}{}
			<-s.release
		}
		if r.URL.Path == "/read" {
			s.working <- struct{}{}
			_, _ = io.Copy(io.Discard, r.Body)
		}
	}))}
	go func() {
		if err := server.Serve(transport.Bound(inner, b, s.registry)); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// peer is a client's end of a connection.
type peer struct {
	net.Conn
	t *testing.T
}

// dial connects from an address of this machine.
func (s *bounded) dial(from string) peer {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(context.Background(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return peer{c, s.t}
}

func (p peer) send(text string) peer {
	p.t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// get sends a request and returns the status line; "" if the connection is closed.
func (p peer) get(path string) string {
	p.t.Helper()
	if _, err := io.WriteString(p, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return ""
	}
	return p.status()
}

// status reads an answer and returns its status line; "" if the connection is closed.
func (p peer) status() string {
	resp, err := http.ReadResponse(bufio.NewReader(p), nil)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	return resp.Status
}

// closed waits until the server has closed the connection.
func (p peer) closed() bool {
	_, err := io.ReadAll(p)
	return err == nil || !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "timeout")
}

// closings is how many connections were closed for a reason.
func (s *bounded) closings(reason string) float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "tenantry_connections_closed_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	s.t.Fatalf("closings for %s are not counted", reason)
	return 0
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 100, Each: 3})
	for range 3 {
		if got := s.dial("127.0.0.1").get("/"); got != "200 OK" {
			t.Fatalf("within the bounds: %q", got)
		}
	}
	if !s.dial("127.0.0.1").closed() {
		t.Error("the fourth connection is open")
	}
	if got := s.dial("127.0.0.2").get("/"); got != "200 OK" {
		t.Errorf("another address: %q", got)
	}
	if a, m := s.closings("address"), s.closings("made_room"); a != 1 || m != 0 || s.closings("all") != 0 {
		t.Errorf("%v connections were closed for their address, %v made room", a, m)
	}
}

func TestProxiesBringTheConnectionsOfMany(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 100, Each: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for range 5 {
		if got := s.dial("127.0.0.2").get("/"); got != "200 OK" {
			t.Errorf("a proxy's: %q", got)
		}
	}
}

func TestClosedConnectionsLeaveRoom(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 2, Each: 1})
	for range 10 {
		c := s.dial("127.0.0.1")
		if got := c.get("/"); got != "200 OK" {
			t.Fatalf("got %q", got)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		deadline := time.After(10 * time.Second)
		for open := 1.0; open > 0; {
			select {
			case <-deadline:
				t.Fatal("the connection is still counted")
			case <-time.After(time.Millisecond):
			}
			open = gauge(t, s.registry)
		}
	}
}

// gauge is how many connections are open.
func gauge(t *testing.T, registry *prometheus.Registry) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tenantry_connections" {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("there is no gauge")
	return 0
}

// TestSlowClientsGiveWay: who holds connections open without a whole request loses them first, then who is idle, and nobody who has something at work.
func TestSlowClientsGiveWay(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 4, Each: 4})
	atWork := s.dial("127.0.0.2")
	done := make(chan string, 1)
	go func() { done <- atWork.get("/wait") }()
	<-s.working
	idle := s.dial("127.0.0.2")
	idle.get("/")
	slow := s.dial("127.0.0.3").send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow:")
	slower := s.dial("127.0.0.3")

	eventuallyOpen(t, s, 4)
	third := s.dial("127.0.0.4")
	if got := third.get("/"); got != "200 OK" {
		t.Errorf("the fifth connection: %q", got)
	}
	if !slow.closed() {
		t.Error("the oldest of those without a request is open")
	}
	fourth := s.dial("127.0.0.5")
	if got := fourth.get("/"); got != "200 OK" {
		t.Errorf("the sixth connection: %q", got)
	}
	if !slower.closed() {
		t.Error("the other one without a request is open")
	}
	if got := s.dial("127.0.0.6").get("/"); got != "200 OK" {
		t.Errorf("the seventh connection: %q", got)
	}
	if !idle.closed() {
		t.Error("the connection that was idle longest is open")
	}
	close(s.release)
	if got := <-done; got != "200 OK" {
		t.Errorf("what was at work: %q", got)
	}
	if a, m := s.closings("address"), s.closings("made_room"); a != 0 || m != 3 || s.closings("all") != 0 {
		t.Errorf("%v connections were closed for their address, %v made room", a, m)
	}
}

func TestAllAtWorkLeavesNoRoom(t *testing.T) {
	s := serve(t, transport.Bounds{Most: 2, Each: 2})
	done := make(chan string, 2)
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		c := s.dial(from)
		go func() { done <- c.get("/wait") }()
		<-s.working
	}
	if !s.dial("127.0.0.3").closed() {
		t.Error("there was room")
	}
	if n := s.closings("all"); n != 1 {
		t.Errorf("%v connections were closed for want of room", n)
	}
	close(s.release)
	for range 2 {
		if got := <-done; got != "200 OK" {
			t.Errorf("what was at work: %q", got)
		}
	}
}

func eventuallyOpen(t *testing.T, s *bounded, want float64) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for gauge(t, s.registry) != want {
		select {
		case <-deadline:
			t.Fatalf("%v connections are open, want %v", gauge(t, s.registry), want)
		case <-time.After(time.Millisecond):
		}
	}
}
