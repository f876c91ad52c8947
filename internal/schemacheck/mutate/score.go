package mutate

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Score is what became of the mutants of one or more schemas.
type Score struct {
	Mutants    []*Mutant // schema by schema, in the order in which what is faulty is written
	Assertions int       // run
	Failing    int       // of these, that do not hold for the schema, and so kill nothing
}

// With returns the mutants that had one of some fates, in their order.
func (s Score) With(fates ...Fate) []*Mutant {
	var some []*Mutant
	for _, m := range s.Mutants {
		if slices.Contains(fates, m.Fate) {
			some = append(some, m)
		}
	}
	return some
}

// Percent returns how many of a hundred mutants were killed, by an assertion or by a
// refusal. Those that no validation file could notice are not counted; 100 if there are no others.
func (s Score) Percent() float64 {
	killed, all := len(s.With(Killed, Refused)), len(s.With(Killed, Refused, Survived))
	if all == 0 {
		return 100
	}
	return 100 * float64(killed) / float64(all)
}

// Merge adds the score of another schema.
func (s *Score) Merge(o Score) {
	s.Mutants = append(s.Mutants, o.Mutants...)
	s.Assertions += o.Assertions
	s.Failing += o.Failing
}

// Findings returns a warning for each survivor, in order.
func (s Score) Findings() []finding.Finding {
	all := []finding.Finding{}
	for _, m := range s.With(Survived) {
		all = append(all, m.Finding())
	}
	finding.Sort(all)
	return all
}

// Notes returns lines that sum the score up.
func (s Score) Notes() []string {
	count := func(f Fate) int { return len(s.With(f)) }
	notes := []string{fmt.Sprintf("mutants: %.1f%% killed: %d by assertions, %d by refused relationships; %d survived",
		s.Percent(), count(Killed), count(Refused), count(Survived))}
	if n := count(Unnoticeable); n > 0 {
		notes = append(notes, fmt.Sprintf("not counted: %d with a type added, which no validation file can notice", n))
	}
	if s.Failing > 0 {
		notes = append(notes, fmt.Sprintf("assertions that do not hold to begin with, and kill nothing: %d", s.Failing))
	}
	return notes
}
