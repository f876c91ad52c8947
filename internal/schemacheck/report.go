package schemacheck

import (
	"cmp"
	"slices"
)

// Severity says how much a finding weighs.
type Severity string

// The severities. A report with an error has failed; a warning alone lets it pass.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// The codes of findings; stable.
const (
	CodeUnreadableFile        = "unreadable_file"        // the file, or the schema file it names, cannot be read
	CodeNoFiles               = "no_files"               // a path or pattern has no file to check
	CodeEmptyFile             = "empty_file"             // a file without content
	CodeInvalidYAML           = "invalid_yaml"           // no YAML, or more than one document
	CodeInvalidSection        = "invalid_section"        // a part of a validation file that is unknown, repeated or of the wrong form
	CodeMissingSchema         = "missing_schema"         // neither schema nor schemaFile
	CodeInvalidSchema         = "invalid_schema"         // the schema does not compile, or its types do not fit together
	CodeReservedDefinition    = "reserved_definition"    // an added definition has the name of one of Tenantry's own
	CodeInvalidRelationship   = "invalid_relationship"   // no relationship, or one that the schema does not allow
	CodeDuplicateRelationship = "duplicate_relationship" // the same relationship twice
	CodeInvalidAssertion      = "invalid_assertion"      // no assertion, or one about things that the schema does not have
	CodeAssertionFailed       = "assertion_failed"       // an assertion that does not hold
	CodeInvalidExpectation    = "invalid_expectation"    // no expected relation, or one about things that the schema does not have
	CodeExpectationFailed     = "expectation_failed"     // an expected relation that does not hold
	CodeTooDeep               = "too_deep"               // more levels than the checker follows
	CodeNothingChecked        = "nothing_checked"        // a validation file without assertions and expected relations
)

// Finding is one thing wrong with a file.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`   // counted from 1; 0 if the finding has no place
	Column   int      `json:"column,omitempty"` // in characters, counted from 1; 0 if unknown
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Context  string   `json:"context,omitempty"` // the source line at Line
}

// FileResult is what checking one file came to.
type FileResult struct {
	Path         string    `json:"path"`
	Findings     []Finding `json:"findings"`     // by file, line and column; never nil
	Assertions   int       `json:"assertions"`   // assertions run, whether they held or not
	Expectations int       `json:"expectations"` // resources and permissions whose expected relations were compared
}

// Report is the result of [Validate]: the files in the order in which they were asked for, those of one directory or pattern by name.
type Report struct {
	Files []FileResult `json:"files"`
}

// Failed reports whether any finding is an error.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r.Findings(), func(f Finding) bool { return f.Severity == Error })
}

// Findings returns the findings of every file, in order.
func (r Report) Findings() []Finding {
	var all []Finding
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

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
}
