package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// SigningKey is a key that issued tokens are signed with.
type SigningKey struct {
	ID        string           `json:"id" doc:"The kid in tokens and in the key set." example:"key_k3vqm2xw7c5hj4d6zt2a"`
	Algorithm string           `json:"alg" example:"EdDSA"`
	CreatedAt time.Time        `json:"created_at"`
	State     account.KeyState `json:"state" enum:"signing,next,verifying" doc:"signing: new tokens are signed with it. next: it is published, and will sign. verifying: it has signed, and verifies until its last token has expired."`
	Until     *time.Time       `json:"until,omitempty" doc:"When it verifies no more, and is deleted; absent while that is open."`
}

// SigningKeys is the keys of the environment, oldest first.
type SigningKeys struct {
	Keys []SigningKey `json:"keys" nullable:"false"`
	PageInfo
}

// KeyRotation asks for another key.
type KeyRotation struct {
	Revoke bool `json:"revoke,omitempty" doc:"What the keys so far have signed is not accepted any more: every token that was issued opens nothing from now on. For when a key has leaked."`
}

// RotatedKeys is what a rotation has led to.
type RotatedKeys struct {
	RotatedAt time.Time  `json:"rotated_at" doc:"Tokens are signed with a key made since then."`
	RevokedAt *time.Time `json:"revoked_at,omitempty" doc:"Tokens that older keys signed are not accepted; absent if none were ever revoked."`
	Applied
}

type rotateKeysInput struct {
	Caller
	MayHaveBody[KeyRotation]
}

func (s *server) registerKeys() {
	register(s, huma.Operation{
		OperationID: "listSigningKeys", Method: http.MethodGet, Path: "/v1/environment/keys", Tags: []string{tagEnvironment},
		Summary: "List the keys that issued tokens are signed with", Description: "Those that verify. The public ones are in the key set. Needs manage_security.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[SigningKeys], error) {
		keys, err := s.directory.Keys(ctx, req.Actor)
		if err != nil {
			return nil, err
		}
		return &Plain[SigningKeys]{SigningKeys{each(keys, signingKeyOf), PageInfo{Total: len(keys)}}}, nil
	})
	register(s, huma.Operation{
		OperationID: "rotateSigningKeys", Method: http.MethodPost, Path: "/v1/environment/keys/rotate", Tags: []string{tagEnvironment},
		Summary:     "Sign issued tokens with another key",
		Description: "Keys are replaced by themselves; this is for when one may have leaked. Without revoke, tokens that were issued stay good until they expire. Needs manage_security.",
		Errors:      []int{http.StatusConflict},
	}, s.rotateKeys)
}

func (s *server) rotateKeys(ctx context.Context, req directory.Request, in *rotateKeysInput) (*Written[RotatedKeys], error) {
	r, err := s.directory.RotateKeys(ctx, req, in.body().Revoke)
	if err != nil {
		return nil, err
	}
	// So that it can be fetched before it is needed; who signs would make it otherwise.
	if err := s.oauth.Keys.Keep(ctx, req.Actor.Environment); err != nil {
		s.log.WarnContext(ctx, "the next signing key was not made yet", "error", err, "environment", string(req.Actor.Environment))
	}
	w := written(req, r, http.StatusOK, RotatedKeys{r.Value.KeysRotatedAt.UTC(), r.Value.KeysRevokedAt, applied(r)})
	w.ETag = "" // of the environment
	return w, nil
}

func signingKeyOf(k directory.Key) SigningKey {
	return SigningKey{ID: k.ID, Algorithm: "EdDSA", CreatedAt: k.CreatedAt.UTC(), State: k.State, Until: k.Until}
}
