package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/contest"
	"github.com/tenantry/tenantry/bench/internal/figures"
)

// verdict is what became of a target.
type verdict struct {
	target, measured, outcome string
	why                       string // what there is to say if it was missed
}

func (v verdict) because(why string) verdict {
	v.why = why
	return v
}

func (v verdict) missed() bool { return strings.Contains(v.outcome, "missed") }

// targets shows what must be shown, and whether it was.
func (r *Report) targets(m markdown) {
	m.line("")
	m.line("## What must be shown")
	m.line("")
	m.head("target", "measured", "")
	all := r.verdicts()
	for _, v := range all {
		m.row(v.target, v.measured, v.outcome)
	}
	r.reasons(m, all)
}

func (r *Report) verdicts() []verdict {
	ninth, all := contest.Ninth(r.Main.World).Accounts, r.Main.World.Size.Accounts
	page, list := contest.PageKey(ninth), contest.ListKey(all)
	rate := func(f contest.Figure) float64 { return f.Rate }
	out := []verdict{
		r.faster(fmt.Sprintf("first page of 50 by name with total of %s accounts, over HTTP: 100 times as fast as LookupResources on SpiceDB with PostgreSQL", figures.Thousands(ninth)), page, 100, contest.SpiceDB),
		r.faster("the same: 10 times as fast as the best SQL on PostgreSQL", page, 10, r.best(page, contest.Recursive, contest.Ltree)),
		r.within("the same in process: within 20 times of the arrays, both with 50 rows of id, name, parent, depth and path", page, 20, contest.Index, contest.ArraysInProcess),
		r.faster(fmt.Sprintf("full list of %s: 20 times as fast as LookupResources", figures.Thousands(all)), list, 20, contest.SpiceDB),
	}
	for _, c := range []struct{ key, name string }{{contest.AllowDeep, "allowed"}, {contest.DenyDeep, "denied"}} {
		what := "check over HTTP, " + c.name + ", at the median: "
		out = append(out,
			r.faster(what+"faster than recursive SQL on PostgreSQL through pgx", c.key, 1, contest.Recursive).because(r.whyNotSQL(c.key)),
			r.faster(what+"10 times as fast as that, if the target's \"by 10 times or more\" is of SQL as well", c.key, 10, contest.Recursive).because(r.whyNotSQL(c.key)),
			r.faster(what+"10 times as fast as OpenFGA", c.key, 10, contest.OpenFGA),
			r.within(what+"within 3 times of the arrays behind a bare net/http server", c.key, 3, contest.Tenantry, contest.ArraysOverHTTP).because(r.whyNotBare(c.key)))
	}
	for _, other := range []string{contest.SpiceDB, contest.OpenFGA, contest.Recursive, contest.Ltree, contest.SQLite} {
		all := r.Main.Ratios(contest.Crowd, other, contest.Tenantry, rate)
		out = append(out, judge("checks a second with 8 clients: more than "+contest.Titles()[other], all, 1, Times).because(r.whyNotMore(other)))
	}
	for _, c := range []struct{ key, name string }{{contest.GrantInList, "grant"}, {contest.RevokeInList, "revocation"}} {
		out = append(out, r.visible(c.name, c.key))
	}
	return append(out, r.large())
}

// judge holds the median of values to a least one.
func judge(target string, all []float64, least float64, format func(float64) string) verdict {
	if len(all) == 0 {
		return verdict{target: target, measured: "–", outcome: "not measured"}
	}
	v := verdict{target: target, measured: Range(all, format), outcome: "met"}
	if got := figures.Median(all); got < least {
		v.outcome = fmt.Sprintf("**missed**, by %s", Times(least/got))
	}
	return v
}

func (r *Report) faster(target, key string, times float64, other string) verdict {
	return judge(target, r.Main.Ratios(key, contest.Tenantry, other, median), times, Times)
}

// within holds a system to at most so many times of the other's time.
func (r *Report) within(target, key string, times float64, name, other string) verdict {
	all := r.Main.Ratios(key, other, name, median)
	v := judge(target, all, 0, Times)
	if got := figures.Median(all); len(all) > 0 && got > times {
		v.outcome = fmt.Sprintf("**missed**, by %s", Times(got/times))
	}
	return v
}

// best returns the system with the least time.
func (r *Report) best(key string, of ...string) string {
	best, least := of[0], math.Inf(1)
	for _, name := range of {
		if m := r.Main.Cell(key, name).Median(); m < least {
			best, least = name, m
		}
	}
	return best
}

func (r *Report) visible(what, key string) verdict {
	const most = 50_000 // µs
	v := verdict{target: "a " + what + " is in the list within 50 ms of its acknowledgement, default shape, median", measured: "–", outcome: "not measured"}
	if all := r.Main.Cell(key, contest.Tenantry).Values(median); len(all) > 0 {
		v.measured, v.outcome = Range(all, Time), "met"
		if got := figures.Median(all); got > most {
			v.outcome = fmt.Sprintf("**missed**, by %s", Times(got/most))
		}
	}
	return v
}

// large is the target of a million accounts: starts of the whole server, its engine included.
func (r *Report) large() verdict {
	const (
		accounts = 1_000_000
		patience = 15 * time.Second
		mostHeld = 1 << 30 // bytes
	)
	v := verdict{target: "1,000,000 accounts and 2,000,000 memberships: index ready within 15 s, under 1 GB", measured: "–", outcome: "not measured"}
	for _, result := range r.all() {
		for _, s := range result.Systems {
			if result.World.Size.Accounts < accounts || s.Name != contest.Tenantry || len(s.Starts) == 0 {
				continue
			}
			took := ofStarts(s, func(s contest.Start) float64 { return ready(s) + firstPage(s) })
			until, held := figures.Median(took), figures.Median(ofStarts(s, mostUntilThen))
			v.measured = fmt.Sprintf("first check and first page by the index %s after the start of `tenantry serve`; then %s resident of it (VmRSS), and %s at most until then (VmHWM)",
				Range(took, Time), memory(figures.Median(ofStarts(s, residentThen))), memory(held))
			v.outcome = "met"
			var missed []string
			if until > micro(patience) {
				missed = append(missed, "time by "+Times(until/micro(patience)))
			}
			if held > mostHeld {
				missed = append(missed, "memory by "+Times(held/mostHeld))
			}
			if len(missed) > 0 {
				v.outcome = "**missed**: " + strings.Join(missed, ", ")
				v.why = whyNotReady(result)
			}
		}
	}
	return v
}
