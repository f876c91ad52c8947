package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
)

// Keys are the keys that issued tokens are signed with; a Keyring has them.
type Keys interface {
	// SigningKey returns the key with an id, if what it signed counts. NotFound and Unavailable faults.
	SigningKey(ctx context.Context, id string) (account.SigningKey, error)
	// Signing returns the key that an environment's tokens are signed with now, and
	// how long its tokens live. NotFound and Unavailable faults.
	Signing(ctx context.Context, env account.EnvironmentID) (account.SigningKey, time.Duration, error)
}

// What issued tokens say of themselves.
const (
	audiencePrefix = "tenantry:" // they are for tenantry:<environment>

	tokenType      = "at+jwt" // RFC 9068
	operatorPrefix = "operator:"
	maxIssued      = 4096                                  // bytes of a token that is looked at
	skew           = 30 * time.Second                      // by which the clocks of servers may differ
	longest        = account.MaxTokenMinutes * time.Minute // that a token lives
)

// The uses of issued tokens. Each names what it is, so that none is taken for another.
const (
	useImpersonation = "impersonation" // an operator's, who acts as a user (E4)
	useClient        = "client"        // an environment client's (C1)
	useAccount       = "account"       // a user's, for one account (W2)
)

// issued is what an issued token claims. Which of the claims there are depends on its use.
type issued struct {
	jwt.Claims
	Environment account.EnvironmentID `json:"env"`
	Use         string                `json:"token_use"`
	Act         *act                  `json:"act,omitempty"`       // who acts as the subject (RFC 8693)
	ClientID    string                `json:"client_id,omitempty"` // to whom the token was issued (RFC 9068)
	Scope       string                `json:"scope,omitempty"`     // what it may be used for, separated by spaces
	SecretID    account.SecretID      `json:"secret_id,omitempty"` // the secret that it was got with

	// of tokens for one account
	Account       account.ID              `json:"account,omitempty"`
	Impersonation account.ImpersonationID `json:"impersonation,omitempty"` // the session in which Act acts
	Acting        bool                    `json:"acting,omitempty"`        // the client's word says who the subject is
	Made          *made                   `json:"made,omitempty"`
	SignedIn      *signedIn               `json:"signed_in,omitempty"` // the subject of an OpenID provider who got the token
}

// audienceOf is whom the tokens of an environment are for.
func audienceOf(env account.EnvironmentID) string { return audiencePrefix + string(env) }

type act struct {
	Subject string `json:"sub"`
}

// Signer issues tokens.
type Signer struct {
	keys   Keys
	issuer string
	now    func() time.Time
}

// NewSigner returns a Signer that issues tokens in the name of an issuer, this
// deployment's public address; now may be nil for the clock.
func NewSigner(keys Keys, issuer string, now func() time.Time) *Signer {
	if now == nil {
		now = time.Now
	}
	return &Signer{keys: keys, issuer: issuer, now: now}
}

// Impersonation returns the token of a session: its bearer is the user, as long as the session goes on (E4).
func (s *Signer) Impersonation(ctx context.Context, env account.EnvironmentID, i account.Impersonation) (string, error) {
	return s.sign(ctx, env, issued{
		Claims: jwt.Claims{
			Subject: string(i.User), ID: string(i.ID),
			IssuedAt: jwt.NewNumericDate(i.CreatedAt), NotBefore: jwt.NewNumericDate(i.CreatedAt), Expiry: jwt.NewNumericDate(i.ExpiresAt),
		},
		Use: useImpersonation, Scope: string(i.Scopes),
		Act: &act{operatorPrefix + string(i.Operator)},
	})
}

// sign writes a token of an environment. It adds who issues it, whom it is for, and the environment.
func (s *Signer) sign(ctx context.Context, env account.EnvironmentID, c issued) (string, error) {
	key, _, err := s.keys.Signing(ctx, env)
	if err != nil {
		return "", err
	}
	return s.signWith(key, c)
}

// signWith is sign with a key of the environment.
func (s *Signer) signWith(key account.SigningKey, c issued) (string, error) {
	c.Issuer, c.Audience, c.Environment = s.issuer, jwt.Audience{audienceOf(key.Environment)}, key.Environment
	private, err := privateKey(key)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: private},
		(&jose.SignerOptions{}).WithType(tokenType).WithHeader("kid", key.ID),
	)
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(c).Serialize()
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	return token, nil
}

func newKey(env account.EnvironmentID, at time.Time) (account.SigningKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return account.SigningKey{}, fmt.Errorf("identity: make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return account.SigningKey{}, fmt.Errorf("identity: write a signing key: %w", err)
	}
	return account.SigningKey{ID: account.NewID("key"), Environment: env, Private: der, CreatedAt: at.UTC()}, nil
}

func privateKey(key account.SigningKey) (ed25519.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(key.Private)
	if err != nil {
		return nil, fmt.Errorf("identity: %s cannot be read: %w", key, err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("identity: %s is of another kind", key)
	}
	return private, nil
}
