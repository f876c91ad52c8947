package account

import "time"

// Invitation offers a membership to whoever reads the mail of an address (I1). It
// exists until it is accepted or withdrawn; past ExpiresAt it cannot be accepted,
// unless it is sent again. Its links' secrets are kept apart, as hashes.
type Invitation struct {
	ID      InvitationID `json:"id"`
	Account ID           `json:"account"`
	Email   string       `json:"email"`
	Name    string       `json:"name,omitempty"` // of the user, should there be none with the address yet
	Roles   []RoleKey    `json:"roles"`          // sorted, without repeats, at least one

	// Mode was the account's access mode when the invitation was made, and
	// SubAccountAccess what was settled then: what was asked for, or what the mode gave (S3).
	Mode             AccessMode `json:"mode"`
	SubAccountAccess bool       `json:"sub_account_access"`

	MembershipExpiresAt *time.Time `json:"membership_expires_at,omitempty"` // U6; nil is never
	InvitedBy           Actor      `json:"invited_by"`                      // who sent it last, and whose rights are asked for again when it is accepted (U4)
	CreatedAt           time.Time  `json:"created_at"`
	SentAt              time.Time  `json:"sent_at"` // when InvitedBy made it, or sent it again
	ExpiresAt           time.Time  `json:"expires_at"`
}

// Expired reports whether the invitation can no longer be accepted at the given time.
func (i Invitation) Expired(at time.Time) bool { return !i.ExpiresAt.After(at) }
