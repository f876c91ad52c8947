package mail

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

// Kind names what a letter is about, and its templates: KIND.txt and KIND.html.
type Kind string

// Invitation is the kind of letter that carries the link of an invitation (I1).
const Invitation Kind = "invitation"

// kinds are all that there are.
var kinds = []Kind{Invitation}

// Letter is what the templates are filled with. Nothing in it may depend on
// whether the directory knows the address: names are those that the sender gave.
type Letter struct {
	Kind        Kind
	To          string    // the address
	ToName      string    // as the inviter wrote it, or ""
	Environment string    // the environment's name
	AccountName string    // what the recipient is invited to
	InviterName string    // who invites, or ""
	Link        string    // an http or https address, with its secret
	ExpiresAt   time.Time // when the link stops working
}

// Sample is a letter to try templates and settings with; its link opens nothing.
func Sample(to string) Letter {
	return Letter{
		Kind: Invitation, To: to, ToName: "Ada Example", Environment: "Example",
		AccountName: "Sample account", InviterName: "Tenantry",
		Link:      "https://app.example/invitations?token=this-is-a-sample&opens=nothing",
		ExpiresAt: time.Now().Add(72 * time.Hour),
	}
}

// maxShown is the longest name that a letter shows, in characters: a letter is no
// place for a message of the inviter's, who is not its sender.
const maxShown = 100

// clean returns the letter as templates may see it: each name on one line.
func (l Letter) clean() (Letter, error) {
	l.ToName = oneLine(l.ToName, maxShown)
	l.Environment = oneLine(l.Environment, maxShown)
	l.AccountName = oneLine(l.AccountName, maxShown)
	l.InviterName = oneLine(l.InviterName, maxShown)
	u, err := url.Parse(l.Link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(l.Link, isBreak) {
		// The parse error would have the link, and with it the secret.
		return l, fault.New(fault.Invalid, "invalid_letter", "the letter's link is not an http or https address")
	}
	return l, nil
}

// oneLine returns s without anything that could break a line, change the direction
// of what follows, or pass for an encoded word of a header (RFC 2047), cut to the
// given number of characters.
func oneLine(s string, most int) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return isBreak(r) || unicode.IsSpace(r) }), " ")
	s = strings.ReplaceAll(s, "=?", "= ?")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}

// isBreak reports control characters, line and paragraph separators, and marks of direction.
func isBreak(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
