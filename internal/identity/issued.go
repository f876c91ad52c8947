package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/memo"
)

// genuineToken is the refusal of a token that is signed by a key of ours. It says the same as others.
type genuineToken struct{ error }

// Unwrap returns the refusal.
func (g genuineToken) Unwrap() error { return g.error }

// IsGenuine reports whether what was refused is a token that Tenantry has signed, which has
// expired or opens nothing any more: who presents one is not guessing.
func IsGenuine(err error) bool {
	_, ok := errors.AsType[genuineToken](err)
	return ok
}

// genuine marks a refusal for IsGenuine, if it is one of the token itself.
func genuine(err error) error {
	if errors.Is(err, fault.Unauthenticated) {
		return genuineToken{err}
	}
	return err
}

// issuedTo returns who the bearer of an issued token is.
func (a *Authenticator) issuedTo(ctx context.Context, text string, p Presented) (Caller, error) {
	env, c, err := a.verifyIssued(ctx, text)
	if err != nil {
		return Caller{}, err
	}
	caller, err := a.bearerOf(ctx, env, c, p)
	return caller, genuine(err)
}

// bearerOf returns whose token it is that claims this.
func (a *Authenticator) bearerOf(ctx context.Context, env account.EnvironmentID, c issued, p Presented) (Caller, error) {
	switch c.Use {
	case useImpersonation:
		return a.impersonation(ctx, env, c, p)
	case useClient:
		return a.clientToken(ctx, env, c, p)
	case useAccount:
		return a.forAccount(ctx, env, c, p)
	default:
		return Caller{}, notIssued()
	}
}

func notIssued() error {
	return unauthenticated("the token is not valid: it is expired, or none that Tenantry issued")
}

// verifyIssued returns what an issued token claims, if its signature is by a key
// of ours and it is for us and of this time. The environment is the key's: what is
// signed with one environment's key says nothing about another.
func (a *Authenticator) verifyIssued(ctx context.Context, text string) (account.EnvironmentID, issued, error) {
	if len(text) > maxIssued {
		return "", issued{}, notIssued()
	}
	mark, hash := memo.For(ctx, a.sources.Marks), sha256.Sum256([]byte(text))
	token, known := a.accepted.issued.Get(mark, hash)
	if !known {
		var err error
		if token, err = a.verifySignature(ctx, text); err != nil {
			return "", issued{}, err
		}
		a.accepted.issued.Put(mark, hash, token)
	} else if !token.key.Verifies(a.sources.now()) {
		return "", issued{}, notIssued()
	}
	if !a.fits(token.key.Environment, token.claims) {
		return "", issued{}, genuine(notIssued())
	}
	return token.key.Environment, token.claims, nil
}

// verifySignature returns what a token claims that is signed by a key of ours.
func (a *Authenticator) verifySignature(ctx context.Context, text string) (verified, error) {
	if !isCanonical(text) {
		return verified{}, notIssued()
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(token.Headers) != 1 {
		return verified{}, notIssued()
	}
	header := token.Headers[0]
	if kind, _ := header.ExtraHeaders[jose.HeaderType].(string); kind != tokenType || account.CheckID("kid", header.KeyID) != nil {
		return verified{}, notIssued()
	}
	key, err := a.sources.Keys.SigningKey(ctx, header.KeyID)
	if errors.Is(err, fault.NotFound) {
		return verified{}, notIssued()
	}
	if err != nil {
		return verified{}, err
	}
	public, err := publicKey(key)
	if err != nil {
		return verified{}, err
	}
	out := verified{key: key}
	out.key.Private = nil // what is remembered signs nothing
	if err := token.Claims(public, &out.claims); err != nil {
		return verified{}, notIssued()
	}
	return out, nil
}

// fits reports whether a token is of an environment, for us and of this time. All of it has to be said.
func (a *Authenticator) fits(env account.EnvironmentID, c issued) bool {
	if c.Expiry == nil || c.NotBefore == nil || c.IssuedAt == nil || c.Environment != env {
		return false
	}
	if c.Expiry.Time().Sub(c.IssuedAt.Time()) > longest { // a key verifies only until the last of its tokens has expired
		return false
	}
	return c.ValidateWithLeeway(jwt.Expected{
		Issuer: a.sources.Issuer, AnyAudience: jwt.Audience{audienceOf(env)}, Time: a.sources.now(),
	}, skew) == nil
}

// looksIssued reports whether a bearer token could be an issued one: three parts, the first a JSON object in base64.
func looksIssued(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// isCanonical reports whether an issued token is written in the one way that its
// bytes can be: decoders pass over line breaks and unused bits.
func isCanonical(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || base64.RawURLEncoding.EncodeToString(decoded) != part {
			return false
		}
	}
	return true
}
