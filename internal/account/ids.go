package account

import (
	"crypto/rand"
	"encoding/base32"
	"regexp"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
)

// Identifiers are types of their own, so that one kind cannot be passed for another.
// All but EnvironmentID are unique within their environment only.
type (
	// EnvironmentID names an environment (E1); unique in the deployment.
	EnvironmentID string
	// ID names an account.
	ID string
	// UserID names a user.
	UserID string
	// RoleKey names a role.
	RoleKey string
	// FeatureKey names a feature of the vendor's product.
	FeatureKey string
	// PlanKey names a plan: a set of features.
	PlanKey string
	// InvitationID names an invitation (I1).
	InvitationID string
	// APITokenID names an account's API token (C1).
	APITokenID string
	// ImpersonationID names a session in which an operator acts as a user (E4).
	ImpersonationID string
	// ClientID names an operator (E4): an environment client (C1), or a person who signs in.
	ClientID string
	// SecretID names one of the secrets of an environment client (C2).
	SecretID string
	// IssuerID names an OpenID provider that an environment trusts.
	IssuerID string
	// IdentityID names the link between a user and a subject at an OpenID provider.
	IdentityID string
	// PermissionKey names a permission of the catalogue, e.g. "fe.account-hierarchy.read.subAccount" (U3).
	PermissionKey string
	// Version numbers the changes of one environment, from 1, without gaps.
	Version int64
)

// isIdentifier reports whether s may serve as an identifier.
func isIdentifier(s string) bool { return len(s) <= 64 && IsPlain(s, "_-") }

// IsPlain reports whether s is there, and has no other characters than A-Z a-z 0-9 and the more that are named. It
// is asked of every request, and so is no regular expression, which takes ten times as long.
func IsPlain(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return s != ""
}

// CheckID returns an Invalid fault (code "invalid_id") naming the field unless s may serve as an identifier.
func CheckID[T ~string](field string, s T) error {
	if isSecret := Masked(string(s)) != string(s); isSecret {
		return fault.New(fault.Invalid, "invalid_id", "%s is an identifier, and this is a secret: %s; revoke it if others may have read it", field, Quote(string(s))).In(field)
	}
	if !isIdentifier(string(s)) {
		return fault.New(fault.Invalid, "invalid_id",
			"%s must be 1 to 64 of the characters A-Z a-z 0-9 _ -, not %s", field, Quote(string(s))).In(field)
	}
	return nil
}

// NewID returns a random identifier with the given prefix, e.g. "acc_k3v…": 100 bits, lower case.
func NewID(prefix string) string {
	var b [13]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand.Read aborts the program instead
	return prefix + "_" + lower32.EncodeToString(b[:])[:20]
}

// lower32 is RFC 4648's base32 in lower case, without padding.
var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// secretsBegin is how each secret begins.
const secretsBegin = "tenantry_"

var secrets = regexp.MustCompile(`(` + secretsBegin + `[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.)[A-Za-z0-9_-]{8,}`)

// Masked returns s with what is secret in it as ***: clients' secrets, API tokens and
// invitations' links, which callers put into the wrong places.
func Masked(s string) string {
	if !strings.Contains(s, secretsBegin) {
		return s
	}
	return secrets.ReplaceAllString(s, "$1***")
}

// Quote returns s in quotes, shortened and without control characters and secrets, fit for an error text.
func Quote(s string) string {
	const most = 80
	var out strings.Builder
	n := 0
	for _, r := range Masked(s) {
		if n == most {
			out.WriteString("…")
			break
		}
		if r < ' ' || r == 0x7f || r == '"' {
			r = '\uFFFD'
		}
		out.WriteRune(r)
		n++
	}
	return `"` + out.String() + `"`
}
