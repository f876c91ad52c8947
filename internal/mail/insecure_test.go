package mail_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

// unsent checks that a server was told nothing: no user, no letter, nothing that could be read on the way.
func unsent(t *testing.T, server *testmail.Server) {
	t.Helper()
	if len(server.Letters()) != 0 || len(server.Tried()) != 0 {
		t.Errorf("%d letters were taken, authentications: %v", len(server.Letters()), server.Tried())
	}
	noSecrets(t, "the wire", server.Wire())
	if strings.Contains(server.Wire(), "MAIL FROM") || strings.Contains(server.Wire(), "AUTH") {
		t.Errorf("on the wire:\n%s", server.Wire())
	}
}

func TestI1_NothingGoesInTheClear(t *testing.T) {
	for _, test := range []struct {
		name     string
		server   []testmail.Option
		security mail.Security
	}{
		{"STARTTLS is missing", []testmail.Option{testmail.Plain()}, mail.StartTLS},
		{"TLS is missing", []testmail.Option{testmail.Plain()}, mail.TLS},
		{"a certificate for another name", []testmail.Option{testmail.CertificateFor("smtp.example")}, mail.StartTLS},
		{"the same from the first byte", []testmail.Option{testmail.CertificateFor("smtp.example"), testmail.Implicit()}, mail.TLS},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := testmail.Start(t, append(test.server, testmail.User(user, password))...)
			cfg := authenticated(to(server))
			cfg.Security = test.security
			refused(t, sender(t, cfg).Send(t.Context(), letter()), "mail_insecure")
			unsent(t, server)
		})
	}
}

func TestI1_UnknownCertificateIsNotTrusted(t *testing.T) {
	for security, options := range map[mail.Security][]testmail.Option{mail.StartTLS: nil, mail.TLS: {testmail.Implicit()}} {
		server := testmail.Start(t, append(options, testmail.User(user, password))...)
		other := testmail.Start(t)
		cfg := authenticated(to(server))
		cfg.Security = security
		cfg.CAFile = ""
		refused(t, sender(t, cfg).Send(t.Context(), letter()), "mail_insecure")
		cfg.CAFile = other.CAFile
		refused(t, sender(t, cfg).Verify(t.Context()), "mail_insecure")
		unsent(t, server)
	}
}

func TestI1_WhatIsEncryptedCannotBeReadOnTheWay(t *testing.T) {
	for security, options := range map[mail.Security][]testmail.Option{mail.StartTLS: nil, mail.TLS: {testmail.Implicit()}} {
		server := testmail.Start(t, append(options, testmail.User(user, password))...)
		cfg := authenticated(to(server))
		cfg.Security = security
		if err := sender(t, cfg).Send(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
		if got := server.Await(1)[0]; !got.TLS || got.User != user {
			t.Errorf("%s: encrypted: %t, user %q", security, got.TLS, got.User)
		}
		noSecrets(t, "the wire", server.Wire())
	}
}

// Without encryption, which only this machine's server gets, the password is still not sent if there is another way.
func TestI1_PlainToThisMachine(t *testing.T) {
	for want, offered := range map[string][]string{"CRAM-MD5": {"PLAIN", "LOGIN", "CRAM-MD5"}, "PLAIN": {"PLAIN"}} {
		server := testmail.Start(t, testmail.Plain(), testmail.User(user, password, offered...))
		cfg := authenticated(to(server))
		cfg.Security = mail.Plain
		if err := sender(t, cfg).Send(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
		if tried := server.Tried(); server.Await(1)[0].TLS || len(tried) != 1 || tried[0] != want {
			t.Errorf("authenticated by %v, want %s", tried, want)
		}
	}
}
