package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/tenantry/tenantry/internal/fault"
)

// session is a conversation with the mail server, encrypted and authenticated as is asked for.
type session struct {
	*smtp.Client
	conn    net.Conn
	timeout time.Duration // of each step
	release func() bool   // lets the connection outlive its context
}

// end ends the conversation, politely if the server and this side still agree
// where they are: after a letter that was broken off, QUIT would end the letter.
func (s *session) end(err error) {
	const patience = 2 * time.Second // all is said
	if err == nil || errors.As(err, new(*textproto.Error)) {
		if s.UpdateDeadline(patience) == nil {
			_ = s.Quit()
		}
	}
	s.release()
	_ = s.conn.Close()
}

// do runs one step within its time.
func (s *session) do(fn func() error) error {
	if err := s.UpdateDeadline(s.timeout); err != nil {
		return err
	}
	return fn()
}

// open connects, encrypts and authenticates. When ctx ends, so does the connection.
// The error is a fault, as failure makes them.
func (s *Sender) open(ctx context.Context) (*session, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, s.failure(ctx, connecting, err)
	}
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	open, at, err := s.greet(ctx, conn)
	if err != nil {
		release()
		_ = conn.Close()
		return nil, s.failure(ctx, at, err)
	}
	open.release = release
	return open, nil
}

// greet makes a session of a connection. It returns the step that it was at.
func (s *Sender) greet(ctx context.Context, conn net.Conn) (*session, step, error) {
	if s.cfg.Security == TLS {
		encrypted := tls.Client(conn, s.tls)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, encrypting, err
		}
		conn = encrypted
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, connecting, err
	}
	open := &session{Client: client, conn: conn, timeout: s.cfg.StepTimeout}
	if err := open.do(func() error { return client.Hello(s.hello) }); err != nil {
		return nil, connecting, err
	}
	if err := s.encrypt(open); err != nil {
		return nil, encrypting, err
	}
	return open, authenticating, s.authenticate(open)
}

// errNotHere is for a name such as localhost that leads elsewhere.
var errNotHere = fault.New(fault.Unavailable, insecure, "the mail server is not on this machine, and the connection would not be encrypted; nothing was sent")

// dial connects; what is not to be encrypted goes to this machine only, wherever its name leads.
func (s *Sender) dial(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: s.cfg.ConnectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(s.cfg.ConnectTimeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if s.cfg.Security == Plain && !s.cfg.AllowPlaintext {
		if at, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
			return nil, errors.Join(errNotHere, conn.Close())
		}
	}
	return conn, nil
}

// errNoStartTLS is the answer of a server, or of somebody on the way, that will not encrypt.
var errNoStartTLS = fault.New(fault.Unavailable, insecure, "the mail server does not offer STARTTLS; nothing was sent")

func (s *Sender) encrypt(open *session) error {
	if s.cfg.Security != StartTLS {
		return nil
	}
	if offered, _ := open.Extension("STARTTLS"); !offered {
		return errNoStartTLS
	}
	return open.do(func() error { return open.StartTLS(s.tls) })
}

// errNoAuth is the answer of a server that offers no way of authenticating that Tenantry may use.
var errNoAuth = fault.New(fault.Unavailable, unauthorized, "the mail server does not offer the authentication that is asked for")

func (s *Sender) authenticate(open *session) error {
	if s.cfg.User == "" {
		return nil
	}
	_, offered := open.Extension("AUTH")
	auth := s.choose(strings.Fields(strings.ToUpper(offered)))
	if auth == nil {
		return errNoAuth
	}
	return open.do(func() error { return open.Auth(auth) })
}

// choose picks a way to authenticate. Where the connection is not encrypted, one
// that does not send the password comes first.
func (s *Sender) choose(offered []string) smtp.Auth {
	order := []Auth{AuthPlain, AuthLogin, AuthCRAM}
	if s.cfg.Security == Plain {
		order = []Auth{AuthCRAM, AuthPlain, AuthLogin}
	}
	if s.cfg.Auth != AuthAuto {
		order = []Auth{s.cfg.Auth}
	}
	user, password := s.cfg.User, string(s.cfg.Password)
	const allowed = true // to send it unencrypted: only where Config.Check let it be so
	for _, way := range order {
		if !slices.Contains(offered, strings.ToUpper(string(way))) {
			continue
		}
		switch way {
		case AuthPlain:
			return smtp.PlainAuth("", user, password, s.host, allowed)
		case AuthLogin:
			return smtp.LoginAuth(user, password, s.host, allowed)
		default:
			return smtp.CRAMMD5Auth(user, password)
		}
	}
	return nil
}
