package schemacheck

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/authzed/spicedb/pkg/development"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"
)

// schemaText is a schema and where it was written.
type schemaText struct {
	*source
	text   string
	placed func(place) place // from places in text to places in source
	dir    string            // where imports are looked for
}

func fileSchema(src *source) *schemaText {
	return &schemaText{source: src, text: src.text, placed: func(p place) place { return p }, dir: filepath.Dir(src.path)}
}

// rootName stands for the schema itself among the files that it may import.
// No file can have this name: a path has no empty part.
const rootName = "//"

// load compiles a schema and loads a document's relationships, if there is one.
// It returns what to run checks against, nil if the schema or a relationship is at fault.
// The caller disposes of it.
func (s *schemaText) load(ctx context.Context, doc *document) (*development.DevContext, []Finding) {
	var relationships []relationship
	if doc != nil {
		relationships = doc.relationships
	}
	world, problems, err := s.open(ctx, relationships)
	if err == nil && len(problems) == 0 {
		return world, nil
	}
	if err != nil { // whatever problems there are, it stopped before the last
		return nil, s.loadSingly(ctx, doc, err)
	}
	findings := make([]Finding, 0, len(problems))
	for _, p := range problems {
		findings = append(findings, s.convert(p, doc))
	}
	return nil, findings
}

// loadSingly is the way on when the loader gives up without naming a place: it
// tries each relationship alone. If none of them is the cause, the schema is.
func (s *schemaText) loadSingly(ctx context.Context, doc *document, cause error) []Finding {
	var findings []Finding
	if doc != nil {
		for _, r := range doc.relationships {
			world, problems, err := s.open(ctx, []relationship{r})
			switch {
			case err != nil:
				findings = append(findings, doc.finding(r.at, Error, CodeInvalidRelationship, "%s", err))
			case len(problems) > 0:
				findings = append(findings, s.convert(problems[0], doc))
			default:
				world.Dispose()
			}
		}
	}
	if len(findings) == 0 {
		findings = append(findings, s.finding(place{}, Error, CodeInvalidSchema, "the schema cannot be loaded: %s", cause))
	}
	return findings
}

func (s *schemaText) open(ctx context.Context, relationships []relationship) (*development.DevContext, []*devinterface.DeveloperError, error) {
	file := validationfile.ValidationFile{Schema: blocks.SchemaWithPosition{Schema: s.text}}
	for _, r := range relationships {
		file.Relationships.Relationships = append(file.Relationships.Relationships, r.Relationship)
	}
	world, problems, err := development.NewDevContextForValidationFile(ctx, &file,
		development.WithRootFileName(rootName), development.WithSourceFS(os.DirFS(s.dir)))
	if err != nil || len(problems.GetInputErrors()) > 0 {
		return nil, problems.GetInputErrors(), err
	}
	return world.DevContext, nil, nil
}

// convert makes a finding of what the loader reports.
func (s *schemaText) convert(p *devinterface.DeveloperError, doc *document) Finding {
	at, message := place{int(p.GetLine()), int(p.GetColumn())}, p.GetMessage()
	if p.GetSource() == devinterface.DeveloperError_RELATIONSHIP && doc != nil {
		for _, r := range doc.relationships {
			if text, err := tuple.String(r.Relationship); err == nil && text == p.GetContext() {
				return doc.finding(r.at, Error, CodeInvalidRelationship, "%s", p.GetMessage())
			}
		}
		return doc.finding(place{}, Error, CodeInvalidRelationship, "%s: %s", p.GetContext(), p.GetMessage())
	}
	if path := p.GetPath(); len(path) > 0 && path[0] != rootName && path[0] != "" {
		src := s.imported(path[0])
		at, message = early(src.text, at, message)
		return src.finding(at, Error, CodeInvalidSchema, "%s", message)
	}
	if at, message = early(s.text, at, message); at.line > 0 {
		at = s.placed(at)
	}
	return s.finding(at, Error, CodeInvalidSchema, "%s", message)
}

// early rights a message of the compiler's: for a text that ends too early, it
// names the start of the text and a token that nobody wrote.
func early(text string, at place, message string) (place, string) {
	first := strings.TrimSpace(text)
	if (at != place{1, 1}) || !strings.Contains(message, "TokenTypeError") || first == "" || !unicode.IsLetter(rune(first[0])) && first[0] != '/' {
		return at, message
	}
	return place{strings.Count(strings.TrimRight(text, " \t\r\n"), "\n") + 2, 1}, "the schema ends too early: a brace or a comment is not closed"
}

// imported reads a file that the schema imports; without its text if that fails.
func (s *schemaText) imported(name string) *source {
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if err != nil {
		return &source{path: path, lines: make([]string, 1)}
	}
	return newSource(path, string(text))
}
