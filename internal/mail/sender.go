package mail

import (
	"context"
	"crypto/tls"
	netmail "net/mail"
	"os"
	"regexp"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tenantry/tenantry/internal/fault"
)

// Sender hands letters to a mail server, each over a connection of its own. It may be used from several goroutines.
type Sender struct {
	cfg       Config
	host      string
	from      netmail.Address
	tls       *tls.Config
	hello     string // what Tenantry calls itself to the server
	templates templates
}

// NewSender checks the settings and reads the templates; it does not ask the
// server. Invalid faults: invalid_mail, mail_template.
func NewSender(cfg Config) (*Sender, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if !cfg.Configured() {
		return nil, invalid("smtp-address", "name the mail server with --smtp-address, like smtp.example:587")
	}
	s := &Sender{cfg: cfg.withDefaults(), hello: hostname()}
	var err error
	if s.host, err = cfg.host(); err != nil {
		return nil, err
	}
	if s.from, err = cfg.from(); err != nil {
		return nil, err
	}
	if s.tls, err = cfg.tls(s.host); err != nil {
		return nil, err
	}
	s.templates, err = loadTemplates(cfg.Templates)
	return s, err
}

var domain = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

func hostname() string {
	if name, err := os.Hostname(); err == nil && domain.MatchString(name) {
		return name
	}
	return "localhost"
}

// Verify connects, encrypts and authenticates as for a letter, and sends none. Its faults are Send's.
func (s *Sender) Verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.SendTimeout)
	defer cancel()
	open, err := s.open(ctx)
	if err != nil {
		return err
	}
	open.end(nil)
	return nil
}

// Send hands a letter to the mail server. When it returns nil the server has
// taken it; on an error in its last step the server may have as well.
//
// Permanent faults: Conflict (mail_refused), the recipient or the letter is
// refused. All others may pass: Unavailable (mail_unavailable, mail_unauthorized,
// mail_insecure, mail_sender_refused), Invalid (mail_template, invalid_letter).
// Their texts hold no address, link or password.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.SendTimeout)
	defer cancel()
	m, err := s.templates.compose(l, s.from, time.Now())
	if err != nil {
		return err
	}
	open, err := s.open(ctx)
	if err != nil {
		return err
	}
	at, err := open.hand(m, l.To)
	open.end(err)
	if err != nil {
		return s.failure(ctx, at, err, l.Link, l.To)
	}
	return nil
}

// hand says who sends what to whom. It returns the step that it was at.
func (s *session) hand(m *gomail.Msg, to string) (step, error) {
	from, err := m.GetSender(false)
	if err != nil {
		return naming, err
	}
	wide := !isASCII(from) || !isASCII(to)
	if offered, _ := s.Extension("SMTPUTF8"); wide && !offered {
		return addressing, errNotWide
	}
	s.SkipSMTPUTF8(!wide)
	if err := s.do(func() error { return s.Mail(from) }); err != nil {
		return naming, err
	}
	if err := s.do(func() error { return s.Rcpt("<" + to + ">") }); err != nil {
		return addressing, err
	}
	return handingOver, s.do(func() error {
		w, err := s.Data()
		if err != nil {
			return err
		}
		if _, err := m.WriteTo(w); err != nil {
			return err // the connection is closed before the end of the letter: it does not count
		}
		return s.do(w.Close)
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// errNotWide is for addresses that the mail server cannot be told.
var errNotWide = fault.New(fault.Conflict, refusedCode, "the mail server takes no addresses with letters outside of ASCII")
