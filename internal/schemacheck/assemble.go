package schemacheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// builder puts the parts of a schema together and finds its way back to them.
type builder struct {
	catalogue *schema.Catalogue
	parts     []part
	added     map[string]bool   // files, by their path
	unread    []finding.Finding // imports that could not be read
	origins   []origin          // of each line of the text assembled last
}

// part is an application's file, without its use flags.
type part struct {
	*finding.Source
	body  string // as long as the source, line for line
	flags []flag
}

type flag struct {
	name string
	line int
}

// origin says where a line comes from: a part (-1 is the generated text) and a line there.
type origin struct{ part, line int }

var useLine = regexp.MustCompile(`^\s*use\s+([a-z]+)\s*(//.*)?$`)

// importLine is an import of another file, whose name is looked for beside the file.
var importLine = regexp.MustCompile(`^\s*import\s+["']([^"']+)["']\s*(//.*)?$`)

// add takes the use flags out of a file, as a schema has them at its top only,
// and puts the files that it imports before it, each once.
func (b *builder) add(src *finding.Source) {
	name := filepath.Clean(src.Path)
	if b.added[name] {
		return
	}
	b.added[name] = true
	p := part{Source: src}
	lines := strings.Split(strings.ReplaceAll(src.Text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		if m := useLine.FindStringSubmatch(line); m != nil {
			if m[1] != "import" { // nothing is left to import
				p.flags = append(p.flags, flag{m[1], i + 1})
			}
			lines[i] = ""
			continue
		}
		if m := importLine.FindStringSubmatch(line); m != nil {
			b.include(src, finding.At(i+1, strings.Index(line, "import")+1), m[1])
			lines[i] = ""
			continue
		}
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "/") && !strings.HasPrefix(t, "*") {
			break // the first definition
		}
	}
	p.body = strings.Join(lines, "\n")
	b.parts = append(b.parts, p)
}

// include adds the file that another one imports at a place.
func (b *builder) include(by *finding.Source, at finding.Place, name string) {
	if !filepath.IsLocal(name) {
		b.unread = append(b.unread, by.Finding(at, finding.Error, finding.CodeUnreadableFile, "cannot import %s: an import names a file in the directory of %s or below it", name, by.Path))
		return
	}
	path := filepath.Join(filepath.Dir(by.Path), filepath.FromSlash(name))
	text, err := os.ReadFile(path) //nolint:gosec // local to the directory of the file that imports it
	if err != nil {
		b.unread = append(b.unread, by.Finding(at, finding.Error, finding.CodeUnreadableFile, "cannot read the imported file %s: %s", path, reason(err)))
		return
	}
	b.add(finding.NewSource(path, string(text)))
}

// assemble builds the schema with the first n parts, and notes the origin of each line.
func (b *builder) assemble(n int) (string, error) {
	b.origins = nil
	var bodies []string
	var text string
	for i := -1; i < n; i++ {
		first := 1
		if i >= 0 {
			body := b.parts[i].body
			bodies = append(bodies, body)
			first += strings.Count(body[:len(body)-len(strings.TrimLeft(body, " \t\r\n"))], "\n")
		}
		var err error
		if text, err = schema.Build(b.catalogue, bodies...); err != nil {
			return "", fault.New(fault.Internal, "schema_template", "the schema cannot be generated").Because(err)
		}
		added := strings.Count(text, "\n") - len(b.origins)
		if i >= 0 { // the empty line that sets parts apart
			b.origins = append(b.origins, origin{i, first})
			added--
		}
		for line := range added {
			b.origins = append(b.origins, origin{i, first + line})
		}
	}
	return b.hoist(text, n), nil
}

// hoist puts the use flags of the first n parts below those of the core.
func (b *builder) hoist(text string, n int) string {
	lines := strings.Split(text, "\n")
	have := map[string]bool{}
	at := 0
	for i, line := range lines {
		if b.origins[min(i, len(b.origins)-1)].part >= 0 {
			break
		}
		if m := useLine.FindStringSubmatch(line); m != nil {
			have[m[1]] = true
			at = i + 1
		}
	}
	for i, p := range b.parts[:n] {
		for _, f := range p.flags {
			if !have[f.name] {
				have[f.name] = true
				lines = slices.Insert(lines, at, "use "+f.name)
				b.origins = slices.Insert(b.origins, at, origin{i, f.line})
				at++
			}
		}
	}
	return strings.Join(lines, "\n")
}

// finding makes a finding at a place of the assembled text, in the file that the place comes from.
func (b *builder) finding(text string, at finding.Place, message string) finding.Finding {
	if at.Line < 1 {
		return finding.NewSource(generated, text).Finding(finding.Place{}, finding.Error, finding.CodeInvalidSchema, "%s", message)
	}
	o := b.origins[min(at.Line, len(b.origins))-1]
	if o.part < 0 {
		return finding.NewSource(generated, text).Finding(at, finding.Error, finding.CodeInvalidSchema, "%s", message)
	}
	p := b.parts[o.part]
	if at.Line > len(b.origins) { // the end of the text: the end of the last part
		at.Line, at.Column = p.LastLine()+1, 1
	} else {
		at.Line = o.line
		if lead := strings.TrimLeft(p.body, " \t\r\n"); strings.Count(p.body[:len(p.body)-len(lead)], "\n")+1 == o.line {
			at.Column += leading(p.Line(o.line)) // the first line lost its indentation
		}
	}
	return p.Finding(at, finding.Error, finding.CodeInvalidSchema, "%s", message)
}

func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
