package testmail

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Server is an SMTP server for one test. Its methods may be called from several goroutines.
type Server struct {
	Address string // host:port, on the loopback address
	CAFile  string // PEM file with its certificate

	tb  testing.TB
	cfg config
	tls *tls.Config

	mu       sync.Mutex
	listener net.Listener // nil while it is away
	running  *smtp.Server
	ended    chan struct{} // closed when running serves no more
	conns    map[net.Conn]bool
	refusals map[Stage]Refusal
	held     *Held
	letters  []Letter
	tries    []string // mechanisms of the authentications that were tried
	wire     []byte   // all that clients sent, as it travelled
	changed  chan struct{}
}

type config struct {
	host           string
	implicit       bool
	plain          bool
	user, password string
	mechanisms     []string
}

// Option changes what a server is like.
type Option func(*config)

// Plain is a server without TLS.
func Plain() Option { return func(c *config) { c.plain = true } }

// Implicit is a server that encrypts from the first byte.
func Implicit() Option { return func(c *config) { c.implicit = true } }

// CertificateFor makes the certificate be for another host than the server's.
func CertificateFor(host string) Option { return func(c *config) { c.host = host } }

// User makes the server take letters only from a user, who authenticates by one
// of the mechanisms: PLAIN, LOGIN and CRAM-MD5 if none are named.
func User(name, password string, mechanisms ...string) Option {
	return func(c *config) {
		c.user, c.password, c.mechanisms = name, password, mechanisms
		if len(mechanisms) == 0 {
			c.mechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5"}
		}
	}
}

// Start starts a server with STARTTLS; it ends with tb.
func Start(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	s := &Server{tb: tb, cfg: config{host: "127.0.0.1"}, refusals: map[Stage]Refusal{}, changed: make(chan struct{})}
	for _, o := range options {
		o(&s.cfg)
	}
	certificate, pem, err := certify(s.cfg.host)
	if err != nil {
		tb.Fatalf("testmail: %v", err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.CAFile = filepath.Join(tb.TempDir(), "testmail.pem")
	if err := os.WriteFile(s.CAFile, pem, 0o600); err != nil {
		tb.Fatalf("testmail: %v", err)
	}
	s.Address = "127.0.0.1:0"
	s.Back()
	tb.Cleanup(s.Away)
	return s
}

// Back brings the server back, on the port that it had.
func (s *Server) Back() {
	s.tb.Helper()
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		s.tb.Fatalf("testmail: %v", err)
	}
	s.Address = listener.Addr().String()
	var l net.Listener = &tap{listener, s}
	if s.cfg.implicit {
		l = tls.NewListener(l, s.tls)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	server.Domain = "testmail"
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.AllowInsecureAuth = s.cfg.plain
	if !s.cfg.plain && !s.cfg.implicit {
		server.TLSConfig = s.tls
	}
	ended := make(chan struct{})
	s.mu.Lock()
	s.listener, s.running, s.ended, s.conns = listener, server, ended, map[net.Conn]bool{}
	s.mu.Unlock()
	go func() {
		defer close(ended)
		_ = server.Serve(l) // its end is Away
	}()
}

// Away ends the server: connections are cut, and new ones refused.
func (s *Server) Away() {
	s.mu.Lock()
	listener, server, ended, held := s.listener, s.running, s.ended, s.held
	s.listener = nil
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	if listener == nil {
		return
	}
	_ = server.Close()   // tells it that it ends
	_ = listener.Close() // if it has not come to serve yet, it does not know its listener
	<-ended
	if held != nil {
		held.Release()
	}
}

// Letters are those taken so far.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

// Tried are the mechanisms of the authentications that were tried, in order.
func (s *Server) Tried() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries)
}

// Wire is all that clients have sent so far, as somebody on the way would see it.
func (s *Server) Wire() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.wire)
}

// Await waits until the server has taken n letters in all, and returns them.
func (s *Server) Await(n int) []Letter {
	s.tb.Helper()
	deadline := time.After(time.Minute)
	for {
		s.mu.Lock()
		letters, changed := slices.Clone(s.letters), s.changed
		s.mu.Unlock()
		if len(letters) >= n {
			return letters
		}
		select {
		case <-changed:
		case <-deadline:
			s.tb.Fatalf("testmail: %d letters came, not %d", len(letters), n)
		}
	}
}

func (s *Server) keep(l Letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, l)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) tried(mechanism string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = append(s.tries, mechanism)
}
