package account

import (
	"cmp"
	"time"
)

// AccessMode is an account's rule for the sub-account access of its members (S3).
type AccessMode string

// The access modes of S3.
const (
	DefaultOff AccessMode = "default_off" // new members do not get sub-account access unless asked
	DefaultOn  AccessMode = "default_on"  // new members get it unless asked otherwise
	AlwaysOn   AccessMode = "always_on"   // every member has it, and it cannot be taken away
)

// Environment is the vendor's isolated space (E1) with its settings (E3).
type Environment struct {
	ID                 EnvironmentID `json:"id"`
	Name               string        `json:"name"`
	SubAccountsEnabled bool          `json:"sub_accounts_enabled"`       // E2
	DefaultAccessMode  AccessMode    `json:"default_access_mode"`        // for accounts created without one
	MaxDepth           int           `json:"max_depth"`                  // levels of accounts, a root being level 1
	InvitationURL      string        `json:"invitation_url,omitempty"`   // of the vendor's page that accepts invitations, with {token} in it (I1)
	InvitationHours    int           `json:"invitation_hours,omitempty"` // how long an invitation can be accepted
	TokenMinutes       int           `json:"token_minutes,omitempty"`    // the lifetime of issued tokens (E3)
	IPAllowList        Networks      `json:"ip_allow_list,omitempty"`    // from where requests may come; "" is anywhere (E3)
	ExchangeOnly       bool          `json:"exchange_only,omitempty"`    // clients' secrets open nothing but the token endpoint
	KeysRotatedAt      *time.Time    `json:"keys_rotated_at,omitempty"`  // tokens are signed with a key made since then
	KeysRevokedAt      *time.Time    `json:"keys_revoked_at,omitempty"`  // tokens that older keys signed are not accepted
	CreatedAt          time.Time     `json:"created_at"`
}

// DefaultMaxDepth is the depth limit of a new environment; MaxMaxDepth is the
// highest that may be set: SpiceDB follows 48 parent links with its default
// dispatch depth of 50.
const (
	DefaultMaxDepth = 16
	MaxMaxDepth     = 40
)

// The lifetimes of a new environment, and the longest that may be set.
const (
	DefaultInvitationHours = 7 * 24
	MaxInvitationHours     = 90 * 24
	DefaultTokenMinutes    = 15
	MaxTokenMinutes        = 24 * 60
)

// WithDefaults returns the environment with a default for every setting that has none.
func (e Environment) WithDefaults() Environment {
	e.Name = cmp.Or(e.Name, string(e.ID))
	e.DefaultAccessMode = cmp.Or(e.DefaultAccessMode, DefaultOff)
	e.MaxDepth = cmp.Or(e.MaxDepth, DefaultMaxDepth)
	e.InvitationHours = cmp.Or(e.InvitationHours, DefaultInvitationHours)
	e.TokenMinutes = cmp.Or(e.TokenMinutes, DefaultTokenMinutes)
	return e
}

// Client is a machine of the vendor's that calls Tenantry: an operator with portal roles (E4, C1).
type Client struct {
	ID          ClientID     `json:"id"`
	Name        string       `json:"name"`
	Roles       []PortalRole `json:"roles"`
	ActForUsers bool         `json:"act_for_users"`    // may send requests in the name of a user
	Scopes      Scopes       `json:"scopes,omitempty"` // what its tokens may be used for; none is everything
	CreatedAt   time.Time    `json:"created_at"`
}

// Account is a tenant: a root account, or a sub-account when it has a parent (A1).
type Account struct {
	ID                   ID         `json:"id"`
	Name                 string     `json:"name"`
	Parent               ID         `json:"parent,omitempty"` // "" for a root account
	SubAccountManagement bool       `json:"sub_account_management"`
	AccessMode           AccessMode `json:"sub_account_access"`
	Plan                 PlanKey    `json:"plan,omitempty"`          // "" for that of the nearest ancestor that has one
	IPAllowList          Networks   `json:"ip_allow_list,omitempty"` // from where its members' requests may come (E3); "" for the nearest ancestor's
	CreatedAt            time.Time  `json:"created_at"`
}

// User is a person with one identity in an environment, member of one or more accounts (U1).
type User struct {
	ID        UserID    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name,omitempty"`
	Blocked   bool      `json:"blocked,omitempty"` // U5
	CreatedAt time.Time `json:"created_at"`
}

// Role is a named set of permissions (U2).
type Role struct {
	Key         RoleKey         `json:"key"`
	Name        string          `json:"name,omitempty"`
	Account     ID              `json:"account,omitempty"` // "" for a role of the environment; else usable in that account's branch
	Permissions []PermissionKey `json:"permissions"`       // sorted, without repeats
}

// BranchAccess says how a membership comes by sub-account access of its own (S1, S4).
type BranchAccess string

// The kinds of a membership's own sub-account access. What always_on gives is
// not here: it is the account's, one relationship however many members there are.
const (
	NoBranchAccess   BranchAccess = ""      // none of its own
	GrantedAccess    BranchAccess = "grant" // set at invitation or later
	KeptFromAlwaysOn BranchAccess = "kept"  // member when always_on ended (S4)
)

// Membership is a user's place in an account, with the roles held there (U1, U4).
type Membership struct {
	Account      ID           `json:"account"`
	User         UserID       `json:"user"`
	Roles        []RoleKey    `json:"roles"` // sorted, without repeats, at least one
	BranchAccess BranchAccess `json:"branch_access,omitempty"`
	ExpiresAt    *time.Time   `json:"expires_at,omitempty"` // U6; nil is never
	CreatedAt    time.Time    `json:"created_at"`
}

// Expired reports whether the membership grants nothing any more at the given time (U6).
func (m Membership) Expired(at time.Time) bool {
	return m.ExpiresAt != nil && !m.ExpiresAt.After(at)
}

// Assignment is the use of a role in an account: it exists while a membership or an API token there carries the role.
type Assignment struct {
	Account  ID      `json:"account"`
	Role     RoleKey `json:"role"`
	AlwaysOn bool    `json:"always_on,omitempty"` // the account's mode is always_on (S3)
}
