package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// ReachReader reads who comes by access to accounts, and by what. A membership
// or API token that has expired at the time given counts for nothing (U6).
type ReachReader interface {
	// BranchReach returns what opens the branches below the accounts named to users who are
	// not blocked: their memberships there with sub-account access, always_on included.
	BranchReach(ctx context.Context, ids []account.ID, at time.Time) ([]Reach, error)
	// ReachOf returns what all memberships of the users named open, in no order.
	ReachOf(ctx context.Context, users []account.UserID, at time.Time) ([]Reach, error)
	// BranchRoles returns the roles that a membership or an API token of the accounts named carries
	// into the branch below, in the order of their keys. Those of blocked users count: a block can be lifted.
	BranchRoles(ctx context.Context, ids []account.ID, at time.Time) ([]account.Role, error)

	// Openers returns a page of the users and API tokens that can open an account by membership, here or
	// above, and how many match in all: users first, each in the order of their ids. Blocked users cannot.
	Openers(ctx context.Context, f OpenerFilter) ([]Opener, int, error)
	// MembershipsAt returns the memberships of the users named in the accounts named, by user and account.
	MembershipsAt(ctx context.Context, ids []account.ID, users []account.UserID) ([]account.Membership, error)
	// APITokensByID returns the API tokens named, those of them that exist, in no order.
	APITokensByID(ctx context.Context, ids []account.APITokenID) ([]account.APIToken, error)
}

// Reach is what one membership opens to its user.
type Reach struct {
	Account account.ID
	User    account.UserID
	Branch  bool // the branch below the account as well: sub-account access, or always_on
}

// The types of an Opener.
const (
	OpenerUser     = "user"
	OpenerAPIToken = "api_token"
)

// Opener is a user or an API token that can open an account.
type Opener struct {
	Type  string // OpenerUser or OpenerAPIToken
	ID    string
	Name  string
	Email string // "" for an API token
}

// OpenerFilter selects who can open an account.
type OpenerFilter struct {
	Account account.ID
	Above   []account.ID // all accounts above it
	Type    string       // OpenerUser or OpenerAPIToken; "" for both
	Query   string       // part of the name, e-mail address or id, folded; "" for all
	At      time.Time    // what has expired then does not count
	After   Opener       // its Type and ID are where the page before ended; none for the first page
	Limit   int          // at least 1
}
