package account

import "time"

// Via says how a subject comes by the access to an account (S5).
type Via string

// The ways.
const (
	Direct            Via = "direct"        // member of the account itself
	ViaGrant          Via = "grant"         // sub-account access granted at an account above
	ViaKept           Via = "kept"          // sub-account access kept from an ended always_on at an account above (S4)
	ViaAlwaysOn       Via = "always_on"     // always_on at an account above (S3)
	ThroughPortalRole Via = "operator_role" // a portal role in the environment (E4)
)

// Source is one reason why a subject may open an account, or holds a permission there (S5).
type Source struct {
	At        ID // where the membership is; "" for a portal role
	Via       Via
	Roles     []RoleKey
	Portal    []PortalRole // in place of Roles, if Via is ThroughPortalRole
	ExpiresAt *time.Time   // when it ends; nil is never (U6)
}

// Place is an account on the way from the root.
type Place struct {
	ID   ID
	Name string
}

// Reachable is an account that a user may open, as an account switcher shows it (W1).
type Reachable struct {
	Place
	Parent               ID // "" for a root account
	CreatedAt            time.Time
	SubAccountManagement bool
	Path                 []Place // from the root, without the account itself
	Sources              []Source
}

// Depth is the number of accounts above.
func (r Reachable) Depth() int { return len(r.Path) }
