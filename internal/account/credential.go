package account

import "time"

// ClientSecret is one of the secrets of an environment client; the secret itself is
// kept apart, as a hash (C2). A client has several while one takes the place of another.
type ClientSecret struct {
	ID        SecretID   `json:"id"`
	Client    ClientID   `json:"client"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil is never
	CreatedAt time.Time  `json:"created_at"`
}

// Expired reports whether the secret opens nothing any more at the given time.
func (s ClientSecret) Expired(at time.Time) bool {
	return s.ExpiresAt != nil && !s.ExpiresAt.After(at)
}

// KeptSecret is a client's secret as it is kept.
type KeptSecret struct {
	ClientSecret
	Hash []byte // SHA-256
}

// ClientCredential is what a client is authenticated by.
type ClientCredential struct {
	Client       Client
	ExchangeOnly bool         // of its environment
	Secrets      []KeptSecret // in the order of their ids, expired ones included
}

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
	Person    bool            `json:"person,omitempty"` // the operator is a person who signed in, not a machine
	Reason    string          `json:"reason"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`

	// By what the operator was known who began it: it ends with that, and may be used for no more.
	Secret   SecretID `json:"secret,omitempty"`   // of a client
	Scopes   Scopes   `json:"scopes,omitempty"`   // of the credential
	Issuer   string   `json:"issuer,omitempty"`   // where a person signed in
	Subject  string   `json:"subject,omitempty"`  // as whom
	Audience string   `json:"audience,omitempty"` // for whom their token was
}
