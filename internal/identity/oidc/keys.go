package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// The bounds of a provider's keys.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192 // verifying takes longer with larger ones
)

// readKeys reads a JSON Web Key Set. Keys of a kind that is not taken are passed
// over, as RFC 7517, 5 asks for: a set may hold them for others.
func readKeys(text []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("the keys are no JSON Web Key Set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("there are %d keys, and at most %d are taken", len(set.Keys), maxKeys)
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err == nil && isGood(key) {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("of its %d keys none is fit to verify signatures with", len(set.Keys))
	}
	return out, nil
}

// isGood reports whether a key is one to verify signatures with. A private key is not: who publishes it has lost it.
func isGood(key jose.JSONWebKey) bool {
	if !key.Valid() || key.Use != "" && key.Use != "sig" {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	default:
		return false
	}
}

// pick returns the key that a token names, if that is for the token's algorithm. A
// token that names none may be signed with the only key there is for its algorithm.
func pick(keys []jose.JSONWebKey, w wanted) (jose.JSONWebKey, bool) {
	var fitting []jose.JSONWebKey
	for _, key := range keys {
		if (w.id == "" || key.KeyID == w.id) && isFor(key, w.algorithm) {
			fitting = append(fitting, key)
		}
	}
	if len(fitting) != 1 {
		return jose.JSONWebKey{}, false
	}
	return fitting[0], true
}

// isFor reports whether a key is for an algorithm: of its kind, and not kept for another.
func isFor(key jose.JSONWebKey, algorithm string) bool {
	if key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] == "RS" || algorithm[:2] == "PS"
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[public.Curve.Params().BitSize]
	default:
		return algorithm == "EdDSA"
	}
}
