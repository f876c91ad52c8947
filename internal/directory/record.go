package directory

import (
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// Record is one line of a load: a thing that is to exist. Exactly one of the pointers is set.
type Record struct {
	Line int // of the input, counted from 1; for errors

	// Environment is the environment that the record belongs to; "" is the one the load was started for.
	Environment account.EnvironmentID

	NewEnvironment *account.Environment // CreatedAt is ignored
	Role           *account.Role
	Account        *account.Account // AccessMode "" is the environment's default; CreatedAt zero is now
	User           *account.User    // CreatedAt zero is now
	Membership     *Grant

	Feature       *account.Feature
	Plan          *account.Plan
	FeatureSwitch *account.FeatureSwitch
}

// Grant is a membership as a caller asks for it.
type Grant struct {
	Account account.ID
	User    account.UserID
	Roles   []account.RoleKey

	// SubAccountAccess asks for sub-account access or against it; nil leaves it to the
	// account's access mode for a new member, and as it is for a present one (S3).
	SubAccountAccess *bool
	// KeptFromAlwaysOn marks access that stems from an ended always_on (S4); only in loads.
	KeptFromAlwaysOn bool
	ExpiresAt        *time.Time // nil is never (U6); whole seconds
}
