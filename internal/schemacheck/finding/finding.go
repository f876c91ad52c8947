package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Severity says how much a finding weighs.
type Severity string

// The severities. A report with an error has failed; a warning alone lets it pass.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
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

// String returns the finding as file:line:column: message, on one line.
func (f Finding) String() string {
	var s strings.Builder
	s.WriteString(Printable(f.File))
	if f.Line > 0 {
		fmt.Fprintf(&s, ":%d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&s, ":%d", f.Column)
		}
	}
	s.WriteString(": ")
	if f.Severity == Warning {
		s.WriteString("warning: ")
	}
	fmt.Fprintf(&s, "%s [%s]", Printable(f.Message), f.Code)
	return s.String()
}

// Printable replaces what could disturb a terminal or break a line; tabs stay.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case r == '\n':
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		default:
			return r
		}
	}, s)
}

// Sort orders findings by file, line, column, code and message.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
}
