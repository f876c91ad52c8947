package zed

import (
	"os"
	"path/filepath"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// RootName stands for the schema itself among the files that it may import.
// No file can have this name: a path has no empty part.
const RootName = "//"

// Text is a schema as it was written: a file, or a part of one.
type Text struct {
	*finding.Source
	Schema string
	Placed func(finding.Place) finding.Place // from places in Schema to places in Source
	Dir    string                            // where imports are looked for
}

// File is the schema that a whole file consists of.
func File(src *finding.Source) Text {
	return Text{Source: src, Schema: src.Text, Placed: func(p finding.Place) finding.Place { return p }, Dir: filepath.Dir(src.Path)}
}

// Imported reads a file that the schema imports; without its text if that fails.
func (t Text) Imported(name string) *finding.Source {
	path := filepath.Join(t.Dir, filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if err != nil {
		return finding.NewSource(path, "")
	}
	return finding.NewSource(path, string(text))
}
