package mail

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Security says how the connection to the mail server is kept from others.
type Security string

// The ways to connect.
const (
	StartTLS Security = "starttls" // encrypted before anything is said; required, not only tried
	TLS      Security = "tls"      // encrypted from the first byte
	Plain    Security = "none"     // not encrypted
)

// Auth is how Tenantry shows the mail server who it is.
type Auth string

// The ways to authenticate, if there is a user.
const (
	AuthAuto  Auth = "auto" // the best that the server offers of the others
	AuthPlain Auth = "plain"
	AuthLogin Auth = "login"
	AuthCRAM  Auth = "cram-md5"
)

// Password is one that does not show itself when it is printed or logged.
type Password string

// String hides the password.
func (p Password) String() string {
	if p == "" {
		return ""
	}
	return "[hidden]"
}

// GoString hides the password.
func (p Password) GoString() string { return strconv.Quote(p.String()) }

// LogValue hides the password.
func (p Password) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText hides the password.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Config says where letters go and what they look like. The zero value sends none.
type Config struct {
	Address  string   // of the mail server, host:port; no mail is sent if empty
	Security Security // StartTLS if empty
	// AllowPlaintext allows Plain to servers on other machines: letters, their
	// links and the password can then be read on the way.
	AllowPlaintext bool
	CAFile         string // PEM file with the authorities to trust for the server; the system's if empty

	User     string // to authenticate as; no authentication if empty
	Password Password
	Auth     Auth // AuthAuto if empty

	From      string // the sender: an address, or Name <address>
	Templates string // folder with templates to take in place of the built-in ones; none if empty

	ConnectTimeout time.Duration // until the server has greeted; 15 s if 0
	StepTimeout    time.Duration // for each command after that; 30 s if 0
	SendTimeout    time.Duration // for a letter as a whole; 2 min if 0
}

// Configured reports whether letters can be sent.
func (c Config) Configured() bool { return c.Address != "" }

const invalidMail = "invalid_mail"

func invalid(field, text string, args ...any) error {
	return fault.New(fault.Invalid, invalidMail, text, args...).In(field)
}

func (c Config) withDefaults() Config {
	if c.Security == "" {
		c.Security = StartTLS
	}
	if c.Auth == "" {
		c.Auth = AuthAuto
	}
	for _, d := range []struct {
		set *time.Duration
		to  time.Duration
	}{{&c.ConnectTimeout, 15 * time.Second}, {&c.StepTimeout, 30 * time.Second}, {&c.SendTimeout, 2 * time.Minute}} {
		if *d.set == 0 {
			*d.set = d.to
		}
	}
	return c
}

// Check returns an Invalid fault (invalid_mail) if the settings do not go
// together. It reads no file and asks no server.
func (c Config) Check() error {
	if !c.Configured() {
		if c.From != "" || c.User != "" || c.Password != "" || c.Templates != "" || c.CAFile != "" {
			return invalid("smtp-address", "there are settings for mail, but no mail server: name one with --smtp-address, like smtp.example:587")
		}
		return nil
	}
	c = c.withDefaults()
	host, err := c.host()
	if err != nil {
		return err
	}
	switch c.Security {
	case StartTLS, TLS:
	case Plain:
		if !c.AllowPlaintext && !isLoopback(host) {
			return invalid("smtp-security", "mail to %s would not be encrypted: that is allowed for this machine only, unless --smtp-plaintext is given", host)
		}
	default:
		return invalid("smtp-security", "the security of the connection for mail is starttls, tls or none, not %s", account.Quote(string(c.Security)))
	}
	switch c.Auth {
	case AuthAuto, AuthPlain, AuthLogin, AuthCRAM:
	default:
		return invalid("smtp-auth", "the authentication for mail is auto, plain, login or cram-md5, not %s", account.Quote(string(c.Auth)))
	}
	if (c.User == "") != (c.Password == "") {
		return invalid("smtp-user", "the mail server's user and password are given together, or neither is")
	}
	_, err = c.from()
	return err
}

// host is the name of the mail server without its port.
func (c Config) host() (string, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" || port == "0" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || isBreak(r) }) {
		return "", invalid("smtp-address", "%s is not the address of a mail server; write it as host:port, such as smtp.example:587", account.Quote(c.Address))
	}
	return host, nil
}

// from is the sender of the letters.
func (c Config) from() (netmail.Address, error) {
	if c.From == "" {
		return netmail.Address{}, invalid("mail-from", "the sender of mail is missing: name it with --mail-from, like Example <no-reply@app.example>")
	}
	parsed, err := netmail.ParseAddress(c.From)
	if err != nil || checkAddress(parsed.Address) != nil || parsed.Name != oneLine(parsed.Name, maxShown) {
		return netmail.Address{}, invalid("mail-from", "%s is no sender for mail; write an address, or Name <address>", account.Quote(c.From))
	}
	return *parsed, nil
}

// tls is how certificates are judged; Invalid faults (invalid_mail) about the file with authorities.
func (c Config) tls(host string) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fault.New(fault.Invalid, invalidMail, "cannot read %s", c.CAFile).In("smtp-ca").Because(err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, invalid("smtp-ca", "%s has no certificates in PEM form", c.CAFile)
	}
	return cfg, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
