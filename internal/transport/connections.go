// Package transport stands between the network and the HTTP API: it bounds connections, and serves TLS certificates that are exchanged while it runs.
package transport

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds says how many connections there may be at once.
type Bounds struct {
	Most   int            // in all; 4096 if 0
	Each   int            // from one address, a /64 of IPv6; a quarter of Most if 0
	Exempt []netip.Prefix // networks whose addresses are not bounded each: proxies, which bring the connections of many
}

func (b Bounds) withDefaults() Bounds {
	if b.Most <= 0 {
		b.Most = 4096
	}
	if b.Each <= 0 {
		b.Each = max(1, b.Most/4)
	}
	return b
}

// Listener accepts connections within bounds. A connection too many from one address is closed at once. When
// there are as many as there may be in all, a new one takes the place of one on which we have
// nothing at work: of the one that has waited longest without a whole request yet, as slow
// clients have, or else of the one that has been idle longest, or else of one that waits for its
// other end: see work. If all are at work the new one is closed.
type Listener struct {
	net.Listener
	bounds  Bounds
	refused *prometheus.CounterVec

	mu    sync.Mutex
	conns map[*conn]bool
	by    map[netip.Prefix]int
	clock uint64     // counts what happens to connections
	fresh *list.List // connections without a whole request yet, the oldest first
	idle  *list.List // others without a request under way, the one that is idle longest first
}

// conn is a connection that is counted. Its fields belong to its Listener's lock.
type conn struct {
	net.Conn
	of     *Listener
	source netip.Prefix   // what it is counted under; not valid if it is exempt
	under  map[*work]bool // requests under way
	served bool           // whether there was a whole one ever
	since  uint64         // when it was accepted, or had its last request answered
	in     *list.List     // fresh or idle, and where in it; nil for neither
	place  *list.Element
}

// The reasons for which a connection is closed, as the metric has them.
const (
	refusedAddress = "address"   // too many from one address
	refusedAll     = "all"       // too many, and all at work
	gaveWay        = "made_room" // too many, and on this one we had nothing at work
)

// Bound returns a Listener on an inner one, and counts connections in the registry's metrics, if there is one.
func Bound(inner net.Listener, b Bounds, registry prometheus.Registerer) *Listener {
	l := &Listener{
		Listener: inner, bounds: b.withDefaults(), conns: map[*conn]bool{}, by: map[netip.Prefix]int{}, fresh: list.New(), idle: list.New(),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_connections_closed_total", Help: "Connections closed because there were too many, by reason.",
		}, []string{"reason"}),
	}
	for _, reason := range []string{refusedAddress, refusedAll, gaveWay} {
		l.refused.WithLabelValues(reason) // so that they are there, at 0
	}
	if registry != nil {
		registry.MustRegister(l.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tenantry_connections", Help: "Connections that are open.",
		}, func() float64 { return float64(l.open()) }))
	}
	return l
}

// Accept waits for a connection that is within the bounds.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, reason, victim := l.admit(accepted)
		if victim != nil {
			_ = victim.Close() // what is under way on it ends with it
		}
		if c != nil {
			return c, nil
		}
		l.refused.WithLabelValues(reason).Inc()
		_ = accepted.Close()
	}
}

// admit counts a connection, or says why it may not be; victim is the one whose place it takes.
func (l *Listener) admit(accepted net.Conn) (c *conn, reason string, victim *conn) {
	source := l.source(accepted.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if source.IsValid() && l.by[source] >= l.bounds.Each {
		return nil, refusedAddress, nil
	}
	if len(l.conns) >= l.bounds.Most {
		if victim = l.idlest(); victim == nil {
			return nil, refusedAll, nil
		}
		l.refused.WithLabelValues(gaveWay).Inc()
		l.forget(victim)
	}
	l.clock++
	c = &conn{Conn: accepted, of: l, source: source, under: map[*work]bool{}, since: l.clock}
	l.conns[c] = true
	c.wait(l.fresh)
	if source.IsValid() {
		l.by[source]++
	}
	return c, "", victim
}

// source is what an address is counted under; not valid if it is exempt, or none.
func (l *Listener) source(remote net.Addr) netip.Prefix {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	if slices.ContainsFunc(l.bounds.Exempt, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return netip.Prefix{}
	}
	const network = 64 // of IPv6: who has one address of it has all
	source, err := a.Prefix(min(network, a.BitLen()))
	if err != nil {
		return netip.Prefix{}
	}
	return source
}

// idlest is the connection that gives way; nil if all are at work.
func (l *Listener) idlest() *conn {
	for _, waiting := range []*list.List{l.fresh, l.idle} {
		if first := waiting.Front(); first != nil {
			c, _ := first.Value.(*conn)
			return c
		}
	}
	return l.stalled()
}

// sample is among how many connections whose requests wait for their sender the oldest is looked for. It is
// bounded since it is looked for at every connection that is one too many.
const sample = 64

// stalled is a connection whose requests wait for their sender; nil if there is none.
func (l *Listener) stalled() *conn {
	now, found := time.Now(), 0
	var oldest *conn
	for c := range l.conns { // in no order
		if c.isAtWork(now) {
			continue
		}
		if oldest == nil || c.since < oldest.since {
			oldest = c
		}
		if found++; found == sample {
			break
		}
	}
	return oldest
}

func (c *conn) isAtWork(now time.Time) bool {
	for w := range c.under {
		if w.isOurs(now) {
			return true
		}
	}
	return false
}

// wait puts a connection at the end of a list of those that give way first; of none if the list is nil.
func (c *conn) wait(in *list.List) {
	if c.in != nil {
		c.in.Remove(c.place)
	}
	if c.in = in; in != nil {
		c.place = in.PushBack(c)
	}
}

// forget counts a connection no more. It may be called again.
func (l *Listener) forget(c *conn) {
	if !l.conns[c] {
		return
	}
	delete(l.conns, c)
	c.wait(nil)
	if c.source.IsValid() {
		if l.by[c.source]--; l.by[c.source] == 0 {
			delete(l.by, c.source)
		}
	}
}

func (l *Listener) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// Close closes the connection.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.forget(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite ends what is sent; net/http does so to have a last answer read.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type connKey struct{}

// ConnContext is for http.Server: it lets Handler know a request's connection.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if counted, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, counted)
	}
	return ctx
}

// begin counts a request whose headers are there.
func (c *conn) begin() *work {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	w := &work{}
	c.under[w] = true
	if c.served {
		c.wait(nil)
	}
	return w
}

// arrived notes that a request is there to the end of its body.
func (c *conn) arrived(w *work) {
	w.mu.Lock()
	w.whole = true
	w.mu.Unlock()
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.served {
		c.served = true
		c.wait(nil)
	}
}

func (c *conn) end(w *work) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.under, w)
	c.of.clock++
	c.since = c.of.clock
	if c.served && len(c.under) == 0 && c.of.conns[c] {
		c.wait(c.of.idle)
	}
}
