package mail

import (
	"bytes"
	"html"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/testmail"
)

// headers are all that a letter has.
var headers = []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}

// written composes a letter with the built-in templates, and reads it as a recipient does.
func written(t *testing.T, loaded templates, l Letter) testmail.Letter {
	t.Helper()
	m, err := loaded.compose(l, netmail.Address{Name: "Example", Address: "no-reply@app.example"}, time.Unix(0, 0))
	if err != nil {
		t.Fatalf("%+v: %v", l, err)
	}
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	got, err := testmail.Parse(raw.Bytes())
	if err != nil {
		t.Fatalf("%v:\n%s", err, raw.String())
	}
	return got
}

// whole checks that a letter says what it should to whom it should, and nothing else.
func whole(t *testing.T, l Letter, got testmail.Letter) {
	t.Helper()
	var names []string
	for name, values := range got.Header {
		names = append(names, name)
		if len(values) != 1 {
			t.Errorf("%s is there %d times:\n%s", name, len(values), got.Raw)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, headers) {
		t.Errorf("headers %v, want %v:\n%s", names, headers, got.Raw)
	}
	to, err := got.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != l.To {
		t.Errorf("to %v (%v), want only %s", to, err, l.To)
	}
	from, err := got.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != "no-reply@app.example" || from[0].Name != "Example" {
		t.Errorf("from %v (%v)", from, err)
	}
	if strings.ContainsAny(got.Subject, "\r\n") {
		t.Errorf("subject: %q", got.Subject)
	}
	if !strings.Contains(got.Text, "\n"+l.Link+"\n") {
		t.Errorf("the link %q is not on a line of its own:\n%s", l.Link, got.Text)
	}
	if same := strings.Count(html.UnescapeString(got.HTML), `href="`+normal(l.Link)+`"`); same != 2 {
		t.Errorf("the link %q is there %d times, want 2:\n%s", l.Link, same, got.HTML)
	}
	if strings.Count(got.HTML, "<a ") != 2 || strings.Contains(strings.ToLower(got.HTML), "<script") {
		t.Errorf("something got into the HTML:\n%s", got.HTML)
	}
	for line := range bytes.SplitSeq(got.Raw, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("no line of SMTP: %q", line)
		}
	}
}

// normal is a link as html/template writes it, which leads to the same place.
func normal(link string) string {
	return strings.NewReplacer(`'`, "%27", `"`, "%22", "(", "%28", ")", "%29", "<", "%3c", ">", "%3e", "`", "%60", "{", "%7b", "}", "%7d", "|", "%7c", "\\", "%5c", "^", "%5e", " ", "%20").Replace(link)
}

func TestI1_NamesCannotInject(t *testing.T) {
	loaded, err := loadTemplates("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"Eve\r\nBcc: all@globex.example", "Eve\nBcc: all@globex.example\n\nBuy this", "Eve\r\n\r\n<p>Buy this",
		"Eve\u2028Bcc: x\u2029y", "Eve\u0085Bcc: x", "\x00Eve\x0b\x0c", "Eve\" <eve@evil.example>, \"", "<eve@evil.example>", "eve@evil.example, ada",
		"=?utf-8?q?=0d=0aBcc:_x?=", "</title><script>alert(1)</script>", `"><a href="https://evil.example">`,
		"\u202egnp.exe", strings.Repeat("long ", 500), strings.Repeat("ü", 500), "\xff\xfe", "a; b: c", "{{.Link}}", `Müller\Söhne`,
	} {
		l := Letter{Kind: Invitation, To: "ada@globex.example", ToName: name, AccountName: name, InviterName: name, Environment: name, Link: "https://app.example/i?a=b&token=t", ExpiresAt: time.Unix(0, 0)}
		whole(t, l, written(t, loaded, l))
	}
}

func TestI1_WhatIsNoAddressOrLinkIsRefused(t *testing.T) {
	loaded, err := loadTemplates("")
	if err != nil {
		t.Fatal(err)
	}
	good := Sample("ada@globex.example")
	for _, to := range []string{
		"", "ada", "Ada <ada@globex.example>", "ada@globex.example, eve@evil.example", "ada@globex.example\r\nRCPT TO:<eve@evil.example>",
		"ada@globex.example>", " ada@globex.example", strings.Repeat("a", 300) + "@globex.example",
	} {
		l := good
		l.To = to
		if _, err := loaded.compose(l, netmail.Address{}, time.Now()); !Permanent(err) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	for _, link := range []string{"", "javascript:alert(1)", "ftp://app.example/", "/invitations", "https://", "https://app.example/\r\nx", "%zz"} {
		l := good
		l.Link = link
		_, err := loaded.compose(l, netmail.Address{}, time.Now())
		if err == nil || Permanent(err) || link != "" && strings.Contains(err.Error(), link) {
			t.Errorf("link %q: %v", link, err)
		}
	}
	l := good
	l.Kind = "other"
	if _, err := loaded.compose(l, netmail.Address{}, time.Now()); err == nil {
		t.Error("a kind that there is not was written")
	}
}

func FuzzLetter(f *testing.F) {
	f.Add("ada@globex.example", "Ada", "Globex", "Bob", "t.s3cr3t")
	f.Add("ada@globex.example", "Ada\r\nBcc: x@y", "=?utf-8?b?DQo=?=", "\"<x@y>", "a&b=c#d'e")
	f.Add("0@00", "\\\xe8", "Globex", "Bob", "t")
	f.Add(`"a b"@globex.example`, "\u2028", "\xff", "</a>", "%0d%0a")
	loaded, err := loadTemplates("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to, name, acc, inviter, token string) {
		l := Letter{Kind: Invitation, To: to, ToName: name, AccountName: acc, InviterName: inviter, Link: "https://app.example/i?token=" + url.QueryEscape(token), ExpiresAt: time.Unix(0, 0)}
		_, err := l.clean()
		if oneLine(acc, maxShown) == "" || err != nil || checkAddress(to) != nil || !utf8.ValidString(to) {
			t.Skip()
		}
		whole(t, l, written(t, loaded, l))
	})
}
