package report

import (
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/bench/internal/contest"
)

// reasons tells why targets were missed, with other figures of the same run.
func (r *Report) reasons(m markdown, all []verdict) {
	var said []string
	for _, v := range all {
		if v.missed() && v.why != "" && !slices.Contains(said, v.why) {
			said = append(said, v.why)
		}
	}
	if len(said) == 0 {
		return
	}
	m.line("")
	m.line("About what was missed:")
	m.line("")
	for _, why := range said {
		m.line("- %s", why)
	}
}

// took is a system's median for a case.
func (r *Report) took(key, name string) string {
	return Time(r.Main.Cell(key, name).Median())
}

func (r *Report) title(key string) string {
	for _, c := range r.Main.Cases {
		if c.Key == key {
			return c.Title
		}
	}
	return key
}

func (r *Report) whyNotSQL(key string) string {
	return fmt.Sprintf("%s: SQL is asked by pgx in PostgreSQL's binary protocol, a statement prepared beforehand, and takes %s. "+
		"HTTP with JSON takes %s with nothing but the arrays behind it, on both sides Go's net/http: the least that an answer over HTTP takes here. The index decides in %s, in process.",
		r.title(key), r.took(key, contest.Recursive), r.took(key, contest.ArraysOverHTTP), r.took(key, contest.Index))
}

func (r *Report) whyNotBare(key string) string {
	return fmt.Sprintf("%s: the bare server takes %s, Tenantry %s, of which the index has %s. "+
		"The rest is what a service does before it answers, and the sketch does not: whose credential it is, whether it may ask, rates and places, limits of the body, headers, metrics (docs/figures.md, the way of a check).",
		r.title(key), r.took(key, contest.ArraysOverHTTP), r.took(key, contest.Tenantry), r.took(key, contest.Index))
}

func (r *Report) whyNotMore(other string) string {
	rate := func(f contest.Figure) float64 { return f.Rate }
	of := func(name string) string { return Rate(middle(r.Main.Cell(contest.Crowd, name), rate)) }
	return fmt.Sprintf("Checks a second with 8 clients: Tenantry %s, %s %s, arrays behind a bare net/http server %s, all with the clients on the same cores.",
		of(contest.Tenantry), contest.Titles()[other], of(other), of(contest.ArraysOverHTTP))
}

// whyNotReady compares with the index that is made from memory.
func whyNotReady(result *contest.Result) string {
	alone := "–"
	for _, s := range result.Systems {
		if s.Name == contest.Index && len(s.Starts) > 0 {
			alone = Range(ofStarts(s, ready), Time)
		}
	}
	return "A million accounts: `tenantry serve` reads them from SQLite, and its engine is there as well, with what it keeps in memory. " +
		"The index alone, from a world in memory and in the benchmark's process, took " + alone + "."
}
