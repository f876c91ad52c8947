// Package wire says what the benchmark and the processes that hold the stores tell each other: one JSON object a line, a request and then its answer.
package wire

import "time"

// Kind is a store: SpiceDB's datastore behind the same embedded SpiceDB.
type Kind string

// The stores.
const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
	Memory   Kind = "memory"
)

// Action is what a process is asked to do.
type Action string

// The actions.
const (
	Open   Action = "open"   // Kind, At, Caches: starts the store and SpiceDB on it
	Import Action = "import" // File, Skip, Count: by ImportBulkRelationships
	Fill   Action = "fill"   // File, Skip, Count: by WriteRelationships, as a relay does
	Checks Action = "checks" // Questions, Fresh, Limit
	Lookup Action = "lookup" // User, Limit
	Writes Action = "writes" // Writers, Limit
	Usage  Action = "usage"  // the process's memory, after collecting garbage
)

// Request asks for one action.
type Request struct {
	Do Action

	Kind   Kind   `json:",omitempty"`
	At     string `json:",omitempty"` // the file of SQLite, the URL of PostgreSQL
	Caches bool   `json:",omitempty"` // as Tenantry runs its engine; otherwise no answer is cached

	File      string        `json:",omitempty"` // of relationships
	Skip      int           `json:",omitempty"` // so many relationships first
	Count     int           `json:",omitempty"` // of relationships; 0: all
	Questions []Question    `json:",omitempty"`
	Fresh     bool          `json:",omitempty"` // at least as fresh as a write just made; otherwise fully consistent
	User      string        `json:",omitempty"`
	Writers   int           `json:",omitempty"`
	Limit     time.Duration `json:",omitempty"` // what is not done by then is left

	Profile string `json:",omitempty"` // the file for a CPU profile of the action
}

// Question is a check and its right answer.
type Question struct {
	User, Account, Permission string
	Allowed                   bool `json:",omitempty"`
}

// Answer is what an action gave.
type Answer struct {
	Error string `json:",omitempty"`

	Times   []time.Duration `json:",omitempty"` // of each check or write
	Took    time.Duration   `json:",omitempty"` // of the action
	CPU     time.Duration   `json:",omitempty"` // of the process, meanwhile; 0 where that is not known
	Count   int             `json:",omitempty"` // of what was done or found
	Digest  uint64          `json:",omitempty"` // of what was found, whatever the order
	Answers []bool          `json:",omitempty"` // to the questions
	Cut     bool            `json:",omitempty"` // the limit came first

	Resident  int64 `json:",omitempty"` // bytes
	Anonymous int64 `json:",omitempty"` // bytes of it that belong to no file
}
