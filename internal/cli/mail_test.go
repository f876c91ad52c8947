package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/testmail"
)

const smtpPassword = "a-Password-of-32-characters-or-so"

// mailer runs commands with the settings of a mail server in the environment.
type mailer struct {
	t   *testing.T
	env []string
}

func newMailer(t *testing.T, s *testmail.Server, more ...string) mailer {
	return mailer{t: t, env: append(append(os.Environ(), "TENANTRY_SMTP_ADDRESS="+s.Address, "TENANTRY_SMTP_CA="+s.CAFile,
		"TENANTRY_MAIL_FROM=Example <no-reply@app.example>", "TENANTRY_DATA="+filepath.Join(t.TempDir(), "data")), more...)}
}

// run runs a command, which has to end with the exit code and to say what is wanted.
func (m mailer) run(code int, want string, args ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tenantry", args...)
	cmd.Env = m.env
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), want) {
		m.t.Errorf("tenantry %s: exit code %d, want %d with %q\n%s", strings.Join(args, " "), got, code, want, out)
	}
	if strings.Contains(string(out), smtpPassword) {
		m.t.Errorf("tenantry %s tells the password:\n%s", strings.Join(args, " "), out)
	}
}

func TestI1_AnOperatorTriesTheSettings(t *testing.T) {
	server := testmail.Start(t, testmail.User("tenantry", smtpPassword))
	m := newMailer(t, server, "TENANTRY_SMTP_USER=tenantry", "TENANTRY_SMTP_PASSWORD="+smtpPassword)
	m.run(0, "nothing was sent", "mail", "test")
	m.run(0, "taken a sample invitation to you@app.example", "mail", "test", "you@app.example")
	letters := server.Letters()
	if len(letters) != 1 || letters[0].To[0] != "you@app.example" || letters[0].User != "tenantry" || !letters[0].TLS || !strings.Contains(letters[0].Text, "this-is-a-sample") {
		t.Fatalf("letters: %+v", letters)
	}

	m.run(2, "[mail_template]", "mail", "test", "--mail-templates", t.TempDir()+"/missing")
	m.run(2, "[mail_refused]", "mail", "test", "you")
	m.run(2, "accepts at most 1 arg", "mail", "test", "a@app.example", "b@app.example")
	server.Refuse(testmail.Recipient, testmail.Refusal{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such user"})
	m.run(2, "550 5.1.1 no such user [mail_refused]", "mail", "test", "you@app.example")
	m.run(3, "[mail_insecure]", "mail", "test", "--smtp-security", "tls")
	server.Away()
	m.run(3, "[mail_unavailable]", "mail", "test")
}

func TestI1_WhereThePasswordComesFrom(t *testing.T) {
	server := testmail.Start(t, testmail.User("tenantry", smtpPassword))
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := newMailer(t, server, "TENANTRY_SMTP_USER=tenantry")
	m.run(2, "[invalid_mail]", "mail", "test") // a user without a password
	m.run(2, "[unreadable_file]", "mail", "test", "--smtp-password-file", file)
	write(smtpPassword + "\r\n")
	m.run(0, "nothing was sent", "mail", "test", "--smtp-password-file", file)
	write("another\n")
	m.run(3, "[mail_unauthorized]", "mail", "test", "--smtp-password-file", file)
	write("two\nlines\n")
	m.run(2, "[invalid_mail]", "mail", "test", "--smtp-password-file", file)
	m.run(2, "unknown flag", "mail", "test", "--smtp-password", smtpPassword[:8])
	m = newMailer(t, server, "TENANTRY_SMTP_USER=tenantry", "TENANTRY_SMTP_PASSWORD="+smtpPassword)
	m.run(2, "given twice", "mail", "test", "--smtp-password-file", file)
}

func TestI1_ServeRefusesSettingsThatCannotWork(t *testing.T) {
	server := testmail.Start(t)
	data := filepath.Join(t.TempDir(), "data")
	m := newMailer(t, server, "TENANTRY_DATA="+data, "TENANTRY_LISTEN=127.0.0.1:0")
	m.run(2, "[invalid_mail]", "serve", "--smtp-security", "ssl")
	m.run(2, "[invalid_mail]", "serve", "--smtp-security", "none", "--smtp-address", "smtp.example:25")
	m.run(2, "[invalid_mail]", "serve", "--mail-from", "nobody")
	m.run(2, "[mail_template]", "serve", "--mail-templates", data+"/missing")
	m.env = append(m.env, "TENANTRY_SMTP_ADDRESS=")
	m.run(2, "[invalid_mail]", "serve")
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data directory is there: %v", err)
	}
}
