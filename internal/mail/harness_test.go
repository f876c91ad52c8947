package mail_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

const (
	user     = "tenantry"
	password = `a-"Password"-of-32\characters`
)

// to is the configuration for a test server.
func to(s *testmail.Server) mail.Config {
	return mail.Config{Address: s.Address, CAFile: s.CAFile, From: "Example <no-reply@app.example>"}
}

// authenticated is the same with the right user and password.
func authenticated(cfg mail.Config) mail.Config {
	cfg.User, cfg.Password = user, password
	return cfg
}

func sender(t *testing.T, cfg mail.Config) *mail.Sender {
	t.Helper()
	s, err := mail.NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func letter() mail.Letter {
	return mail.Letter{
		Kind: mail.Invitation, To: "ada@globex.example", ToName: "Ada Lovelace", Environment: "Production",
		AccountName: "Globex & Söhne", InviterName: "Bob <b>Builder</b>",
		Link:      "https://app.example/invitations?lang=en&token=tenantry_invitation_prod.inv_1.s3cr3t#top",
		ExpiresAt: time.Date(2035, 1, 31, 12, 30, 0, 0, time.FixedZone("CET", 3600)),
	}
}

// refused checks the code of a failure, and that it tells no secrets.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	if !fault.HasCode(err, code) {
		t.Fatalf("%v, want the code %s", err, code)
	}
	noSecrets(t, "the error", err.Error())
}
