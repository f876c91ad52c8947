package account

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/tenantry/tenantry/internal/fault"
)

// MaxNameLength is the longest name of anything, in characters.
const MaxNameLength = 200

// CleanName returns name without surrounding space, or an Invalid fault (codes
// "missing_name", "name_too_long", "invalid_name") naming the field.
func CleanName(field, name string) (string, error) {
	if len(name) > MaxNameLength*utf8.UTFMax {
		return "", fault.New(fault.Invalid, "name_too_long", "%s has %d bytes; the most is %d characters", field, len(name), MaxNameLength).In(field)
	}
	if !utf8.ValidString(name) {
		return "", fault.New(fault.Invalid, "invalid_name", "%s is not valid UTF-8", field).In(field)
	}
	name = strings.TrimSpace(name)
	if name == "" {
		return "", fault.New(fault.Invalid, "missing_name", "%s must not be empty", field).In(field)
	}
	if n := utf8.RuneCountInString(name); n > MaxNameLength {
		return "", fault.New(fault.Invalid, "name_too_long", "%s has %d characters; the most is %d", field, n, MaxNameLength).In(field)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return "", fault.New(fault.Invalid, "invalid_name", "%s must not contain control characters", field).In(field)
	}
	return name, nil
}

// CheckQuery refuses a text to search for that is longer than any name: an Invalid fault (invalid_query). What is no
// text is found nowhere, and is no fault.
func CheckQuery(field, text string) error {
	if utf8.RuneCountInString(text) > MaxNameLength {
		return fault.New(fault.Invalid, "invalid_query", "%s has at most %d characters", field, MaxNameLength).In(field)
	}
	return nil
}

// CleanEmail returns the address in the form it is compared in (trimmed, lower
// case), or an Invalid fault (code "invalid_email").
func CleanEmail(field, email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	bad := fault.New(fault.Invalid, "invalid_email", "%s is not an e-mail address: %s", field, Quote(email)).In(field)
	if len(email) > 254 {
		return "", bad
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || strings.ContainsFunc(email, unicode.IsControl) {
		return "", bad
	}
	return email, nil
}

// CheckAccessMode returns an Invalid fault (code "invalid_access_mode") unless m is one of S3's.
func CheckAccessMode(field string, m AccessMode) error {
	switch m {
	case DefaultOff, DefaultOn, AlwaysOn:
		return nil
	default:
		return fault.New(fault.Invalid, "invalid_access_mode", "%s is default_off, default_on or always_on, not %s", field, Quote(string(m))).In(field)
	}
}

// CheckMaxDepth returns an Invalid fault (code "invalid_max_depth") unless depth is between 1 and MaxMaxDepth.
func CheckMaxDepth(depth int) error {
	if depth < 1 || depth > MaxMaxDepth {
		return fault.New(fault.Invalid, "invalid_max_depth", "max_depth is between 1 and %d, not %d", MaxMaxDepth, depth).In("max_depth")
	}
	return nil
}

// InvitationPlaceholder stands in an invitation URL where the link's token goes.
const InvitationPlaceholder = "{token}"

// CheckInvitationURL returns an Invalid fault (code "invalid_invitation_url")
// unless address is empty or an http or https URL with [InvitationPlaceholder] in it, of at most 500 bytes.
func CheckInvitationURL(field, address string) error {
	if address == "" {
		return nil
	}
	bad := fault.New(fault.Invalid, "invalid_invitation_url",
		"%s is the address of the page that accepts invitations, with %s where the token goes, like https://app.example/invitations?token=%s",
		field, InvitationPlaceholder, InvitationPlaceholder).In(field)
	u, err := url.Parse(strings.ReplaceAll(address, InvitationPlaceholder, "x"))
	if err != nil || len(address) > 500 || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
		!strings.Contains(address, InvitationPlaceholder) {
		return bad
	}
	return nil
}

// CheckLifetime returns an Invalid fault (code "invalid_lifetime") unless n is between 1 and most.
func CheckLifetime(field string, n, most int) error {
	if n < 1 || n > most {
		return fault.New(fault.Invalid, "invalid_lifetime", "%s is between 1 and %d, not %d", field, most, n).In(field)
	}
	return nil
}

// Set returns the values sorted and without repeats; never nil.
func Set[T ~string](values []T) []T {
	out := slices.Clone(values)
	if out == nil {
		out = []T{}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Fold returns s in the form in which names are searched: case and width do not matter.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return foldAny(s)
}

// foldAny is Fold for any text; of one in ASCII it does what ToLower does, in four times the time.
func foldAny(s string) string {
	return cases.Fold().String(norm.NFKC.String(s))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Versioned is an entity with the environment's version at its last change, which serves as its ETag.
type Versioned[T any] struct {
	Value   T
	Version Version
}
