package schemacheck

import (
	"slices"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// FileResult is what checking one file came to.
type FileResult struct {
	Path         string            `json:"path"`
	Findings     []finding.Finding `json:"findings"`     // by file, line and column; never nil
	Assertions   int               `json:"assertions"`   // assertions run, whether they held or not
	Expectations int               `json:"expectations"` // resources and permissions whose expected relations were compared
}

// Report is the result of [Validate]: the files in the order in which they were asked for, those of one directory or pattern by name.
type Report struct {
	Files []FileResult `json:"files"`
}

// Failed reports whether any finding is an error.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r.Findings(), func(f finding.Finding) bool { return f.Severity == finding.Error })
}

// Findings returns the findings of every file, in order.
func (r Report) Findings() []finding.Finding {
	var all []finding.Finding
	for _, f := range r.Files {
		all = append(all, f.Findings...)
	}
	return all
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
