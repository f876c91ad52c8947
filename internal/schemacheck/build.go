package schemacheck

import (
	"context"
	"math"
	"slices"
	"strings"

	corev1 "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/input"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// generated is the file name of findings that lie in the part of a schema that
// Tenantry makes of the catalogue.
const generated = "tenantry.zed"

// BuildError says why a schema could not be built. It unwraps to an Invalid
// fault (code "invalid_schema") whose text names the first finding.
type BuildError struct {
	Findings []finding.Finding // at least one
	fault    *fault.Error
}

// Error returns the text of the fault.
func (e *BuildError) Error() string { return e.fault.Error() }

// Unwrap returns the fault.
func (e *BuildError) Unwrap() error { return e.fault }

func newBuildError(findings []finding.Finding) *BuildError {
	finding.Sort(findings)
	text := findings[0].String()
	if more := len(findings) - 1; more > 0 {
		text += ", and " + report.Counted(more, "more finding")
	}
	return &BuildError{Findings: findings, fault: fault.New(fault.Invalid, "invalid_schema", "%s", text)}
}

// Build generates the schema for a catalogue followed by an application's own
// definitions, and compiles it. `use` flags at the top of a definitions file
// hold for the whole schema; partials of one file are there for the others; files that
// it imports are taken in, each once, from its directory. If the schema does not compile,
// a file defines one of Tenantry's own types, or an import cannot be read, the error is a
// *[BuildError] whose findings point into the file that it is about; what lies in the
// generated part is a finding in tenantry.zed.
func Build(catalogue *schema.Catalogue, definitions ...schema.Source) (string, error) {
	b := builder{catalogue: catalogue, added: map[string]bool{}}
	for _, d := range definitions {
		b.add(finding.NewSource(d.Name, string(d.Text)))
	}
	if len(b.unread) > 0 {
		return "", newBuildError(b.unread)
	}
	text, err := b.assemble(len(b.parts))
	if err != nil {
		return "", err
	}
	if findings := b.check(text); len(findings) > 0 {
		return "", newBuildError(findings)
	}
	return text, nil
}

// check returns what is wrong with the text assembled from all parts.
func (b *builder) check(text string) []finding.Finding {
	if findings := b.reserved(); len(findings) > 0 {
		return findings
	}
	_, findings := zed.Compile(context.Background(), zed.File(finding.NewSource(generated, text)))
	for i, f := range findings {
		findings[i] = b.finding(text, finding.Place{Line: f.Line, Column: f.Column}, f.Message)
	}
	return findings
}

// reserved finds definitions in the parts that have the name of one in the core.
// A part that cannot be compiled alone is left to the compilation of the whole.
func (b *builder) reserved() []finding.Finding {
	core, err := schema.Build(b.catalogue)
	if err != nil {
		return nil // reported by assemble
	}
	own, err := compile(core)
	if err != nil {
		return nil
	}
	names := map[string]bool{}
	for _, d := range own.OrderedDefinitions {
		names[d.GetName()] = true
	}
	var findings []finding.Finding
	for _, p := range b.parts {
		header := []string{"use expiration"}
		for _, f := range p.flags {
			if flag := "use " + f.name; !slices.Contains(header, flag) {
				header = append(header, flag)
			}
		}
		alone, err := compile(strings.Join(header, "\n") + "\n" + p.body)
		if err != nil {
			continue
		}
		for _, d := range alone.OrderedDefinitions {
			if !names[d.GetName()] {
				continue
			}
			var at finding.Place
			if positioned, ok := d.(interface{ GetSourcePosition() *corev1.SourcePosition }); ok {
				pos := positioned.GetSourcePosition()
				at.Line = int(min(pos.GetZeroIndexedLineNumber(), math.MaxInt32)) + 1 - len(header)
				at.Column = int(min(pos.GetZeroIndexedColumnPosition(), math.MaxInt32)) + 1
			}
			findings = append(findings, p.Finding(at, finding.Error, finding.CodeReservedDefinition,
				"%s is one of Tenantry's own definitions; refer to it, or choose another name", d.GetName()))
		}
	}
	return findings
}

func compile(text string) (*compiler.CompiledSchema, error) {
	return compiler.Compile(compiler.InputSchema{Source: input.Source(zed.RootName), SchemaString: text},
		compiler.AllowUnprefixedObjectType(), compiler.DisallowImportFlag())
}
