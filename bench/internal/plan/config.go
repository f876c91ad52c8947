// Package plan is the order of the benchmark: which store does what, when, and what becomes of the answers.
package plan

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tenantry/tenantry/bench/internal/wire"
	"github.com/tenantry/tenantry/bench/internal/world"
)

// Case is something to measure.
type Case string

// The cases.
const (
	Checks    Case = "checks"
	Lookups   Case = "lookups"
	Imports   Case = "imports"
	Writes    Case = "writes"
	Footprint Case = "footprint" // no part of the rounds; see Footprints
)

// Cases are all of them, in their order within a round.
func Cases() []Case { return []Case{Checks, Lookups, Imports, Writes, Footprint} }

// Stores are all stores, in the order in which they take turns.
func Stores() []wire.Kind { return []wire.Kind{wire.SQLite, wire.Postgres, wire.Memory} }

// Config says what to measure.
type Config struct {
	Size   world.Size
	Cases  []Case
	Stores []wire.Kind

	Rounds    int
	Checks    int           // a round, for each way to ask
	Writing   time.Duration // a round, for each number of writers
	Imported  int           // relationships that a round imports at most
	Limit     time.Duration // of one lookup, or of the checks of a round
	Until     time.Time     // no round begins that would end later
	Footprint []int         // relationships, about
	Restarts  int           // for each footprint

	Dir     string    // where the stores keep their files
	Profile string    // a folder for CPU profiles of the first round; "" for none
	Log     io.Writer // progress, and what the stores complain of
}

// Check returns an error if there is something in the configuration that does not exist, or nothing to do.
func (c Config) Check() error {
	for _, k := range c.Stores {
		if !slices.Contains(Stores(), k) {
			return fmt.Errorf("there is no store %q; there are %v", k, Stores())
		}
	}
	for _, name := range c.Cases {
		if !slices.Contains(Cases(), name) {
			return fmt.Errorf("there is no case %q; there are %v", name, Cases())
		}
	}
	if len(c.Stores) == 0 || len(c.Cases) == 0 || c.Rounds < 1 || c.Checks < 1 || c.Restarts < 1 {
		return errors.New("give at least one store, one case, one round, one check and one restart")
	}
	return nil
}

// Has reports whether a case is to be measured.
func (c Config) Has(name Case) bool { return slices.Contains(c.Cases, name) }

func (c Config) say(format string, args ...any) {
	fmt.Fprintf(c.Log, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
