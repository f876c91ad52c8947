// Package finding has what a check finds wrong with a file: where it is, how much it weighs, and what it says.
package finding

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Place is a position in a file, counted from 1; the zero Place is the file as a whole.
type Place struct{ Line, Column int }

// Source is a file as it was read. It does not change.
type Source struct {
	Path  string
	Text  string
	lines []string
}

// NewSource takes the text of a file.
func NewSource(path, text string) *Source {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return &Source{Path: path, Text: text, lines: lines}
}

// Line returns the text of a line, "" if there is none of that number.
func (s *Source) Line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// Finding makes a finding at a place in s. A place past the end is moved to
// the last line that has text, which is what an unexpected end is about.
func (s *Source) Finding(at Place, severity Severity, code, text string, args ...any) Finding {
	if last := s.LastLine(); at.Line > last {
		at = Place{last, utf8.RuneCountInString(s.Line(last)) + 1}
	}
	return Finding{
		File: s.Path, Line: at.Line, Column: at.Column, Severity: severity, Code: code,
		Message: fmt.Sprintf(text, args...), Context: strings.ToValidUTF8(s.Line(at.Line), "\uFFFD"),
	}
}

// LastLine returns the number of the last line that has text; 1 if none has.
func (s *Source) LastLine() int {
	last := len(s.lines)
	for last > 1 && strings.TrimSpace(s.lines[last-1]) == "" {
		last--
	}
	return last
}

// At makes a Place.
func At(line, column int) Place { return Place{Line: line, Column: column} }
