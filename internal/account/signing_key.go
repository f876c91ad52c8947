package account

import (
	"log/slog"
	"time"
)

// SigningKey is a key with which an environment's issued tokens are signed. It is
// the one secret that is kept as it is, since a hash signs nothing; it shows as its id.
type SigningKey struct {
	ID          string
	Environment EnvironmentID
	Private     []byte     // PKCS #8, DER; nil where only the rest is wanted
	CreatedAt   time.Time  // later than that of every key before it
	ReplacedAt  *time.Time // when the environment's next key was made; nil for its newest
}

const (
	// KeyAge is how old the newest key is when the next one is made, unless it is configured.
	KeyAge = 30 * 24 * time.Hour
	// MinKeyAge is the least that may be configured.
	MinKeyAge = 24 * time.Hour
	// KeyLead is for how long a key is published before it signs, so that who keeps the published keys has it by then.
	KeyLead = time.Hour
	// MaxKeys is the most keys of an environment that may verify at once.
	MaxKeys = 20
)

// keyRest is for how long a key verifies after the next one was made: it signs
// until that one does, a token lives a day at most, and clocks may differ a little.
const keyRest = KeyLead + MaxTokenMinutes*time.Minute + time.Minute

// Until returns when nothing that the key signed is accepted any more; nil while that is open.
func (k SigningKey) Until() *time.Time {
	if k.ReplacedAt == nil {
		return nil
	}
	return new(k.ReplacedAt.Add(keyRest))
}

// Verifies reports whether a signature by the key counts at the given time.
func (k SigningKey) Verifies(at time.Time) bool {
	return k.ReplacedAt == nil || at.Before(k.ReplacedAt.Add(keyRest))
}

// String returns the key's id.
func (k SigningKey) String() string { return "signing key " + k.ID }

// GoString is String, so that %#v does not show the key either.
func (k SigningKey) GoString() string { return k.String() }

// LogValue is String, for slog.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// KeyRing is the signing keys of an environment, with what it says of them.
type KeyRing struct {
	Keys         []SigningKey // oldest first
	RotatedAt    *time.Time   // Environment.KeysRotatedAt
	RevokedAt    *time.Time   // Environment.KeysRevokedAt
	TokenMinutes int          // Environment.TokenMinutes
}

// signers are the keys that may sign: those made since the last rotation that was asked for.
func (r KeyRing) signers() []SigningKey {
	for i, k := range r.Keys {
		if !r.revoked(k) && (r.RotatedAt == nil || !k.CreatedAt.Before(*r.RotatedAt)) {
			return r.Keys[i:]
		}
	}
	return nil
}

func (r KeyRing) revoked(k SigningKey) bool {
	return r.RevokedAt != nil && k.CreatedAt.Before(*r.RevokedAt)
}

// Signing returns the key that signs at the given time: the newest that has been
// published for long enough, or the first if none has. false if there is none that may.
func (r KeyRing) Signing(at time.Time) (SigningKey, bool) {
	signers := r.signers()
	if len(signers) == 0 {
		return SigningKey{}, false
	}
	best := signers[0]
	for _, k := range signers[1:] {
		if !at.Before(k.CreatedAt.Add(KeyLead)) {
			best = k
		}
	}
	return best, true
}

// WantsKey reports whether another key is to be made at the given time: there is
// none that may sign, or the newest has reached the given age.
func (r KeyRing) WantsKey(at time.Time, age time.Duration) bool {
	signers := r.signers()
	return len(signers) == 0 || !at.Before(signers[len(signers)-1].CreatedAt.Add(age))
}

// NextAt returns when a key that is made now counts as made: later than all that
// is here, whatever the clocks of those who made it said.
func (r KeyRing) NextAt(now time.Time) time.Time {
	at := now.UTC().Truncate(time.Microsecond)
	after := func(t *time.Time) {
		if t != nil && t.After(at) {
			at = *t
		}
	}
	after(r.RotatedAt)
	after(r.RevokedAt)
	if n := len(r.Keys); n > 0 {
		after(new(r.Keys[n-1].CreatedAt.Add(time.Microsecond)))
	}
	return at
}

// Live returns the keys whose signatures count at the given time, or will, oldest first.
func (r KeyRing) Live(at time.Time) []SigningKey { return r.sift(at, true) }

// Spent returns the keys whose signatures will never count again.
func (r KeyRing) Spent(at time.Time) []SigningKey { return r.sift(at, false) }

func (r KeyRing) sift(at time.Time, live bool) []SigningKey {
	var out []SigningKey
	for _, k := range r.Keys {
		if (k.Verifies(at) && !r.revoked(k)) == live {
			out = append(out, k)
		}
	}
	return out
}

// KeyState says what a signing key is used for.
type KeyState string

// The states of a signing key that verifies.
const (
	KeySigns    KeyState = "signing"   // new tokens are signed with it
	KeyNext     KeyState = "next"      // it is published, and will sign
	KeyVerifies KeyState = "verifying" // it has signed, and verifies until the last of its tokens has expired
)

// State says what a live key of the ring is used for at the given time.
func (r KeyRing) State(k SigningKey, at time.Time) KeyState {
	signing, found := r.Signing(at)
	switch {
	case found && k.ID == signing.ID:
		return KeySigns
	case found && k.CreatedAt.After(signing.CreatedAt):
		return KeyNext
	default:
		return KeyVerifies
	}
}
