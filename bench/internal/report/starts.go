package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/figures"
)

// starts shows loading, starts and memory.
func (r *Report) starts(m markdown) {
	m.line("")
	m.line("### Start and memory")
	m.line("")
	m.line("Ready is from the start of the process until it has answered its first check, with the index on until the index has; the first page is the one after that, of the user with a ninth of the accounts. " +
		"Memory is of the system's own processes, SpiceDB's included where it is one: what it holds (PSS), then, in parentheses, what is resident of it (VmRSS), and the most that ever was until then (VmHWM). " +
		"PostgreSQL, which all but the in-memory and embedded systems share, is not in it. " +
		"Loading is in bulk, by the quickest way into each, several systems at a time, and says little: Tenantry's directory takes rows into its tables and its engine an import of relationships, of which there is one for all SpiceDBs on PostgreSQL, and copies.")
	for _, result := range r.all() {
		if slices.ContainsFunc(result.Systems, func(s *contest.System) bool { return len(s.Starts) > 0 }) {
			startsOf(m, result)
		}
	}
}

func startsOf(m markdown, result *contest.Result) {
	m.line("")
	m.line("%s accounts, %s memberships:", figures.Thousands(result.World.Size.Accounts), figures.Thousands(len(result.World.Memberships)))
	m.line("")
	m.head("system", "loading", "ready", "first page then", "memory then", "memory after all rounds")
	for _, s := range result.Systems {
		then := memory(figures.Median(ofStarts(s, memoryThen)))
		if resident := figures.Median(ofStarts(s, residentThen)); resident > 0 {
			then += fmt.Sprintf(" (%s, %s)", memory(resident), memory(figures.Median(ofStarts(s, mostUntilThen))))
		}
		m.row(s.Title, s.Loading.Round(100*time.Millisecond).String(),
			Range(ofStarts(s, ready), Time), Range(ofStarts(s, firstPage), Time),
			then, memory(float64(s.Memory)))
	}
	m.row("PostgreSQL, for all that use it together", "", "", "", "", memory(float64(result.Shared)))
}

// ofStarts is one figure of each start of a system.
func ofStarts(s *contest.System, get func(contest.Start) float64) []float64 {
	var all []float64
	for _, start := range s.Starts {
		all = append(all, get(start))
	}
	return all
}

// The figures of a start: times in microseconds, memory in bytes.
func ready(s contest.Start) float64         { return micro(s.Ready) }
func firstPage(s contest.Start) float64     { return micro(s.FirstPage) }
func memoryThen(s contest.Start) float64    { return float64(s.Memory) }
func residentThen(s contest.Start) float64  { return float64(s.Resident) }
func mostUntilThen(s contest.Start) float64 { return float64(s.Most) }

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func memory(bytes float64) string {
	if math.IsNaN(bytes) || bytes == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f MB", bytes/(1<<20))
}
