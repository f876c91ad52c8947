// Package contest lets systems take turns at the same work on the same content, and keeps what it took them.
package contest

import (
	"time"

	"github.com/tenantry/tenantry/bench/internal/figures"
	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Figure is what a case took a system in one round.
type Figure struct {
	Median, P99 float64 // µs of one operation
	Rate        float64 // operations a second, of all clients together
	Count       int     // of operations
	Wrong       int     // of them: answers that were not right and complete
}

// Cell is a case and a system.
type Cell struct {
	Rounds map[int]Figure
	Note   string // why there is no figure, or not of all rounds
}

// Values returns a number of each round, as of says.
func (c *Cell) Values(of func(Figure) float64) []float64 {
	if c == nil {
		return nil
	}
	var all []float64
	for _, f := range c.Rounds {
		all = append(all, of(f))
	}
	return all
}

// Median returns the median of the rounds' medians, in µs; NaN if there is none.
func (c *Cell) Median() float64 {
	return figures.Median(c.Values(func(f Figure) float64 { return f.Median }))
}

// Wrong counts the operations with a wrong or incomplete answer, and all.
func (c *Cell) Wrong() (wrong, of int) {
	if c == nil {
		return 0, 0
	}
	for _, f := range c.Rounds {
		wrong, of = wrong+f.Wrong, of+f.Count
	}
	return wrong, of
}

// Start is one start of a system on content that is there.
type Start struct {
	Ready     time.Duration // until the first check was answered
	FirstPage time.Duration // the first page after that, of the user with a ninth of the accounts
	Memory    int64         // bytes, then (PSS); 0 if the system has no process of its own
	Resident  int64         // bytes, then (RSS)
	Most      int64         // bytes that it ever held until then (RSS)
}

// System is what is known of a contestant.
type System struct {
	Name, Title string
	Loading     time.Duration
	Verdict     peer.Verdict
	Starts      []Start
	Memory      int64 // bytes, after all rounds
	Failed      string
}

// Result is what a contest gave.
type Result struct {
	World   *tree.World
	Systems []*System
	Cases   []Case
	Cells   map[string]map[string]*Cell // by key of the case and name of the system
	Rounds  int                         // that were finished
	Shared  int64                       // bytes of memory of PostgreSQL, after all rounds
}

// Cell returns a case of a system; nil if there is none.
func (r *Result) Cell(key, system string) *Cell { return r.Cells[key][system] }

func (r *Result) cell(key, system string) *Cell {
	if r.Cells[key] == nil {
		r.Cells[key] = map[string]*Cell{}
	}
	if r.Cells[key][system] == nil {
		r.Cells[key][system] = &Cell{Rounds: map[int]Figure{}}
	}
	return r.Cells[key][system]
}

// Ratios returns how many times as long the second system took for a case as the first, in each
// round in which both have a figure that is right: more than 1 is that the first was faster.
func (r *Result) Ratios(key, first, second string, of func(Figure) float64) []float64 {
	a, b := r.Cell(key, first), r.Cell(key, second)
	if a == nil || b == nil {
		return nil
	}
	var all []float64
	for round, fa := range a.Rounds {
		if fb, both := b.Rounds[round]; both && fa.Wrong == 0 && of(fa) > 0 {
			all = append(all, of(fb)/of(fa))
		}
	}
	return all
}
