// Package report writes what contests gave: RESULTS.md with tables and the targets, and plots.
package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/figures"
)

// Report is all that a run gave.
type Report struct {
	Whole    bool   // nothing was left out by flags
	Command  string // that made it
	Took     time.Duration
	Machine  []Fact
	Versions []Fact
	Settings []Fact

	Main   *contest.Result
	Others []*contest.Result // of other numbers of accounts, with fewer cases; the fewest accounts first
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Markdown writes RESULTS.md, which refers to plots in a folder.
func (r *Report) Markdown(out io.Writer, plots string) {
	m := markdown{out}
	m.line("# Tenantry and its peers")
	m.line("")
	if !r.Whole {
		m.line("**This is a partial run: `%s`. Do not quote it as the comparison.**", r.Command)
		m.line("")
	}
	m.line("Written by `make bench` (%s), in %s and one run. Do not edit.", time.Now().UTC().Format(time.DateOnly), r.Took.Round(time.Second))
	r.targets(m)
	r.answers(m)
	m.line("")
	m.line("## Figures")
	m.line("")
	m.line("A cell is the median of an operation, the median of %d rounds; in parentheses the least and the greatest median of a round; then p99, the median of the rounds'. "+
		"⚠ is that answers were wrong or incomplete, and how many of them: such a time is of another, smaller work.", r.Main.Rounds)
	for _, g := range []contest.Group{contest.Checks, contest.Pages, contest.Lists, contest.Changes} {
		r.group(m, g)
	}
	r.starts(m)
	r.ratios(m)
	r.growth(m)
	r.pictures(m, plots)
	r.reading(m)
}

// markdown writes lines.
type markdown struct{ out io.Writer }

func (m markdown) line(format string, args ...any) {
	fmt.Fprintf(m.out, format+"\n", args...)
}

func (m markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

func (m markdown) head(cells ...string) {
	m.row(cells...)
	m.row(slices.Repeat([]string{"---"}, len(cells))...)
}

// titles returns the heads of the systems' columns.
func (r *Report) titles() []string {
	var all []string
	for _, s := range r.Main.Systems {
		all = append(all, s.Title)
	}
	return all
}

func (r *Report) group(m markdown, g contest.Group) {
	m.line("")
	m.line("### %s", g)
	m.line("")
	m.head(append([]string{""}, r.titles()...)...)
	for _, c := range r.Main.Cases {
		if c.Group != g {
			continue
		}
		row := []string{c.Title}
		for _, s := range r.Main.Systems {
			row = append(row, r.cell(c, s))
		}
		m.row(row...)
	}
}

func (r *Report) cell(c contest.Case, s *contest.System) string {
	if s.Failed != "" {
		return "failed"
	}
	cell := r.Main.Cell(c.Key, s.Name)
	if cell == nil {
		return "–"
	}
	if len(cell.Rounds) == 0 {
		return cell.Note
	}
	text := Range(cell.Values(func(f contest.Figure) float64 { return f.Median }), Time)
	if p99 := figures.Median(cell.Values(func(f contest.Figure) float64 { return f.P99 })); !math.IsNaN(p99) {
		text += "; p99 " + Time(p99)
	}
	if c.Clients > 1 {
		text = Range(cell.Values(func(f contest.Figure) float64 { return f.Rate }), Rate) + "; " + text
	}
	if wrong, of := cell.Wrong(); wrong > 0 {
		text += fmt.Sprintf(" ⚠ %s of %s wrong", figures.Thousands(wrong), figures.Thousands(of))
	}
	if cell.Note != "" {
		text += "; then " + cell.Note
	}
	return text
}

// answers tells which systems gave the right ones.
func (r *Report) answers(m markdown) {
	m.line("")
	m.line("## Do all give the same answers?")
	m.line("")
	m.line("Before anything was timed: checks, lists as sets, first pages and searches in their order and with totals, compared with a plain model of the content. " +
		"SpiceDB and OpenFGA have no order, search or total: for them a page is a full list, searched, sorted and cut in the client, which holds all names in memory.")
	m.line("")
	m.head("accounts", "system", "answers compared", "wrong or incomplete")
	for _, result := range append([]*contest.Result{r.Main}, r.Others...) {
		for _, s := range result.Systems {
			if said := verdictOf(s); result == r.Main || said != right {
				m.row(figures.Thousands(result.World.Size.Accounts), s.Title, strconv.Itoa(s.Verdict.Asked), said)
			}
		}
	}
	m.line("")
	m.line("Of the other numbers of accounts only those systems are named whose answers were not all right.")
}

// right is said of a system whose answers were all right.
const right = "none"

func verdictOf(s *contest.System) string {
	said := right
	switch {
	case s.Failed != "":
		said = "it failed: " + s.Failed
	case !s.Verdict.Right():
		said = "⚠ " + strings.Join(s.Verdict.Faults, "; ")
	}
	if len(s.Verdict.Late) > 0 {
		said += "; not compared, as it took too long: " + strings.Join(s.Verdict.Late, ", ")
	}
	return said
}
