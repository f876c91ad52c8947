package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/memo"
)

// WireID is the client_id of an environment's client: <environment>.<client>.
func WireID(env account.EnvironmentID, client account.ClientID) string {
	return clientPrefix(env) + string(client)
}

// clientPrefix begins the names of an environment's clients on the wire.
func clientPrefix(env account.EnvironmentID) string { return string(env) + "." }

// ClientCredential is what a Caller's Credential is for a client.
func ClientCredential(env account.EnvironmentID, client account.ClientID) string {
	return credential(env, "client", client)
}

// Client returns the client that a client_id and a client_secret are of (RFC 6749,
// 2.3.1), and which of its secrets that is, whose use it notes. The client_secret is
// the text that was shown: tenantry_<environment>.<client>.<secret>.
//
// Faults: Unauthenticated (unauthenticated), the same after the same work whatever
// is wrong; Unavailable when the credentials cannot be read. No error repeats what was presented.
func (a *Authenticator) Client(ctx context.Context, clientID, secret string) (account.EnvironmentID, account.Client, account.SecretID, error) {
	token, err := ParseToken(secret)
	if err != nil || WireID(token.Environment, token.Client) != clientID {
		token = Token{} // nobody's
	}
	known, used, err := a.verify(ctx, token)
	if err != nil {
		return "", account.Client{}, "", err
	}
	a.noteSecret(token.Environment, used)
	return token.Environment, known.Client, used, nil
}

// client returns the client that sends its secret as a bearer token, acting for a user if one is named.
func (a *Authenticator) client(ctx context.Context, text string, p Presented) (Caller, error) {
	token, err := ParseToken(text)
	if err != nil {
		return Caller{}, err
	}
	known, used, err := a.verify(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	if known.ExchangeOnly {
		return Caller{}, fault.New(fault.Unauthenticated, "exchange_required",
			"the environment takes no secrets of clients here: exchange it at /oauth2/token (grant_type=client_credentials), and send the access token")
	}
	if err := p.admit(ClientCredential(token.Environment, token.Client), ""); err != nil {
		return Caller{Credential: ClientCredential(token.Environment, token.Client)}, err
	}
	a.noteSecret(token.Environment, used)
	return a.actingFor(ctx, token.Environment, known.Client, used, p.ActForUser)
}

func (a *Authenticator) noteSecret(env account.EnvironmentID, used account.SecretID) {
	if a.sources.Uses != nil {
		a.sources.Uses.NoteSecret(env, used, a.sources.now())
	}
}

// verify returns the client whose secret was sent, and which of its secrets that
// is. Unknown clients take the same path as a wrong secret.
func (a *Authenticator) verify(ctx context.Context, token Token) (account.ClientCredential, account.SecretID, error) {
	shown := proofOf(token.Environment, token.Client, token.Secret)
	kept, remember, err := a.credential(ctx, shown)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.ClientCredential{}, "", err
	}
	var used account.SecretID
	found := false
	now := a.sources.now()
	for _, s := range append(slices.Clip(kept.Secrets), account.KeptSecret{}) { // the last compares as long as there is none
		if matches(shown.hash[:], s.Hash) && !s.Expired(now) {
			used, found = s.ID, true
		}
	}
	if err != nil || !found {
		return account.ClientCredential{}, "", unauthenticated("the client is unknown or revoked, or its secret is another or has expired")
	}
	remember()
	return kept, used, nil
}

// credential returns the credential of a client as it is now, of which something was shown. remember is to be called
// if what was shown is good.
func (a *Authenticator) credential(ctx context.Context, shown proof) (kept account.ClientCredential, remember func(), err error) {
	mark := memo.For(ctx, a.sources.Marks)
	if kept, known := a.accepted.clients.Get(mark, shown); known {
		return kept, func() {}, nil
	}
	kept, err = a.sources.Credentials.Credential(ctx, shown.env, account.ClientID(shown.id))
	return kept, func() { a.accepted.clients.Put(mark, shown, kept) }, err
}

// matches compares a secret's hash with the one that is kept, in constant time. It compares
// without one too, with one that no secret has, so that this takes the same path.
func matches(sent, kept []byte) bool {
	there := len(kept) == len(sent)
	if !there {
		kept = make([]byte, len(sent))
	}
	return subtle.ConstantTimeCompare(sent, kept) == 1 && there
}
