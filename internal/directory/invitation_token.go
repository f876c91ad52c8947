package directory

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// invitationPrefix begins the token of every invitation, so that secret scanners can find one that leaked.
const invitationPrefix = "tenantry_invitation_"

// InvitationToken is what the link of an invitation carries: whoever has it may accept (I1).
type InvitationToken struct {
	Environment account.EnvironmentID
	Invitation  account.InvitationID
	Secret      Secret
}

// newInvitationToken makes a token with a fresh secret of 256 random bits.
func newInvitationToken(env account.EnvironmentID, id account.InvitationID) InvitationToken {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return InvitationToken{env, id, Secret(base64.RawURLEncoding.EncodeToString(random[:]))}
}

// Reveal returns the token as it is sent: tenantry_invitation_<environment>.<id>.<secret>.
func (t InvitationToken) Reveal() string {
	return invitationPrefix + string(t.Environment) + "." + string(t.Invitation) + "." + string(t.Secret)
}

// Link puts the token into the address of the page that accepts invitations.
func (t InvitationToken) Link(page string) string {
	return strings.ReplaceAll(page, account.InvitationPlaceholder, url.QueryEscape(t.Reveal()))
}

// String returns the token with its secret left out.
func (t InvitationToken) String() string {
	return InvitationToken{t.Environment, t.Invitation, "***"}.Reveal()
}

// GoString is String, so that %#v does not show the secret either.
func (t InvitationToken) GoString() string { return t.String() }

// LogValue is String, for slog.
func (t InvitationToken) LogValue() slog.Value { return slog.StringValue(t.String()) }

// secretLength is that of a secret as text.
var secretLength = base64.RawURLEncoding.EncodedLen(32)

// parseInvitationToken is the reverse of Reveal; a fault like that for a token that is not valid if it is none.
func parseInvitationToken(text string) (InvitationToken, error) {
	rest, ok := strings.CutPrefix(text, invitationPrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 {
		return InvitationToken{}, invitationInvalid()
	}
	t := InvitationToken{account.EnvironmentID(parts[0]), account.InvitationID(parts[1]), Secret(parts[2])}
	if account.CheckID("environment", t.Environment) != nil || account.CheckID("invitation", t.Invitation) != nil || len(t.Secret) != secretLength {
		return InvitationToken{}, invitationInvalid()
	}
	return t, nil
}

// invitationInvalid is said of every token that opens nothing: why is not told.
func invitationInvalid() *fault.Error {
	return fault.New(fault.NotFound, "invitation_invalid", "this invitation is not valid: it was accepted, withdrawn or sent again, or the link is not complete").In("token")
}

// offered returns the invitation that a token is for. The same is read and
// compared for tokens of invitations that there are not.
//
// Faults: NotFound (invitation_invalid); Conflict (invitation_expired), said to who has the right secret only.
func offered(ctx context.Context, r Reader, t InvitationToken, now time.Time) (account.Versioned[account.Invitation], error) {
	found, err := r.Invitation(ctx, t.Invitation)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return found, err
	}
	there := err == nil
	kept, err := r.InvitationSecrets(ctx, t.Invitation)
	if err != nil {
		return found, err
	}
	if !opens(t.Secret, kept) || !there {
		return account.Versioned[account.Invitation]{}, invitationInvalid()
	}
	if found.Value.Expired(now) {
		return found, fault.New(fault.Conflict, "invitation_expired", "this invitation has expired; ask for another").In("token")
	}
	return found, nil
}

// opens reports whether one of the hashes is the secret's. All are compared, and
// one that no secret has, so that the time it takes tells nothing of where it is.
func opens(secret Secret, hashes [][]byte) bool {
	sent, found := HashSecret(secret), 0
	for _, kept := range append(hashes, make([]byte, len(sent))) {
		found |= subtle.ConstantTimeCompare(sent, kept)
	}
	return found == 1
}
