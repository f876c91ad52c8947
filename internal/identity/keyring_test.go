package identity_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// ringed is a ring in a time that its test moves.
type ringed struct {
	*ring
	t   *testing.T
	now time.Time
}

func newRinged(t *testing.T) *ringed {
	r := &ringed{t: t, now: clock}
	r.ring = newRingAt(func() time.Time { return r.now })
	return r
}

// signs is the id of the key that prod signs with.
func (r *ringed) signs() string {
	r.t.Helper()
	key, _, err := r.Signing(r.t.Context(), "prod")
	if err != nil {
		r.t.Fatal(err)
	}
	return key.ID
}

// published are the ids of the keys that strangers see.
func (r *ringed) published() []string {
	r.t.Helper()
	set, err := r.Published(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var ids []string
	for _, key := range set.Keys {
		public, ok := key.Key.(ed25519.PublicKey)
		if !ok || len(public) != ed25519.PublicKeySize || key.Algorithm != "EdDSA" || key.Use != "sig" || !key.IsPublic() || !key.Valid() {
			r.t.Errorf("key %s is published as %T", key.KeyID, key.Key)
		}
		ids = append(ids, key.KeyID)
	}
	return ids
}

func (r *ringed) verifies(id string) bool {
	r.t.Helper()
	_, err := r.SigningKey(context.Background(), id)
	if err != nil && !errors.Is(err, fault.NotFound) {
		r.t.Fatal(err)
	}
	return err == nil
}

// TestKeysRotateByThemselves follows a key from its beginning to its end.
func TestKeysRotateByThemselves(t *testing.T) {
	r := newRinged(t)
	first := r.signs() // at once: there is no other
	r.now = clock.Add(account.KeyAge - time.Second)
	if got := r.signs(); got != first || len(r.byID) != 1 {
		t.Fatalf("a new key before its time: %s of %d", got, len(r.byID))
	}
	r.now = clock.Add(account.KeyAge)
	replaced := r.now
	if got := r.signs(); got != first {
		t.Error("a key signs before anybody can have it")
	}
	published := r.published()
	if len(published) != 2 || published[0] != first {
		t.Fatalf("published: %v", published)
	}
	second := published[1]
	r.now = replaced.Add(account.KeyLead - time.Microsecond)
	if r.signs() != first {
		t.Error("the next key signs too early")
	}
	r.now = replaced.Add(account.KeyLead)
	if r.signs() != second {
		t.Error("the next key does not sign when it is time")
	}
	// the last token of the first key was signed just before, and may live for a day
	r.now = r.now.Add(account.MaxTokenMinutes * time.Minute)
	if !r.verifies(first) || len(r.published()) != 2 {
		t.Error("a key is gone before the last of its tokens")
	}
	r.now = r.now.Add(time.Minute)
	if r.verifies(first) || !r.verifies(second) {
		t.Error("a key outlives the last of its tokens")
	}
	if diff := cmp.Diff([]string{second}, r.published()); diff != "" {
		t.Error(diff)
	}
	if r.signs(); len(r.byID) != 1 {
		t.Errorf("%d keys are kept; the private part of the old one is to be gone", len(r.byID))
	}
}

func TestKeysRotateWhenAsked(t *testing.T) {
	for name, revoke := range map[string]bool{"rotate": false, "revoke": true} {
		t.Run(name, func(t *testing.T) {
			r := newRinged(t)
			first := r.signs()
			r.now = clock.Add(time.Hour)
			r.settings.RotatedAt = new(r.now)
			if revoke {
				r.settings.RevokedAt = new(r.now)
				if r.verifies(first) || len(r.published()) != 0 {
					t.Error("a revoked key verifies, or is published")
				}
			}
			second := r.signs()
			if second == first {
				t.Fatal("the old key signs on")
			}
			if r.verifies(first) == revoke || !r.verifies(second) {
				t.Errorf("verifying: first %t, second %t", r.verifies(first), r.verifies(second))
			}
			if wanted := map[bool]int{true: 1, false: 2}[revoke]; len(r.byID) != wanted || len(r.published()) != wanted {
				t.Errorf("%d keys are kept and %d published, want %d", len(r.byID), len(r.published()), wanted)
			}
			if r.signs() != second {
				t.Error("one rotation is carried out twice")
			}
		})
	}
}

// TestKeysRotateThoughClocksDiffer: who asked for the rotation, or made the last key, may be ahead.
func TestKeysRotateThoughClocksDiffer(t *testing.T) {
	r := newRinged(t)
	first := r.signs()
	r.settings.RotatedAt, r.settings.RevokedAt = new(clock.Add(time.Minute)), new(clock.Add(time.Minute))
	second := r.signs()
	if second == first || !r.verifies(second) || r.verifies(first) {
		t.Error("the rotation of a server whose clock is ahead is not carried out")
	}
	r.now = clock.Add(-time.Hour) // this server's is behind
	if r.signs() != second || len(r.byID) != 1 {
		t.Errorf("%d keys", len(r.byID))
	}
}

// TestKeysAreKeptWithoutBeingUsed: Run deletes what has had its day; who signs nothing gets no key.
func TestKeysAreKeptWithoutBeingUsed(t *testing.T) {
	r := newRinged(t)
	first := r.signs()
	r.settings.RevokedAt = new(clock.Add(time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // one round
	r.Run(ctx)
	if _, there := r.byID[first]; there || len(r.byID) != 1 {
		t.Errorf("the revoked key is kept: %v", r.byID)
	}
	for _, key := range r.byID {
		if key.Environment != "prod" {
			t.Errorf("%s has a key that nobody needs", key.Environment)
		}
	}
}

func TestKeysThatCannotBeRead(t *testing.T) {
	r := newRinged(t)
	r.signs()
	r.away = fault.New(fault.Unavailable, "database_unavailable", "away")
	_, _, signing := r.Signing(t.Context(), "prod")
	_, published := r.Published(t.Context())
	for _, err := range []error{signing, published, r.Keep(t.Context(), "prod")} {
		if !errors.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	}
}

// TestTokensLiveNoLongerThanTheirKeys: a token for longer than a day would outlive the key that verifies it.
func TestTokensLiveNoLongerThanTheirKeys(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock}
	f.issue("prod")
	id, key := f.key("prod")
	for _, tt := range []struct {
		lives time.Duration
		good  bool
	}{{24 * time.Hour, true}, {24*time.Hour + time.Second, false}} {
		token := sign(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, claims{
			"iss": us, "aud": "tenantry:prod", "token_use": "impersonation", "sub": "ada", "jti": "imp_1", "env": "prod", "act": claims{"sub": "operator:shop"},
			"iat": clock.Unix(), "nbf": clock.Unix(), "exp": clock.Add(tt.lives).Unix(),
		}, by(key))
		if _, err := f.verify(token, ""); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.lives, err)
		}
	}
}

var _ identity.Keys = (*identity.Keyring)(nil)

// TestChangesOfKeysAreTold: to whoever keeps what was published.
func TestChangesOfKeysAreTold(t *testing.T) {
	r := newRinged(t)
	before := r.Changes()
	r.signs()
	made := r.Changes()
	r.signs()
	if made == before || r.Changes() != made {
		t.Errorf("%d changes before a key was made, %d then, and %d when it signed again", before, made, r.Changes())
	}
}
