package zed

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/input"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Compile compiles a schema and checks that its types fit together. It returns
// all that SpiceDB finds wrong, each an error with the code invalid_schema, or
// the schema if that is nothing. Files that it imports are read from its directory.
func Compile(ctx context.Context, text Text) (*Schema, []finding.Finding) {
	compiled, err := compiler.Compile(compiler.InputSchema{Source: RootName, SchemaString: text.Schema},
		compiler.AllowUnprefixedObjectType(), compiler.SourceFS(os.DirFS(text.Dir)))
	if err != nil {
		return nil, text.refused(err)
	}
	s := newTree(text, compiled)
	if findings := s.typeErrors(ctx); len(findings) > 0 {
		finding.Sort(findings)
		return nil, findings
	}
	return s, nil
}

// refused makes findings of what keeps a text from being compiled: every
// definition that cannot be read, or the one thing that is wrong among those that can.
func (t Text) refused(err error) []finding.Finding {
	bad, ok := errors.AsType[compiler.WithContextError](err)
	if !ok {
		return []finding.Finding{t.Finding(finding.Place{}, finding.Error, finding.CodeInvalidSchema, "%s", err)}
	}
	where := t.inFile(string(bad.Source))
	if found := where.syntax(); len(found) > 0 {
		return found
	}
	findings := []finding.Finding{where.refusal(bad)}
	if where.Source == t.Source {
		findings = append(findings, t.refusedBesides(bad)...)
	}
	return findings
}

// refusal makes a finding of the one thing that the compiler named.
func (t Text) refusal(bad compiler.WithContextError) finding.Finding {
	at := finding.Place{}
	if p := linePlace(bad); p.Line > 0 {
		at = t.Placed(p)
	}
	return t.Finding(at, finding.Error, finding.CodeInvalidSchema, "%s", Plain(bad.BaseMessage))
}

// linePlace returns where an error of the compiler's begins; the zero place if nobody knows.
func linePlace(bad compiler.WithContextError) finding.Place {
	line, column, err := bad.SourceRange.Start().LineAndColumn()
	if err != nil {
		return finding.Place{}
	}
	return finding.At(line+1, column+1)
}

// refusedBesides returns what else the compiler refuses when the definitions that it
// refused before are left out. What only their absence makes wrong is not told.
func (t Text) refusedBesides(bad compiler.WithContextError) []finding.Finding {
	const most = 100
	var findings []finding.Finding
	rest, left := t, []string{}
	for range most {
		name, ok := rest.leaveOut(linePlace(bad).Line)
		if !ok {
			break
		}
		if name != "" {
			left = append(left, name)
		}
		_, err := compiler.Compile(compiler.InputSchema{Source: RootName, SchemaString: rest.Schema},
			compiler.AllowUnprefixedObjectType(), compiler.SourceFS(os.DirFS(t.Dir)))
		if bad, ok = errors.AsType[compiler.WithContextError](err); !ok || bad.Source != RootName {
			break
		}
		if !slices.ContainsFunc(left, func(name string) bool { return strings.Contains(bad.BaseMessage, name) }) {
			findings = append(findings, t.refusal(bad))
		}
	}
	return findings
}

// leaveOut empties the lines of the definition, caveat or partial that has a line, and
// returns its name. ok is false if there is none.
func (t *Text) leaveOut(line int) (name string, ok bool) {
	lines := strings.Split(t.Schema, "\n")
	for _, c := range chunks(t.Schema) {
		first := c.line
		for first < 1 || first <= len(lines) && !chunkStart.MatchString(lines[first-1]) {
			if first++; first > len(lines) {
				break
			}
		}
		end := c.line + strings.Count(c.text, "\n")
		if line < first || line > end {
			continue
		}
		words := strings.FieldsFunc(lines[first-1], func(r rune) bool { return strings.ContainsRune(" \t({", r) })
		if len(words) > 1 {
			name = words[1]
		}
		for i := first; i <= end; i++ {
			lines[i-1] = ""
		}
		t.Schema = strings.Join(lines, "\n")
		return name, true
	}
	return "", false
}

// inFile returns the text that a name of the compiler's stands for: this one, or one of those imported.
func (t Text) inFile(name string) Text {
	if name == "" || name == RootName {
		return t
	}
	imported := File(t.Imported(name))
	imported.Dir = t.Dir // all imports are looked for from there
	return imported
}

func sourceName(name string) input.Source { return input.Source(name) }

// placeOf returns a position of the compiler's, counted from 1; the zero place if there is none.
func placeOf(p *corev1.SourcePosition) finding.Place {
	if p == nil {
		return finding.Place{}
	}
	return finding.Place{
		Line:   int(min(p.GetZeroIndexedLineNumber(), math.MaxInt32)) + 1,
		Column: int(min(p.GetZeroIndexedColumnPosition(), math.MaxInt32)) + 1,
	}
}
