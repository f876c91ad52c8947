package zed

import (
	"regexp"
	"slices"
	"strings"

	"github.com/authzed/spicedb/pkg/schemadsl/dslshape"
	"github.com/authzed/spicedb/pkg/schemadsl/input"
	"github.com/authzed/spicedb/pkg/schemadsl/parser"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// syntax reads each definition of a text by itself, and returns what is wrong
// with those that cannot be read: one mistake does not hide those after it.
func (t Text) syntax() []finding.Finding {
	var findings []finding.Finding
	for _, c := range chunks(t.Schema) {
		bad := firstMistake(c.text)
		if bad == nil {
			continue
		}
		at, message := placeIn(c.text, bad.rune), Plain(bad.message)
		if rest := []rune(c.text); strings.HasPrefix(string(rest[min(bad.rune, len(rest)):]), "/*") && strings.Contains(bad.message, "TokenTypeError") {
			message = "this comment is not closed: `*/` is missing"
		} else if endsEarly(c.text, *bad) {
			at, message = endOf(c.text), "the schema ends too early: a brace or a comment is not closed"
			if c.more {
				message = "this is not closed before the next definition begins: a brace is missing"
			}
		}
		if at.Line += c.line - 1; at.Line < 1 { // in the flags, which another chunk has
			continue
		}
		findings = append(findings, t.Finding(t.Placed(at), finding.Error, finding.CodeInvalidSchema, "%s", message))
	}
	return findings
}

// chunk is a part of a schema that can be read alone.
type chunk struct {
	text string
	line int  // of its first line, counted from 1; less than 1 if flags were put before it
	more bool // there is another one after it
}

var useFlag = regexp.MustCompile(`^\s*use\s+[a-z]+`)

var chunkStart = regexp.MustCompile(`^\s*(definition|caveat|partial)\s+[A-Za-z_]`)

// chunks splits a schema where definitions, caveats and partials begin. What is
// before the first is a chunk too. The `use` flags, which change how all of it is
// read, are put before each. Nothing begins within a comment.
func chunks(schema string) []chunk {
	var all []chunk
	var flags []string
	lines, from, comment := strings.Split(schema, "\n"), 0, false
	add := func(end int) {
		text := strings.Join(append(slices.Clone(flags), lines[from:end]...), "\n")
		all = append(all, chunk{text, from + 1 - len(flags), end < len(lines)})
		if from == 0 {
			for _, line := range lines[:end] {
				if flag := useFlag.FindString(line); flag != "" && firstMistake(flag) == nil {
					flags = append(flags, flag)
				}
			}
		}
		from = end
	}
	for i, line := range lines {
		if !comment && i > from && chunkStart.MatchString(line) {
			add(i)
		}
		comment = inComment(line, comment)
	}
	add(len(lines))
	return all
}

// inComment reports whether a block comment is open after a line.
func inComment(line string, open bool) bool {
	for {
		if open {
			_, rest, closed := strings.Cut(line, "*/")
			if !closed {
				return true
			}
			line = rest
		}
		before, rest, opens := strings.Cut(line, "/*")
		if !opens || strings.Contains(before, "//") {
			return false
		}
		line, open = rest, true
	}
}

// mistake is what the parser could not read.
type mistake struct {
	message string
	rune    int // where, in characters from 0
}

// firstMistake parses a text and returns what it stumbles over first, nil if it is fine.
func firstMistake(text string) *mistake {
	var first *syntaxNode
	parser.Parse(func(_ input.Source, kind dslshape.NodeType) parser.AstNode {
		n := &syntaxNode{}
		if kind == dslshape.NodeTypeError && first == nil {
			first = n
		}
		return n
	}, sourceName(RootName), text)
	if first == nil {
		return nil
	}
	return &mistake{first.message, first.start}
}

// syntaxNode keeps of a node what a mistake needs.
type syntaxNode struct {
	message string
	start   int
}

func (*syntaxNode) Connect(string, parser.AstNode) {}

func (n *syntaxNode) MustDecorate(property, value string) parser.AstNode {
	if property == dslshape.NodePredicateErrorMessage {
		n.message = value
	}
	return n
}

func (n *syntaxNode) MustDecorateWithInt(property string, value int) parser.AstNode {
	if property == dslshape.NodePredicateStartRune {
		n.start = value
	}
	return n
}

// endsEarly reports whether the parser came to the end of a text before that of
// what it was reading. It names the text's start then, and a token that nobody wrote.
func endsEarly(text string, bad mistake) bool {
	if !strings.Contains(bad.message, "TokenTypeError") && !strings.Contains(bad.message, "TokenTypeEOF") {
		return false
	}
	return bad.rune == 0 || strings.TrimSpace(string([]rune(text)[min(bad.rune, len([]rune(text))):])) == ""
}

// placeIn returns the place of the nth character of a text.
func placeIn(text string, n int) finding.Place {
	before := []rune(text)
	before = before[:min(n, len(before))]
	p := finding.Place{Line: 1, Column: 1}
	for _, r := range before {
		p.Column++
		if r == '\n' {
			p = finding.Place{Line: p.Line + 1, Column: 1}
		}
	}
	return p
}

// endOf returns the place after the last thing that is written in a text.
func endOf(text string) finding.Place {
	text = strings.TrimRight(text, " \t\r\n")
	return placeIn(text, len([]rune(text)))
}
