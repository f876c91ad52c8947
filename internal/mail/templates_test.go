package mail_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/mail"
	"github.com/tenantry/tenantry/internal/testmail"
)

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestI1_AnOperatorReplacesTemplates(t *testing.T) {
	server := testmail.Start(t)
	cfg := to(server)
	cfg.Templates = folder(t, map[string]string{
		"invitation.txt": "\uFEFFSubject: {{.Environment}}: join {{.AccountName}}\r\n\r\nDear {{.ToName}},\r\n{{.Link}}\r\n.\r\n..\r\nbye",
		".hidden":        "not ours",
	})
	if err := sender(t, cfg).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	got := server.Await(1)[0]
	if got.Subject != "Production: join Globex & Söhne" || got.Text != "Dear Ada Lovelace,\n"+letter().Link+"\n.\n..\nbye" {
		t.Errorf("%q\n%q", got.Subject, got.Text)
	}
	if !strings.Contains(got.HTML, "Accept the invitation") {
		t.Errorf("the other template should be the built-in one:\n%s", got.HTML)
	}

	cfg.Templates = folder(t, map[string]string{"invitation.html": "<p>{{.AccountName}} <a href={{.Link}}>in</a> {{date .ExpiresAt}}\n<script>var name = {{.ToName}};</script>"})
	if err := sender(t, cfg).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	got = server.Await(2)[1]
	if !strings.Contains(got.HTML, `var name = "Ada Lovelace";`) || !strings.Contains(got.Text, "Accept here") {
		t.Errorf("%s\n%s", got.HTML, got.Text)
	}
}

func TestI1_BadTemplatesAreFoundAtTheStart(t *testing.T) {
	const link = "{{.Link}}"
	for name, test := range map[string]struct {
		file, text string
		want       []string
	}{
		"syntax":            {"invitation.txt", "Subject: x\n\n{{.Link}\n", []string{"invitation.txt, line 3"}},
		"syntax in HTML":    {"invitation.html", "<p>\n\n\n{{if}}" + link, []string{"invitation.html, line 4"}},
		"unknown field":     {"invitation.txt", "Subject: x\n\n{{.Secret}}" + link, []string{"invitation.txt, line 3", "Secret"}},
		"the same in HTML":  {"invitation.html", "<p>\n{{.Secret}}" + link, []string{"invitation.html, line 2", "Secret"}},
		"in a branch":       {"invitation.txt", "Subject: x\n\n{{if not .InviterName}}{{.Nobody}}{{end}}" + link, []string{"invitation.txt, line 3", "Nobody"}},
		"unknown function":  {"invitation.txt", "Subject: {{shout .ToName}}\n\n" + link, []string{"invitation.txt, line 1", "shout"}},
		"HTML context":      {"invitation.html", "<p title=\"\n" + link, []string{"invitation.html"}},
		"no subject":        {"invitation.txt", "Hello\n" + link, []string{"invitation.txt", "Subject"}},
		"an empty subject":  {"invitation.txt", "Subject: \n" + link, []string{"invitation.txt", "Subject"}},
		"no link":           {"invitation.txt", "Subject: x\n\nhello", []string{"invitation.txt", "{{.Link}}"}},
		"no link in HTML":   {"invitation.html", "<p>hello", []string{"invitation.html", "{{.Link}}"}},
		"unknown file":      {"invitaton.txt", "Subject: x\n" + link, []string{"invitaton.txt", "invitation.txt, invitation.html"}},
		"not UTF-8":         {"invitation.txt", "Subject: \xff\n" + link, []string{"invitation.txt", "UTF-8"}},
		"too large":         {"invitation.txt", "Subject: x\n" + strings.Repeat(link, 40_000), []string{"invitation.txt", "bytes"}},
		"a call that fails": {"invitation.txt", "Subject: x\n" + link + "\n{{index .ToName 99}}", []string{"invitation.txt, line 3"}},
	} {
		_, err := mail.NewSender(mail.Config{
			Address: "smtp.example:587", From: "no-reply@app.example", Templates: folder(t, map[string]string{test.file: test.text}),
		})
		if f := fault.From(err); !errors.Is(err, fault.Invalid) || f.Code != "mail_template" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, which lacks %q", name, err, want)
			}
		}
	}
	_, err := mail.NewSender(mail.Config{Address: "smtp.example:587", From: "no-reply@app.example", Templates: filepath.Join(t.TempDir(), "missing")})
	if !fault.HasCode(err, "mail_template") {
		t.Errorf("a missing folder: %v", err)
	}
}
