package schemacheck

import (
	"context"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// schemas are those that the files of one run have in common. Each is compiled
// once, and what is wrong with it is told once: with the file itself if it is
// among those checked, otherwise with the first that names it.
type schemas struct {
	options Options
	tellers map[string]string // schema file → the file with whose findings its own are told

	mu    sync.Mutex
	known map[string]*verdict
}

// verdict is what compiling a schema came to.
type verdict struct {
	once     sync.Once
	schema   *zed.Schema // nil if it does not compile
	findings []finding.Finding
}

// newSchemas finds out which schemas some files, in their order, have in common.
func newSchemas(files []target, options Options) *schemas {
	s := &schemas{options: options, tellers: map[string]string{}, known: map[string]*verdict{}}
	for _, t := range files {
		if isSchema(t.path) {
			s.tellers[t.path] = t.path
		}
	}
	for _, t := range files {
		for _, path := range t.parts {
			if !isSchema(t.path) && s.tellers[path] == "" {
				s.tellers[path] = t.path
			}
		}
	}
	return s
}

// compile compiles a schema for a file that is checked. tell reports whether
// what is wrong with the schema is to be told with this file.
func (s *schemas) compile(ctx context.Context, text zed.Text, by string) (v *verdict, tell bool) {
	path := filepath.Clean(text.Path)
	if path == filepath.Clean(by) && !isSchema(path) { // in the file itself
		v = &verdict{}
		v.compile(ctx, text, s.options)
		return v, true
	}
	s.mu.Lock()
	if v = s.known[path]; v == nil {
		v = &verdict{}
		s.known[path] = v
	}
	s.mu.Unlock()
	v.once.Do(func() { v.compile(ctx, text, s.options) })
	return v, s.tellers[path] == "" || s.tellers[path] == filepath.Clean(by)
}

func (v *verdict) compile(ctx context.Context, text zed.Text, options Options) {
	v.schema, v.findings = zed.Compile(ctx, text)
	if v.schema == nil || options.WithoutLints {
		return
	}
	looked := lint.Options{Disable: options.DisableLints}
	if strings.HasPrefix(text.Schema, schema.Banner) {
		looked.Managed = managed()
	}
	v.findings = lint.Run(v.schema, looked)
}

// managed is the schema of Tenantry's own definitions, which one that says to be built from them must have.
var managed = sync.OnceValue(func() *zed.Schema {
	own, _ := zed.Compile(context.Background(), zed.File(finding.NewSource(generated, schema.Built()))) // a test holds that it compiles
	return own
})

// beside returns the path of a file that another one names.
func beside(path, name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(path), name)
}

// lintRules say what the codes of lints mean.
func lintRules() map[string]report.Rule {
	rules := map[string]report.Rule{}
	for _, l := range lint.All() {
		rules[l.Name] = report.Rule{Summary: l.Summary, Help: report.Page("docs/lints.md#" + l.Anchor)}
	}
	return rules
}
