package identity

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/memo"
)

// APIPrefix begins every API token. No environment's id begins with api_, so that
// no client's token does.
const APIPrefix = Prefix + "api_"

// APITokens keeps the API tokens of accounts with the hashes of their secrets.
type APITokens interface {
	// APITokenCredential returns an API token and the hash of its secret, which is nil if none
	// was ever set. NotFound faults for what does not exist, Unavailable faults when trying again may help.
	APITokenCredential(ctx context.Context, env account.EnvironmentID, id account.APITokenID) (account.APIToken, []byte, error)
}

// Noting is told which credentials are used.
type Noting interface {
	// Note is told that an API token was used, NoteSecret that a client's secret was.
	Note(env account.EnvironmentID, id account.APITokenID, at time.Time)
	NoteSecret(env account.EnvironmentID, id account.SecretID, at time.Time)
}

// APIToken is the credential of a machine member of an account as it is sent (C1).
type APIToken struct {
	Environment account.EnvironmentID
	ID          account.APITokenID
	Secret      directory.Secret
}

// FormatAPIToken returns the token that the machine sends: tenantry_api_<environment>.<id>.<secret>.
func FormatAPIToken(env account.EnvironmentID, id account.APITokenID, secret directory.Secret) string {
	return APIPrefix + string(env) + "." + string(id) + "." + string(secret)
}

// ParseAPIToken is the reverse of FormatAPIToken. An Unauthenticated fault
// (unauthenticated) that repeats nothing of the text if it is not a token.
func ParseAPIToken(text string) (APIToken, error) {
	parts, ok := split(text, APIPrefix)
	if !ok {
		return APIToken{}, unauthenticated("the bearer token is not an API token of Tenantry's: that is written %s<environment>.<id>.<secret>", APIPrefix)
	}
	return APIToken{account.EnvironmentID(parts[0]), account.APITokenID(parts[1]), directory.Secret(parts[2])}, nil
}

// String returns the token with its secret left out.
func (t APIToken) String() string { return FormatAPIToken(t.Environment, t.ID, "***") }

// GoString is String, so that %#v does not show the secret either.
func (t APIToken) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t APIToken) LogValue() slog.Value { return slog.StringValue(t.String()) }

// machine returns the machine member that sends the API token. Unknown, revoked,
// expired and with another secret are one to the caller: the same answer after the same work.
func (a *Authenticator) machine(ctx context.Context, text, actForUser string) (Caller, error) {
	token, err := ParseAPIToken(text)
	if err != nil {
		return Caller{}, err
	}
	known, err := a.apiToken(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	now := a.sources.now()
	if known.Expired(now) {
		return Caller{}, notAPIToken()
	}
	caller := Caller{
		Actor:      account.Actor{Environment: token.Environment, APIToken: token.ID},
		Account:    known.Account,
		Credential: credential(token.Environment, "api_token", token.ID),
		Share:      credential(token.Environment, "account", known.Account), // who makes many tokens has no more of it
	}
	if actForUser != "" {
		return caller, fault.New(fault.Denied, "may_not_act_for_users", "an API token acts for nobody but itself").In(ActForUser)
	}
	if a.sources.Uses != nil {
		a.sources.Uses.Note(token.Environment, token.ID, now)
	}
	return caller, nil
}

// apiToken returns the API token whose secret was sent, which may have expired.
func (a *Authenticator) apiToken(ctx context.Context, token APIToken) (account.APIToken, error) {
	mark, shown := memo.For(ctx, a.sources.Marks), proofOf(token.Environment, token.ID, token.Secret)
	if known, ok := a.accepted.tokens.Get(mark, shown); ok {
		return known, nil
	}
	known, kept, err := a.sources.APITokens.APITokenCredential(ctx, token.Environment, token.ID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.APIToken{}, err
	}
	if !matches(shown.hash[:], kept) || err != nil {
		return account.APIToken{}, notAPIToken()
	}
	a.accepted.tokens.Put(mark, shown, known)
	return known, nil
}

func notAPIToken() error {
	return unauthenticated("the API token is not valid: it is unknown, revoked, expired, or its secret is another")
}
