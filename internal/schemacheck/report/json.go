package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// documentVersion counts the changes after which programs that read a report must read it otherwise.
const documentVersion = 1

// document is a report as JSON; docs/schema-reports.md describes it.
type document struct {
	Version  int           `json:"version"`
	Files    []checkedFile `json:"files"`
	Findings []foundBy     `json:"findings"`
	Summary  summary       `json:"summary"`
}

type checkedFile struct {
	Path         string `json:"path"`
	Assertions   int    `json:"assertions"`
	Expectations int    `json:"expectations"`
	Errors       int    `json:"errors"`
	Warnings     int    `json:"warnings"`
}

// foundBy is a finding with the file whose check came upon it.
type foundBy struct {
	Checked string `json:"checked"`
	finding.Finding
}

type summary struct {
	Files        int  `json:"files"`
	Assertions   int  `json:"assertions"`
	Expectations int  `json:"expectations"`
	Errors       int  `json:"errors"`
	Warnings     int  `json:"warnings"`
	Failed       bool `json:"failed"`
}

func writeJSON(out *bufio.Writer, r Report) error {
	all := r.Findings()
	doc := document{
		Version:  documentVersion,
		Files:    make([]checkedFile, 0, len(r.Files)),
		Findings: make([]foundBy, 0, len(all)),
		Summary: summary{
			Files: len(r.Files), Assertions: r.Assertions(), Expectations: r.Expectations(),
			Errors: count(all, finding.Error), Warnings: count(all, finding.Warning), Failed: r.Failed(),
		},
	}
	for _, f := range r.Files {
		doc.Files = append(doc.Files, checkedFile{
			Path: f.Path, Assertions: f.Assertions, Expectations: f.Expectations,
			Errors: count(f.Findings, finding.Error), Warnings: count(f.Findings, finding.Warning),
		})
		for _, found := range f.Findings {
			doc.Findings = append(doc.Findings, foundBy{f.Path, found})
		}
	}
	return encode(out, doc)
}

// encode writes a value as indented JSON. It keeps < > & as they are, and escapes
// the control characters that JSON allows: terminals obey them too.
func encode(out *bufio.Writer, value any) error {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	for _, r := range text.String() {
		if unicode.IsControl(r) && r != '\n' { // within a string: between them are spaces and line breaks alone
			fmt.Fprintf(out, `\u%04x`, r)
			continue
		}
		fmt.Fprint(out, string(r)) // the writer keeps its error until it is flushed
	}
	return nil
}
