package testmail

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// AuthMechanisms are those that the server was told to offer.
func (s *session) AuthMechanisms() []string {
	if s.server.cfg.user == "" {
		return nil
	}
	return s.server.cfg.mechanisms
}

// Auth begins an authentication.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	judge := func(user string, ok bool) error {
		s.server.tried(mechanism)
		if !ok || user != s.server.cfg.user {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}
	right := s.server.cfg.password
	switch mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return judge(user, password == right) }), nil
	case sasl.Login:
		return &login{judge: func(user, password string) error { return judge(user, password == right) }}, nil
	case "CRAM-MD5":
		return &cram{key: right, judge: judge}, nil
	default:
		return nil, smtp.ErrAuthUnknownMechanism
	}
}

// login asks for the user and then for the password.
type login struct {
	asked int
	user  string
	judge func(user, password string) error
}

func (l *login) Next(response []byte) ([]byte, bool, error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.judge(l.user, string(response))
	}
}

// cram is CRAM-MD5 (RFC 2195): the password is a key, and is not sent.
type cram struct {
	key       string
	challenge string
	judge     func(user string, ok bool) error
}

func (c *cram) Next(response []byte) ([]byte, bool, error) {
	if c.challenge == "" {
		c.challenge = "<" + rand.Text() + "@testmail>"
		return []byte(c.challenge), false, nil
	}
	user, digest, _ := strings.Cut(string(response), " ")
	mac := hmac.New(md5.New, []byte(c.key))
	mac.Write([]byte(c.challenge))
	given, err := hex.DecodeString(digest)
	return nil, true, c.judge(user, err == nil && hmac.Equal(given, mac.Sum(nil)))
}
