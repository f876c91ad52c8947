package account

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/fault"
)

// The bounds of what an environment knows of OpenID providers.
const (
	MaxIssuerURL    = 500 // bytes
	MaxAudiences    = 10
	MaxAudience     = 200 // characters
	MaxEmailDomains = 50
	MaxSubject      = 255 // bytes; OpenID Connect Core 1.0, 2
)

// Clean checks an OpenID provider and brings its lists into order.
//
// Faults, all Invalid: those of CleanName and CheckIssuerURL, missing_audience,
// too_many_audiences, invalid_audience, invalid_purpose, too_many_email_domains,
// invalid_email_domain, and missing_email_domain: an operator's address opens much,
// so it is said whose addresses are believed.
func (i Issuer) Clean() (Issuer, error) {
	var err error
	if i.Name, err = CleanName("name", i.Name); err != nil {
		return i, err
	}
	if err := CheckIssuerURL("url", i.URL); err != nil {
		return i, err
	}
	if i.Purpose != ForUsers && i.Purpose != ForOperators {
		return i, fault.New(fault.Invalid, "invalid_purpose", "purpose is users or operators, not %s", Quote(string(i.Purpose))).In("purpose")
	}
	if i.Audiences, err = cleanAudiences(i.Audiences); err != nil {
		return i, err
	}
	if i.EmailDomains, err = cleanDomains(i.EmailDomains); err != nil {
		return i, err
	}
	if i.LinkByEmail && i.Purpose == ForOperators && len(i.EmailDomains) == 0 {
		return i, fault.New(fault.Invalid, "missing_email_domain", "say for which domains operators are linked by their e-mail addresses").In("email_domains")
	}
	return i, nil
}

// CheckIssuerURL returns an Invalid fault (invalid_issuer) unless address can be
// that of an OpenID provider: https, or http to this machine, without query,
// fragment and credentials, and written in the one way that such addresses are
// compared in (OpenID Connect Discovery 1.0, 3).
func CheckIssuerURL(field, address string) error {
	bad := func(why string) error {
		return fault.New(fault.Invalid, "invalid_issuer", "%s is no OpenID provider's address (%s); write it as the provider's tokens have it in iss, like https://login.example: %s",
			field, why, Quote(address)).In(field)
	}
	if len(address) > MaxIssuerURL {
		return bad("it is too long")
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^{|}`+"`", r) }) {
		return bad("it has characters that no address has")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return bad("it is no URL")
	case u.User != nil || strings.ContainsAny(address, "?#@"):
		return bad("it has a query, a fragment or credentials")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return bad("it is not https")
	case u.String() != address || u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Host, ":") || !isPort(u.Port()):
		return bad("its host is written in another way than usual")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(part string) bool { return part == "." || part == ".." }):
		return bad("its path goes up")
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Zone() == "" && address.IsLoopback()
}

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

func cleanAudiences(audiences []string) ([]string, error) {
	out := Set(audiences)
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "missing_audience", "say for whom the provider's tokens have to be: at least one audience").In("audiences")
	}
	if len(out) > MaxAudiences {
		return nil, fault.New(fault.Invalid, "too_many_audiences", "an issuer has at most %d audiences, not %d", MaxAudiences, len(out)).In("audiences")
	}
	for _, a := range out {
		if a == "" || !utf8.ValidString(a) || utf8.RuneCountInString(a) > MaxAudience || strings.ContainsFunc(a, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, fault.New(fault.Invalid, "invalid_audience", "an audience has 1 to %d printable characters, unlike %s", MaxAudience, Quote(a)).In("audiences")
		}
	}
	return out, nil
}

// cleanDomains takes domains, and whole addresses.
func cleanDomains(domains []string) ([]string, error) {
	if len(domains) > MaxEmailDomains {
		return nil, fault.New(fault.Invalid, "too_many_email_domains", "an issuer has at most %d email domains, not %d", MaxEmailDomains, len(domains)).In("email_domains")
	}
	var out []string
	for _, d := range domains {
		address := d
		if !strings.Contains(d, "@") {
			address = "x@" + d
		}
		cleaned, ok := vouchedAddress(address)
		if !ok || strings.ContainsAny(d, `"[]`) {
			return nil, fault.New(fault.Invalid, "invalid_email_domain", "an email domain is the end of addresses, like globex.example, or one address; %s is neither", Quote(d)).In("email_domains")
		}
		if address != d {
			cleaned = strings.TrimPrefix(cleaned, "x@")
		}
		out = append(out, cleaned)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// VouchesFor returns the address in the form in which addresses are kept, and
// whether the provider's word is taken that it is the subject's.
func (i Issuer) VouchesFor(email string) (string, bool) {
	cleaned, ok := vouchedAddress(email)
	if !ok || !i.LinkByEmail {
		return "", false
	}
	domain := cleaned[strings.LastIndexByte(cleaned, '@')+1:]
	return cleaned, len(i.EmailDomains) == 0 || slices.Contains(i.EmailDomains, domain) || slices.Contains(i.EmailDomains, cleaned)
}

// vouchedAddress cleans an address as CleanEmail does, if that changes nothing but
// the case of ASCII letters. Folded further, the Kelvin sign would become a k, and
// the mailbox of one person that of another.
func vouchedAddress(email string) (string, bool) {
	cleaned, err := CleanEmail("email", email)
	lower := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, email)
	return cleaned, err == nil && utf8.ValidString(email) && cleaned == lower
}

// CheckSubject returns an Invalid fault (invalid_subject) unless s can be who
// somebody is at an OpenID provider. Subjects are compared byte by byte.
func CheckSubject(field, s string) error {
	if s == "" || len(s) > MaxSubject || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fault.New(fault.Invalid, "invalid_subject", "%s is what the provider's tokens have in sub: 1 to %d bytes of UTF-8 without control characters", field, MaxSubject).In(field)
	}
	return nil
}
