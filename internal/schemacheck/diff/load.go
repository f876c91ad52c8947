package diff

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// Core stands for Tenantry's built-in schema among the names that Load takes.
const Core = "core"

// Load compiles the schema that a path names: a schema file, the schema of a
// validation file (.yaml or .yml), or [Core]. It returns what is wrong with it, or the schema.
func Load(ctx context.Context, path string) (*zed.Schema, []finding.Finding) {
	if path == Core {
		return Parse(ctx, Core, schema.Built())
	}
	text, err := os.ReadFile(path) //nolint:gosec // G703: the file is named by who runs this, or by their file
	if err != nil {
		src := finding.NewSource(path, "")
		return nil, []finding.Finding{src.Finding(finding.Place{}, finding.Error, finding.CodeUnreadableFile, "cannot be read: %s", err)}
	}
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".yaml" || ext == ".yml" {
		return ofValidation(ctx, finding.NewSource(path, string(text)))
	}
	return Parse(ctx, path, string(text))
}

// Parse compiles a schema that is not in a file under a name for its places.
func Parse(ctx context.Context, name, text string) (*zed.Schema, []finding.Finding) {
	return zed.Compile(ctx, zed.File(finding.NewSource(name, text)))
}

// ofValidation compiles the schema of a validation file.
func ofValidation(ctx context.Context, src *finding.Source) (*zed.Schema, []finding.Finding) {
	var file struct {
		Schema     yaml.Node `yaml:"schema"`
		SchemaFile string    `yaml:"schemaFile"`
	}
	if err := yaml.Unmarshal([]byte(src.Text), &file); err != nil {
		return nil, []finding.Finding{src.Finding(finding.Place{}, finding.Error, finding.CodeInvalidYAML, "not a validation file: %s", err)}
	}
	switch {
	case file.SchemaFile != "":
		return Load(ctx, filepath.Join(filepath.Dir(src.Path), filepath.FromSlash(file.SchemaFile)))
	case strings.TrimSpace(file.Schema.Value) == "":
		return nil, []finding.Finding{src.Finding(finding.Place{}, finding.Error, finding.CodeMissingSchema, "the file has no schema")}
	default:
		text := zed.File(src)
		text.Schema, text.Placed = file.Schema.Value, placedIn(src, &file.Schema)
		return zed.Compile(ctx, text)
	}
}

// placedIn turns places in a text of a YAML file into places in the file. That
// is exact for a block in the literal style; of others it is where the text begins.
func placedIn(src *finding.Source, node *yaml.Node) func(finding.Place) finding.Place {
	if node.Style&yaml.LiteralStyle == 0 {
		return func(finding.Place) finding.Place { return finding.At(node.Line, node.Column) }
	}
	indent := 0
	for n := node.Line + 1; n <= src.LastLine(); n++ {
		if line := src.Line(n); strings.TrimSpace(line) != "" {
			indent = len(line) - len(strings.TrimLeft(line, " "))
			break
		}
	}
	return func(p finding.Place) finding.Place { return finding.At(node.Line+p.Line, indent+p.Column) }
}
