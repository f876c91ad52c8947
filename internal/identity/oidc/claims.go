package oidc

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

const (
	// MaxToken is the most bytes of a token that is looked at.
	MaxToken = 16 << 10

	maxSubject = 255              // OpenID Connect Core 1.0, 2
	skew       = 30 * time.Second // by which the clocks of servers may differ
)

// maxTime is where times of tokens end: the year 9999.
var maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// algorithms are the signatures that are taken. A secret that both sides know is not among them, nor is none.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// wanted says which key a token is signed with.
type wanted struct {
	id        string // "" if the token does not say
	algorithm string
}

// parse reads a token without believing any of it. Of its header only the
// algorithm and the name of the key are used: keys that a token brings along, or
// addresses of some, are not looked at.
func parse(token string) (*jwt.JSONWebToken, wanted, error) {
	if len(token) > MaxToken {
		return nil, wanted{}, refuse("the token has more than %d bytes", MaxToken)
	}
	parsed, err := jwt.ParseSigned(token, algorithms())
	if err != nil {
		return nil, wanted{}, refuse("%s", quote(err))
	}
	if len(parsed.Headers) != 1 {
		return nil, wanted{}, refuse("the token has %d signatures", len(parsed.Headers))
	}
	header := parsed.Headers[0]
	for _, name := range []jose.HeaderKey{"crit", "b64", jose.HeaderContentType} {
		if _, there := header.ExtraHeaders[name]; there {
			return nil, wanted{}, refuse("the header has %s", name)
		}
	}
	if kind, there := header.ExtraHeaders[jose.HeaderType]; there && !isType(kind) {
		return nil, wanted{}, refuse("the token is of another type")
	}
	return parsed, wanted{header.KeyID, header.Algorithm}, nil
}

// isType reports whether the header's typ is one of an ID token or an access
// token: logout tokens and others that providers sign are neither.
func isType(kind any) bool {
	text, _ := kind.(string)
	text = strings.TrimPrefix(strings.ToLower(text), "application/") // RFC 7515, 4.1.9
	return text == "jwt" || text == "at+jwt"
}

// claims are what a token says. They are read by go-jose's JSON, which tells
// upper from lower case and takes no name twice: otherwise a claim of the
// provider's users' own choice could stand in for one of the provider's.
type claims struct {
	jwt.Claims
	Email         string           `json:"email"`
	EmailVerified any              `json:"email_verified"`
	Name          string           `json:"name"`
	ClientID      string           `json:"client_id"` // who the token was issued to, of access tokens
	Party         string           `json:"azp"`       // and of ID tokens
	Events        *json.RawMessage `json:"events"`
	Confirmation  *json.RawMessage `json:"cnf"`
}

// check returns why a token says nothing to us, nil if it does.
func (c claims) check(issuer account.Issuer, now time.Time) error {
	switch {
	case c.Issuer != issuer.URL:
		return refuse("iss is %s", account.Quote(c.Issuer))
	case !slices.ContainsFunc(issuer.Audiences, c.Audience.Contains):
		return refuse("aud is %s", account.Quote(strings.Join(c.Audience, " ")))
	case !isSubject(c.Subject):
		return refuse("sub is not 1 to %d printable characters", maxSubject)
	case c.Expiry == nil || c.IssuedAt == nil:
		return refuse("exp and iat have to be there")
	case c.Events != nil:
		return refuse("the token tells of an event, and signs nobody in")
	case c.Confirmation != nil:
		return refuse("the token is bound to a key, which a bearer does not prove")
	case c.ClientID == c.Subject || c.Party == c.Subject:
		return refuse("the token is a client's own, and no user's")
	}
	expires, issued := c.Expiry.Time(), c.IssuedAt.Time()
	if expires.After(maxTime) || issued.Before(time.Unix(0, 0)) {
		return refuse("its times are out of range")
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Time: now}, skew); err != nil {
		return refuse("it is of another time: %s", quote(err))
	}
	return nil
}

// isSubject reports whether a subject can be one: 1 to 255 printable characters of ASCII.
func isSubject(sub string) bool {
	return sub != "" && len(sub) <= maxSubject && !strings.ContainsFunc(sub, func(r rune) bool { return r < ' ' || r > '~' })
}

// vouched is what the directory is told. An address that the provider has not
// verified is none, as is a name that is not fit to be shown.
func (c claims) vouched(issuer account.Issuer) directory.Vouched {
	v := directory.Vouched{Issuer: issuer, Subject: c.Subject, IssuedAt: c.IssuedAt.Time().UTC(), ExpiresAt: c.Expiry.Time().UTC()}
	if i := slices.IndexFunc(issuer.Audiences, c.Audience.Contains); i >= 0 {
		v.Audience = issuer.Audiences[i]
	}
	if email, err := account.CleanEmail("email", c.Email); err == nil && verified(c.EmailVerified) {
		v.Email = email
	}
	if name, err := account.CleanName("name", c.Name); err == nil {
		v.Name = name
	}
	return v
}

// verified reads email_verified: true, or the text "true" that some providers
// send, such as Apple. Whatever else is false.
func verified(claim any) bool { return claim == true || claim == "true" }

// SameAddress reports whether two addresses of issuers could be meant as one: they
// differ in case or in a slash at the end. It is for refusing, not for believing.
func SameAddress(a, b string) bool {
	plain := func(s string) string {
		if u, err := url.Parse(s); err == nil {
			u.Host = strings.TrimSuffix(strings.TrimSuffix(u.Host, ":443"), ":80")
			s = u.String()
		}
		return strings.ToLower(strings.TrimRight(s, "/"))
	}
	return plain(a) == plain(b)
}
