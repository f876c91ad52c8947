package account

import "time"

// APIToken is a machine member of one account, with roles as a membership has them (C1).
type APIToken struct {
	ID           APITokenID   `json:"id"`
	Account      ID           `json:"account"`
	Name         string       `json:"name"`
	Roles        []RoleKey    `json:"roles"` // sorted, without repeats, at least one
	BranchAccess BranchAccess `json:"branch_access,omitempty"`
	ExpiresAt    *time.Time   `json:"expires_at,omitempty"` // nil is never
	CreatedBy    Actor        `json:"created_by"`
	CreatedAt    time.Time    `json:"created_at"`
}

// Expired reports whether the token opens nothing any more at the given time.
func (t APIToken) Expired(at time.Time) bool {
	return t.ExpiresAt != nil && !t.ExpiresAt.After(at)
}

// Impersonation is a session in which an operator acts as a user, for a stated reason (E4).
type Impersonation struct {
	ID        ImpersonationID `json:"id"`
	User      UserID          `json:"user"`
	Operator  ClientID        `json:"operator"`
	Reason    string          `json:"reason"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
}
