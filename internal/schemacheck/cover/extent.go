package cover

import (
	"regexp"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// What is written at the place of a relation, a type, and a branch without branches of its own.
var (
	relationText = regexp.MustCompile(`^(relation|permission)\s+\w+`)
	typeText     = regexp.MustCompile(`^[\w/]+(\s*:\s*\*|\s*#\s*\w+)?(\s+with\s+[\w/]+(\s+and\s+\w+)?)?`)
	branchText   = regexp.MustCompile(`^\w+(\s*->\s*\w+|\s*\.\s*\w+\s*\(\s*\w+\s*\))?`)
)

// endOf returns where a text that begins at a place ends, as far as it is on one line.
func endOf(at zed.Location, text *regexp.Regexp) finding.Place {
	line := []rune(at.Source.Line(at.Line))
	if at.Column < 1 || at.Column > len(line) {
		return at.Place
	}
	found := text.FindString(string(line[at.Column-1:]))
	return finding.At(at.Line, at.Column+utf8.RuneCountInString(found))
}

// endOfBranch returns where the last of the branches that a branch consists of ends.
func endOfBranch(e *zed.Expr) finding.Place {
	if len(e.Children) == 0 {
		return endOf(e.At, branchText)
	}
	end := e.At.Place
	for _, c := range e.Children {
		if c := endOfBranch(c); before(end, c) {
			end = c
		}
	}
	return end
}

func before(a, b finding.Place) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}
