package mail

import (
	"crypto/rand"
	"errors"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// content is what a letter says.
type content struct{ subject, text, html string }

// htmlLetter is a letter whose link stands in HTML as it is.
type htmlLetter struct {
	Letter
	Link htmltemplate.URL
}

// maxSubject is the longest subject, in characters.
const maxSubject = 200

// fill fills the templates with a clean letter; an Invalid fault (mail_template) if they do not take it.
func (p pair) fill(l Letter) (content, error) {
	var text, html strings.Builder
	if err := p.text.Execute(&text, l); err != nil {
		return content{}, wrong(p.text.Name(), err)
	}
	// The link is known to be an http or https address: the template is not to make another of it.
	if err := p.html.Execute(&html, htmlLetter{l, htmltemplate.URL(l.Link)}); err != nil { //nolint:gosec // checked by Letter.clean
		return content{}, wrong(p.html.Name(), err)
	}
	subject, body, _ := strings.Cut(text.String(), "\n")
	subject, ok := strings.CutPrefix(subject, "Subject:")
	c := content{subject: oneLine(subject, maxSubject), text: strings.TrimLeft(body, "\n"), html: html.String()}
	if !ok || c.subject == "" {
		return content{}, wrong(p.text.Name(), errors.New(`what it makes does not begin with a line "Subject: …"`))
	}
	return c, nil
}

// compose makes the message. An address that mail cannot be sent to is a Conflict
// fault (mail_refused); what the templates do not take is an Invalid one.
func (t templates) compose(l Letter, from netmail.Address, now time.Time) (*gomail.Msg, error) {
	p, ok := t[l.Kind]
	if !ok {
		return nil, fault.New(fault.Invalid, "invalid_letter", "there are no letters of kind %s", account.Quote(string(l.Kind)))
	}
	l, err := l.clean()
	if err != nil {
		return nil, err
	}
	if err := checkAddress(l.To); err != nil {
		return nil, fault.New(fault.Conflict, refusedCode, "mail cannot be sent to such an address").Because(err)
	}
	c, err := p.fill(l)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&netmail.Address{Name: displayName(from.Name), Address: from.Address})
	m.ToMailAddress(&netmail.Address{Name: displayName(l.ToName), Address: l.To})
	m.Subject(c.subject)
	m.SetDateWithValue(now)
	_, domain, _ := strings.Cut(from.Address, "@")
	m.SetMessageIDWithValue(rand.Text() + "@" + domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers from machines
	m.SetBodyString(gomail.TypeTextPlain, c.text)
	m.AddAlternativeString(gomail.TypeTextHTML, c.html)
	return m, nil
}

// displayName is a name as it may stand before an address. net/mail leaves a backslash in an encoded word
// as it is, which RFC 2047 section 5 (3) forbids: strict readers then find no address in the header.
func displayName(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// checkAddress returns an error unless s is a bare address that fits on a line of SMTP.
func checkAddress(s string) error {
	parsed, err := netmail.ParseAddress(s)
	if err != nil {
		return errors.New("it is malformed") // the error would have the address
	}
	if parsed.Address != s || len(s) > 254 || strings.ContainsFunc(s, isBreak) {
		return errors.New("it is not just an address")
	}
	return nil
}
