// Package report writes what a check of schemas found, for people, for machines, and for the places where CI shows it.
//
// Equal reports give equal bytes in every [Format]. Names and texts of files
// come from whoever wrote these; no character in them breaks a form, and control
// characters reach neither a terminal nor a log.
package report

import (
	"slices"
	"strconv"
	"time"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Report is the result of a check: the files in the order in which they were asked for, those of one directory or pattern by name.
type Report struct {
	Files   []FileResult
	Strict  bool            // whether a warning fails the report, as an error does
	Version string          // of the program that made the report; "" if unknown
	Rules   map[string]Rule // what codes of findings mean, if this package does not know or is to say otherwise
	Notes   []string        // lines that end the report for people
}

// FileResult is what checking one file came to.
type FileResult struct {
	Path         string
	Findings     []finding.Finding // by file, line and column, those of Cases included; never nil
	Assertions   int               // assertions run, whether they held or not
	Expectations int               // resources and permissions whose expected relations were compared
	Cases        []Case            // what was run, in its order
}

// Kind says what a case is about.
type Kind string

// The kinds of cases.
const (
	KindSchema      Kind = "schema"      // that the file and its schema can be read, and have nothing wrong with them
	KindAssertion   Kind = "assertion"   // one assertion
	KindExpectation Kind = "expectation" // the expected relations of one resource and permission
	KindScenario    Kind = "scenario"    // one scenario, with all that it expects
)

// Case is one thing that was checked in a file. It passed if none of its findings fails the report.
type Case struct {
	Name     string // what is checked, as it should be
	Kind     Kind
	Line     int               // counted from 1; 0 if the case is about the file as a whole
	Column   int               // in characters, counted from 1; 0 if unknown
	Findings []finding.Finding // what is wrong; all of them are in the file's Findings too
	Duration time.Duration     // 0 if it was not measured
}

// schemaCase is the name of the case that has the findings of no other one.
const schemaCase = "schema"

// AllCases returns the cases of a file with every finding of the file in one of
// them: those of no other case belong to the case of kind schema, which is made,
// and comes first, if there is none.
func (f FileResult) AllCases() []Case {
	taken := map[string]int{}
	for _, c := range f.Cases {
		for _, found := range c.Findings {
			taken[key(found)]++
		}
	}
	var rest []finding.Finding
	for _, found := range f.Findings {
		if k := key(found); taken[k] > 0 {
			taken[k]--
			continue
		}
		rest = append(rest, found)
	}
	cases := slices.Clone(f.Cases)
	at := slices.IndexFunc(cases, func(c Case) bool { return c.Kind == KindSchema })
	if at < 0 {
		at = 0
		cases = slices.Insert(cases, at, Case{Name: schemaCase, Kind: KindSchema})
	}
	cases[at].Findings = slices.Concat(cases[at].Findings, rest)
	return cases
}

// Failed reports whether any finding is an error; or a warning, in a strict report.
func (r Report) Failed() bool { return slices.ContainsFunc(r.Findings(), r.fails) }

// fails reports whether a finding fails the report.
func (r Report) fails(f finding.Finding) bool {
	return f.Severity == finding.Error || r.Strict && f.Severity == finding.Warning
}

// Findings returns the findings of every file, in order.
func (r Report) Findings() []finding.Finding {
	var all []finding.Finding
	for _, f := range r.Files {
		all = append(all, f.Findings...)
	}
	return all
}

// distinct returns the findings without repetitions: those of a schema are found by every file that names it.
func (r Report) distinct() []finding.Finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(r.Findings(), func(f finding.Finding) bool {
		again := seen[key(f)]
		seen[key(f)] = true
		return again
	})
}

// key is equal for findings that say the same, and for them only.
func key(f finding.Finding) string {
	return strconv.Quote(f.File) + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column) +
		strconv.Quote(string(f.Severity)) + strconv.Quote(f.Code) + strconv.Quote(f.Message) + strconv.Quote(f.Context)
}

// Assertions returns how many assertions were run.
func (r Report) Assertions() int {
	n := 0
	for _, f := range r.Files {
		n += f.Assertions
	}
	return n
}

// Expectations returns for how many resources and permissions the expected relations were compared.
func (r Report) Expectations() int {
	n := 0
	for _, f := range r.Files {
		n += f.Expectations
	}
	return n
}

// count returns how many of the findings have a severity.
func count(findings []finding.Finding, severity finding.Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}
