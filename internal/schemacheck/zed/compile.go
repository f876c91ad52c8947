package zed

import (
	"context"
	"errors"
	"math"
	"os"

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
		return []finding.Finding{t.Source.Finding(finding.Place{}, finding.Error, finding.CodeInvalidSchema, "%s", err)}
	}
	where := t.inFile(string(bad.Source))
	if found := where.syntax(); len(found) > 0 {
		return found
	}
	at, message := finding.Place{}, Plain(bad.BaseMessage)
	if line, column, err := bad.SourceRange.Start().LineAndColumn(); err == nil {
		at = where.Placed(finding.Place{Line: line + 1, Column: column + 1})
	}
	return []finding.Finding{where.Source.Finding(at, finding.Error, finding.CodeInvalidSchema, "%s", message)}
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
