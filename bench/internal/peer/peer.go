// Package peer says what every compared system can do, in one small interface.
package peer

import (
	"context"

	"github.com/tenantry/tenantry/bench/internal/tree"
)

// PageSize is how many accounts a first page has.
const PageSize = 50

// Page is the first accounts by name, and how many there are in all.
type Page struct {
	Accounts []int32
	Total    int
}

// System is an account-hierarchy system with the content of one world. Load comes first and
// once, then Start, and after Stop another Start. Questions and changes may come from many
// goroutines at once while it runs.
type System interface {
	// Load brings the content in, durably where the system is durable.
	Load(ctx context.Context, w *tree.World) error
	// Start makes the system ready for questions. It returns once it would answer.
	Start(ctx context.Context) error
	// Stop ends what Start began; the content stays.
	Stop() error
	// Close ends everything and removes the content.
	Close() error

	// Check asks whether the user holds the permission at the account.
	Check(ctx context.Context, user, account int, p tree.Permission) (bool, error)
	// Page asks for the first PageSize accounts by name that the user may open and that have
	// the query in their name, with the number of all; no query is any name.
	Page(ctx context.Context, user int, query string) (Page, error)
	// List asks for all accounts that the user may open, in any order.
	List(ctx context.Context, user int) ([]int32, error)

	// Put makes or changes a membership and returns when the system acknowledges it.
	Put(ctx context.Context, m tree.Membership) error
	// Remove ends a membership and returns when the system acknowledges it.
	Remove(ctx context.Context, m tree.Membership) error

	// Processes are the ids of the processes that are the system's own, without a shared
	// PostgreSQL; none if it runs in the benchmark's process.
	Processes() []int
}
