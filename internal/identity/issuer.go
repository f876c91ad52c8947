package identity

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tenantry/tenantry/internal/account"
)

// Keys keeps the keys that issued tokens are signed with.
type Keys interface {
	// SigningKey returns a key by its id. NotFound and Unavailable faults.
	SigningKey(ctx context.Context, id string) (account.SigningKey, error)
	// NewestSigningKey returns the key that an environment signs with; the one that create
	// returns, which it keeps, if there is none. NotFound and Unavailable faults.
	NewestSigningKey(ctx context.Context, env account.EnvironmentID, create func() (account.SigningKey, error)) (account.SigningKey, error)
}

// What issued tokens say of themselves.
const (
	Issuer   = "tenantry" // who issues them
	Audience = "tenantry" // whom they are for

	tokenType      = "at+jwt" // RFC 9068
	operatorPrefix = "operator:"
	maxIssued      = 4096             // bytes of a token that is looked at
	skew           = 30 * time.Second // by which the clocks of servers may differ
)

// issued is what an issued token claims.
type issued struct {
	jwt.Claims
	Environment account.EnvironmentID `json:"env"`
	Act         act                   `json:"act"` // who acts as the subject (RFC 8693)
}

type act struct {
	Subject string `json:"sub"`
}

// Signer issues tokens.
type Signer struct {
	keys Keys
	now  func() time.Time
}

// NewSigner returns a Signer; now may be nil for the clock.
func NewSigner(keys Keys, now func() time.Time) *Signer {
	if now == nil {
		now = time.Now
	}
	return &Signer{keys: keys, now: now}
}

// Impersonation returns the token of a session: its bearer is the user, as long as the session goes on (E4).
func (s *Signer) Impersonation(ctx context.Context, env account.EnvironmentID, i account.Impersonation) (string, error) {
	key, err := s.keys.NewestSigningKey(ctx, env, func() (account.SigningKey, error) { return newKey(env, s.now()) })
	if err != nil {
		return "", err
	}
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
	token, err := jwt.Signed(signer).Claims(issued{
		Claims: jwt.Claims{
			Issuer: Issuer, Audience: jwt.Audience{Audience}, Subject: string(i.User), ID: string(i.ID),
			IssuedAt: jwt.NewNumericDate(i.CreatedAt), NotBefore: jwt.NewNumericDate(i.CreatedAt), Expiry: jwt.NewNumericDate(i.ExpiresAt),
		},
		Environment: env,
		Act:         act{operatorPrefix + string(i.Operator)},
	}).Serialize()
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

// publicKey is what a key's signatures are verified with.
func publicKey(key account.SigningKey) (crypto.PublicKey, error) {
	private, err := privateKey(key)
	if err != nil {
		return nil, err
	}
	return private.Public(), nil
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
