package identity

import (
	"log/slog"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Prefix begins every token, so that secret scanners can find one that leaked.
const Prefix = "tenantry_"

// maxSecret bounds what is hashed for a caller who is not known yet, in bytes.
const maxSecret = 256

// Token is the credential of an environment client as it is sent: it names the
// environment and the client, and proves the latter by its secret (C1).
type Token struct {
	Environment account.EnvironmentID
	Client      account.ClientID
	Secret      directory.Secret
}

// FormatToken returns the token that a client sends: tenantry_<environment>.<client>.<secret>.
func FormatToken(env account.EnvironmentID, client account.ClientID, secret directory.Secret) string {
	return Prefix + string(env) + "." + string(client) + "." + string(secret)
}

// ParseToken is the reverse of FormatToken. An Unauthenticated fault
// (unauthenticated) that repeats nothing of the text if it is not a token.
func ParseToken(text string) (Token, error) {
	malformed := unauthenticated("the bearer token is not one of Tenantry's: it is written %s<environment>.<client>.<secret>", Prefix)
	parts, ok := split(text, Prefix)
	if !ok {
		return Token{}, malformed
	}
	return Token{account.EnvironmentID(parts[0]), account.ClientID(parts[1]), directory.Secret(parts[2])}, nil
}

// split takes a token apart that is written <prefix><environment>.<id>.<secret>.
func split(text, prefix string) (parts []string, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) > 2*maxSecret {
		return nil, false
	}
	parts = strings.Split(rest, ".")
	ok = len(parts) == 3 && account.CheckID("environment", parts[0]) == nil && account.CheckID("id", parts[1]) == nil &&
		len(parts[2]) <= maxSecret && account.IsPlain(parts[2], "_-")
	return parts, ok
}

// String returns the token with its secret left out.
func (t Token) String() string { return FormatToken(t.Environment, t.Client, "***") }

// GoString is String, so that %#v does not show the secret either.
func (t Token) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

func unauthenticated(text string, args ...any) *fault.Error {
	return fault.New(fault.Unauthenticated, "unauthenticated", text, args...)
}
