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
	Private     []byte // PKCS #8, DER
	CreatedAt   time.Time
}

// String returns the key's id.
func (k SigningKey) String() string { return "signing key " + k.ID }

// GoString is String, so that %#v does not show the key either.
func (k SigningKey) GoString() string { return k.String() }

// LogValue is String, for slog.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
