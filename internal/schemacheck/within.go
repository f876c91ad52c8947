package schemacheck

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// within returns a function that turns places in the value of a YAML string
// into places in the file. It is exact for block literals and for strings on
// one line; otherwise it answers with the start of the string.
func within(s *finding.Source, node *yaml.Node) func(finding.Place) finding.Place {
	start := finding.At(node.Line, node.Column)
	switch {
	case node.Style&yaml.LiteralStyle != 0:
		margin := indent(s, node)
		return func(p finding.Place) finding.Place { return finding.At(node.Line+p.Line, margin+p.Column) }
	case node.Style&yaml.FoldedStyle != 0 || strings.Contains(node.Value, "\n"):
		return func(finding.Place) finding.Place { return start }
	default:
		quote := 0
		if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			quote = 1
		}
		return func(p finding.Place) finding.Place {
			return finding.At(node.Line, node.Column+quote+p.Column-1)
		}
	}
}

// indent returns by how many characters a block literal is indented in the file.
func indent(s *finding.Source, node *yaml.Node) int {
	for i, value := range strings.Split(node.Value, "\n") {
		if strings.TrimSpace(value) == "" {
			continue
		}
		in := s.Line(node.Line + 1 + i)
		return max(0, utf8.RuneCountInString(in)-utf8.RuneCountInString(value))
	}
	return 0
}
