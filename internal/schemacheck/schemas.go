package schemacheck

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// schemas are those that the files of one run have in common. Each is compiled
// once, and what is wrong with it is told once: with the file itself if it is
// among those checked, otherwise with the first that names it.
type schemas struct {
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
func newSchemas(files []target) *schemas {
	s := &schemas{tellers: map[string]string{}, known: map[string]*verdict{}}
	for _, t := range files {
		if isSchema(t.path) {
			s.tellers[t.path] = t.path
		}
	}
	for _, t := range files {
		text, err := os.ReadFile(t.path)
		if err != nil || isSchema(t.path) {
			continue
		}
		if name := schemaFileOf(text); name != "" {
			if path := beside(t.path, name); s.tellers[path] == "" {
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
		v.compile(ctx, text)
		return v, true
	}
	s.mu.Lock()
	if v = s.known[path]; v == nil {
		v = &verdict{}
		s.known[path] = v
	}
	s.mu.Unlock()
	v.once.Do(func() { v.compile(ctx, text) })
	return v, s.tellers[path] == "" || s.tellers[path] == filepath.Clean(by)
}

func (v *verdict) compile(ctx context.Context, text zed.Text) {
	v.schema, v.findings = zed.Compile(ctx, text)
}

// beside returns the path of a file that another one names.
func beside(path, name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(filepath.Dir(path), name)
}
