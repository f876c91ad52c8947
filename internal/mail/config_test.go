package mail_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
)

func TestSettingsAreJudgedAtTheStart(t *testing.T) {
	good := mail.Config{Address: "smtp.example:587", From: "no-reply@app.example"}
	if _, err := mail.NewSender(good); err != nil {
		t.Fatal(err)
	}
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		field  string
		change func(*mail.Config)
	}{
		"no address":             {"smtp-address", func(c *mail.Config) { c.Address = "" }},
		"no port":                {"smtp-address", func(c *mail.Config) { c.Address = "smtp.example" }},
		"no host":                {"smtp-address", func(c *mail.Config) { c.Address = ":587" }},
		"port 0":                 {"smtp-address", func(c *mail.Config) { c.Address = "smtp.example:0" }},
		"port by name":           {"smtp-address", func(c *mail.Config) { c.Address = "smtp.example:smtp" }},
		"line break in the host": {"smtp-address", func(c *mail.Config) { c.Address = "smtp\n.example:25" }},
		"unknown security":       {"smtp-security", func(c *mail.Config) { c.Security = "ssl" }},
		"plaintext elsewhere":    {"smtp-security", func(c *mail.Config) { c.Security = mail.Plain }},
		"unknown authentication": {"smtp-auth", func(c *mail.Config) { c.Auth = "ntlm" }},
		"user without password":  {"smtp-user", func(c *mail.Config) { c.User = "u" }},
		"password without user":  {"smtp-user", func(c *mail.Config) { c.Password = "p" }},
		"no sender":              {"mail-from", func(c *mail.Config) { c.From = "" }},
		"sender with more":       {"mail-from", func(c *mail.Config) { c.From = "a@app.example, b@app.example" }},
		"sender with a break":    {"mail-from", func(c *mail.Config) { c.From = "A\r\nBcc: x@y.example <a@app.example>" }},
		"missing authorities":    {"smtp-ca", func(c *mail.Config) { c.CAFile = noPEM + ".missing" }},
		"no authorities":         {"smtp-ca", func(c *mail.Config) { c.CAFile = noPEM }},
	} {
		cfg := good
		test.change(&cfg)
		_, err := mail.NewSender(cfg)
		if f := fault.From(err); f.Kind != fault.Invalid || f.Code != "invalid_mail" || f.Field != test.field {
			t.Errorf("%s: %v (field %q, want %q)", name, err, f.Field, test.field)
		}
	}
	for name, change := range map[string]func(*mail.Config){
		"plaintext, asked for":        func(c *mail.Config) { c.Security, c.AllowPlaintext = mail.Plain, true },
		"plaintext to this machine":   func(c *mail.Config) { c.Security, c.Address = mail.Plain, "localhost:25" },
		"plaintext to a loopback IP":  func(c *mail.Config) { c.Security, c.Address = mail.Plain, "[::1]:25" },
		"a sender with a name":        func(c *mail.Config) { c.From = "Größe & Co <no-reply@app.example>" },
		"another way to authenticate": func(c *mail.Config) { c.User, c.Password, c.Auth = "u", "p", mail.AuthCRAM },
	} {
		cfg := good
		change(&cfg)
		if _, err := mail.NewSender(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (mail.Config{}).Check(); err != nil {
		t.Errorf("no mail at all is a choice: %v", err)
	}
}
