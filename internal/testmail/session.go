package testmail

import (
	"io"

	"github.com/emersion/go-smtp"
)

// session is one client's conversation with the server.
type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	from   string
	to     []string
}

// Reset forgets the letter that was begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout does nothing: there is nothing to free.
func (s *session) Logout() error { return nil }

// Mail takes the sender, from those who have authenticated if the server has a user.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.cfg.user != "" && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.from = from
	return s.server.refusal(Sender, from)
}

// Rcpt takes a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.server.refusal(Recipient, to); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // broken off: what came is not kept
	}
	s.server.holdUp()
	if err := s.server.refusal(Content, ""); err != nil {
		return err
	}
	l, err := Parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "testmail cannot read it: " + err.Error()}
	}
	_, l.TLS = s.conn.TLSConnectionState()
	l.From, l.To, l.User = s.from, s.to, s.user
	s.server.keep(l)
	return nil
}
