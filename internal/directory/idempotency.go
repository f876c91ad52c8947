package directory

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// memory is the idempotency of one request.
type memory struct {
	key         string
	fingerprint []byte
}

const maxIdempotencyKey = 255

func remember(req Request, op string, input any) (*memory, error) {
	if req.IdempotencyKey == "" {
		return nil, nil
	}
	if len(req.IdempotencyKey) > maxIdempotencyKey {
		return nil, fault.New(fault.Invalid, "invalid_idempotency_key", "an Idempotency-Key has at most %d characters", maxIdempotencyKey).In("Idempotency-Key")
	}
	if !utf8.ValidString(req.IdempotencyKey) {
		return nil, fault.New(fault.Invalid, "invalid_idempotency_key", "the Idempotency-Key is not valid UTF-8").In("Idempotency-Key")
	}
	text, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(op+"\n"), text...))
	// a key belongs to the actor who chose it; an operator who impersonates a user is not that user
	owner := req.Actor.Name()
	if req.Actor.Impersonation != "" {
		owner += "\n" + string(req.Actor.Impersonation)
	}
	return &memory{key: owner + "\n" + req.IdempotencyKey, fingerprint: sum[:]}, nil
}

// recall returns the version at which the request was carried out before, 0 if it was not, and puts its result into value.
func (m *memory) recall(ctx context.Context, tx Tx, value any) (account.Version, error) {
	r, ok, err := tx.Recall(ctx, m.key)
	if err != nil || !ok {
		return 0, err
	}
	if !slices.Equal(r.Fingerprint, m.fingerprint) {
		return 0, fault.New(fault.Conflict, "idempotency_key_reused", "this Idempotency-Key was used for another request").In("Idempotency-Key")
	}
	return r.Version, json.Unmarshal(r.Result, value)
}

func (m *memory) keep(ctx context.Context, tx Tx, version account.Version, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.Remember(ctx, m.key, Remembered{Fingerprint: m.fingerprint, Version: version, Result: text})
}
