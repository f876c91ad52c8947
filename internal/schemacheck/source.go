package schemacheck

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// place is a position in a file, counted from 1; the zero place is the file as a whole.
type place struct{ line, column int }

// source is a file as it was read.
type source struct {
	path  string
	text  string
	lines []string
}

func newSource(path, text string) *source {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return &source{path: path, text: text, lines: lines}
}

// line returns the text of a line, "" if there is none of that number.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// finding makes a finding at a place in s. A place past the end is moved to
// the last line that has text, which is what an unexpected end is about.
func (s *source) finding(at place, severity Severity, code, text string, args ...any) Finding {
	if last := s.lastLine(); at.line > last {
		at = place{last, utf8.RuneCountInString(s.line(last)) + 1}
	}
	return Finding{
		File: s.path, Line: at.line, Column: at.column, Severity: severity, Code: code,
		Message: fmt.Sprintf(text, args...), Context: strings.ToValidUTF8(s.line(at.line), "\uFFFD"),
	}
}

func (s *source) lastLine() int {
	last := len(s.lines)
	for last > 1 && strings.TrimSpace(s.lines[last-1]) == "" {
		last--
	}
	return last
}

// within returns a function that turns places in the value of a YAML string
// into places in the file. It is exact for block literals and for strings on
// one line; otherwise it answers with the start of the string.
func (s *source) within(node *yaml.Node) func(place) place {
	start := place{node.Line, node.Column}
	switch {
	case node.Style&yaml.LiteralStyle != 0:
		indent := s.indent(node)
		return func(p place) place { return place{node.Line + p.line, indent + p.column} }
	case node.Style&yaml.FoldedStyle != 0 || strings.Contains(node.Value, "\n"):
		return func(place) place { return start }
	default:
		quote := 0
		if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			quote = 1
		}
		return func(p place) place { return place{node.Line, node.Column + quote + p.column - 1} }
	}
}

// indent returns by how many characters a block literal is indented in the file.
func (s *source) indent(node *yaml.Node) int {
	for i, value := range strings.Split(node.Value, "\n") {
		if strings.TrimSpace(value) == "" {
			continue
		}
		in := s.line(node.Line + 1 + i)
		return max(0, utf8.RuneCountInString(in)-utf8.RuneCountInString(value))
	}
	return 0
}
