package schemacheck

import (
	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Kind is a kind of YAML file to look for in directories.
type Kind struct {
	Name    string                 // as a message has it: validation file
	Belongs func(path string) bool // tells a YAML file of the kind from others; in doubt true
	Schemas bool                   // whether schemas, *.zed, are looked for too
}

func validationFiles() Kind {
	return Kind{Name: "validation file (*.yaml, *.yml) and no schema (*.zed)", Belongs: looksLikeValidation, Schemas: true}
}

// File is a file to check, or a path that leads to none.
type File struct{ target target }

// Files finds the files that paths name: files, directories (the YAML files of
// the kind below them) and patterns in the syntax of [filepath.Match]. Each
// comes once, in the order of the paths, those of a directory or pattern by name.
func Files(paths []string, k Kind) []File {
	found := targets(paths, k)
	files := make([]File, len(found))
	for i, t := range found {
		files[i] = File{t}
	}
	return files
}

// Path returns the file's path, or that which leads to no file.
func (f File) Path() string { return f.target.path }

// Read reads the file. What prevents it is a finding.
func (f File) Read() (*finding.Source, *finding.Finding) { return read(f.target) }

// Within returns a function that turns places in the value of a YAML string into
// places in the file: exact for block literals and for strings on one line,
// otherwise the start of the string.
func Within(s *finding.Source, node *yaml.Node) func(finding.Place) finding.Place {
	return within(s, node)
}
