package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// ClientToken returns an access token for a client that has shown one of its
// secrets, for some of its scopes, and how long it lives: the environment's lifetime of tokens (C1).
//
// NotFound (environment_not_found) and Unavailable faults.
func (s *Signer) ClientToken(ctx context.Context, env account.EnvironmentID, client account.ClientID, secret account.SecretID, scopes account.Scopes) (token string, lifetime time.Duration, err error) {
	key, lifetime, err := s.keys.Signing(ctx, env)
	if err != nil {
		return "", 0, err
	}
	now := s.now().Truncate(time.Second) // tokens tell time in seconds
	token, err = s.signWith(key, issued{
		Claims: jwt.Claims{
			Subject: WireID(env, client), ID: account.NewID("tok"),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(lifetime)),
		},
		Use: useClient, ClientID: WireID(env, client), Scope: ScopeText(scopes), SecretID: secret,
	})
	return token, lifetime, err
}

// ScopeText writes every scope of a set out, as OAuth does.
func ScopeText(scopes account.Scopes) string {
	names := make([]string, 0, len(account.AllScopes()))
	for _, s := range scopes.List() {
		names = append(names, string(s))
	}
	return strings.Join(names, " ")
}

// clientToken returns the client that the bearer of an issued token is, acting for
// a user if one is named. The client and the secret that the token was got with
// are looked up, so that revoking either binds at once; of the token's scopes those
// count that the client still has.
func (a *Authenticator) clientToken(ctx context.Context, env account.EnvironmentID, c issued, p Presented) (Caller, error) {
	name, ok := strings.CutPrefix(c.Subject, clientPrefix(env))
	id := account.ClientID(name)
	if !ok || account.CheckID("sub", id) != nil || c.ClientID != c.Subject || c.Act != nil || c.SecretID == "" {
		return Caller{}, notIssued()
	}
	granted, err := account.ParseScopes("scope", strings.Split(c.Scope, " "))
	if err != nil {
		return Caller{}, notIssued()
	}
	if err := p.admit(ClientCredential(env, id), c.ID); err != nil {
		return Caller{Credential: ClientCredential(env, id)}, err
	}
	kept, remember, err := a.credential(ctx, proof{env: env, id: string(id)}) // no secret has this hash; the signature is the proof
	if errors.Is(err, fault.NotFound) {
		return Caller{}, notIssued()
	}
	if err != nil {
		return Caller{}, err
	}
	now := a.sources.now()
	alive := slices.ContainsFunc(kept.Secrets, func(s account.KeptSecret) bool { return s.ID == c.SecretID && !s.Expired(now) })
	scopes, some := common(granted, kept.Client.Scopes)
	if !alive || !some || c.IssuedAt.Time().Add(skew).Before(kept.Client.CreatedAt) {
		return Caller{}, notIssued()
	}
	remember()
	client := kept.Client
	client.Scopes = scopes
	return a.actingFor(ctx, env, client, c.SecretID, p.ActForUser)
}

// common returns the scopes that are in both sets; false if there are none, which no set stands for.
func common(a, b account.Scopes) (account.Scopes, bool) {
	both := slices.DeleteFunc(a.List(), func(s account.TokenScope) bool { return !b.Has(s) })
	if len(both) == 0 {
		return "", false
	}
	scopes, err := account.ParseScopes("scope", both)
	return scopes, err == nil
}
