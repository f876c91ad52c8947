package mail_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

func TestI1_ALetterArrivesAsHTMLAndText(t *testing.T) {
	server := testmail.Start(t, testmail.User(user, password))
	if err := sender(t, authenticated(to(server))).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	got := server.Await(1)[0]
	if got.From != "no-reply@app.example" || len(got.To) != 1 || got.To[0] != "ada@globex.example" || got.User != user || !got.TLS {
		t.Errorf("envelope: from %s to %v as %q, encrypted: %t", got.From, got.To, got.User, got.TLS)
	}
	if got.Subject != "You are invited to Globex & Söhne" {
		t.Errorf("subject: %q", got.Subject)
	}
	for name, want := range map[string]string{
		"From": `"Example" <no-reply@app.example>`, "To": `"Ada Lovelace" <ada@globex.example>`, "Auto-Submitted": "auto-generated",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
	if id := got.Header.Get("Message-Id"); !strings.HasSuffix(id, "@app.example>") {
		t.Errorf("Message-ID: %q", id)
	}
	for _, want := range []string{
		"Hello Ada Lovelace,", "Bob <b>Builder</b> invites you to Globex & Söhne.",
		"\n" + letter().Link + "\n", "until Wednesday, 31 January 2035, 11:30 UTC",
	} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.Text)
		}
	}
	for _, want := range []string{
		"Bob &lt;b&gt;Builder&lt;/b&gt; invites you", "<strong>Globex &amp; Söhne</strong>",
		`href="https://app.example/invitations?lang=en&amp;token=tenantry_invitation_prod.inv_1.s3cr3t#top"`,
	} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("the HTML lacks %q:\n%s", want, got.HTML)
		}
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "X-") || name == "User-Agent" {
			t.Errorf("a header that nobody asked for: %s: %q", name, got.Header.Get(name))
		}
	}
}

func TestI1_EachWayToAuthenticate(t *testing.T) {
	for _, test := range []struct {
		auth    mail.Auth
		offered []string
		want    string
	}{
		{mail.AuthAuto, []string{"LOGIN", "PLAIN", "CRAM-MD5"}, "PLAIN"},
		{mail.AuthAuto, []string{"LOGIN"}, "LOGIN"},
		{mail.AuthAuto, []string{"CRAM-MD5"}, "CRAM-MD5"},
		{mail.AuthPlain, []string{"LOGIN", "PLAIN"}, "PLAIN"},
		{mail.AuthLogin, []string{"LOGIN", "PLAIN"}, "LOGIN"},
		{mail.AuthCRAM, []string{"PLAIN", "CRAM-MD5"}, "CRAM-MD5"},
		{mail.AuthCRAM, []string{"PLAIN"}, ""},
		{mail.AuthAuto, []string{"X-OTHER"}, ""},
	} {
		t.Run(string(test.auth)+" of "+strings.Join(test.offered, " "), func(t *testing.T) {
			server := testmail.Start(t, testmail.User(user, password, test.offered...))
			cfg := authenticated(to(server))
			cfg.Auth = test.auth
			err := sender(t, cfg).Send(t.Context(), letter())
			if test.want == "" {
				refused(t, err, "mail_unauthorized")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tried := server.Tried(); len(tried) != 1 || tried[0] != test.want {
				t.Errorf("authenticated by %v, want %s", tried, test.want)
			}
		})
	}
}

func TestI1_WrongPasswordIsForNowAndNotTold(t *testing.T) {
	for _, auth := range []mail.Auth{mail.AuthPlain, mail.AuthLogin, mail.AuthCRAM} {
		server := testmail.Start(t, testmail.User(user, "another"))
		cfg := authenticated(to(server))
		cfg.Auth = auth
		err := sender(t, cfg).Send(t.Context(), letter())
		refused(t, err, "mail_unauthorized")
		if mail.Permanent(err) || !strings.Contains(err.Error(), "535") {
			t.Errorf("%s: %v", auth, err)
		}
		refused(t, sender(t, cfg).Verify(t.Context()), "mail_unauthorized")
	}
	server := testmail.Start(t, testmail.User(user, password))
	refused(t, sender(t, to(server)).Send(t.Context(), letter()), "mail_unauthorized") // no user given
}

// A server that repeats what it is told does not bring it into our errors.
func TestI1_SecretsThatAServerRepeatsAreHidden(t *testing.T) {
	server := testmail.Start(t, testmail.User(user, password))
	for _, stage := range []testmail.Stage{testmail.Sender, testmail.Recipient, testmail.Content} {
		server.Accept()
		server.Refuse(stage, testmail.Refusal{Code: 451, Enhanced: [3]int{4, 3, 0}, Text: "no " + password + " for ada@globex.example " + letter().Link})
		err := sender(t, authenticated(to(server))).Send(t.Context(), letter())
		refused(t, err, "mail_unavailable")
		if !strings.Contains(err.Error(), "no [hidden] for [hidden] [hidden]") {
			t.Errorf("the cause should be there without the secrets: %v", err)
		}
	}
}

func TestI1_RefusalsForNowAndForGood(t *testing.T) {
	server := testmail.Start(t)
	s := sender(t, to(server))
	for _, test := range []struct {
		stage     testmail.Stage
		code      int
		want      string
		permanent bool
	}{
		{testmail.Sender, 451, "mail_unavailable", false},
		{testmail.Sender, 550, "mail_sender_refused", false},
		{testmail.Sender, 530, "mail_unauthorized", false},
		{testmail.Recipient, 450, "mail_unavailable", false},
		{testmail.Recipient, 550, "mail_refused", true},
		{testmail.Recipient, 530, "mail_unauthorized", false},
		{testmail.Content, 421, "mail_unavailable", false},
		{testmail.Content, 554, "mail_refused", true},
	} {
		server.Accept()
		server.Refuse(test.stage, testmail.Refusal{Code: test.code, Enhanced: [3]int{test.code / 100, 1, 1}, Text: "no"})
		err := s.Send(t.Context(), letter())
		refused(t, err, test.want)
		if mail.Permanent(err) != test.permanent {
			t.Errorf("stage %d, %d: for good: %t", test.stage, test.code, mail.Permanent(err))
		}
	}
	if n := len(server.Letters()); n != 0 {
		t.Errorf("%d letters were taken", n)
	}
	server.Accept()
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Error(err)
	}
}

func TestI1_AddressesOutsideOfASCII(t *testing.T) {
	server := testmail.Start(t)
	l := letter()
	l.To = "jürgen@globex.example"
	err := sender(t, to(server)).Send(t.Context(), l)
	if !mail.Permanent(err) {
		t.Errorf("the server does not take SMTPUTF8: %v", err)
	}
}
