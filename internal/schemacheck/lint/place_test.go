package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Findings and comments of a schema that is a part of a file have their place in
// the file, those of SpiceDB's too.
func TestPlacesInAFile(t *testing.T) {
	part := "definition user {}\n\n// lint:ignore naming\ndefinition team {\n\trelation team: user\n\tpermission view = team - team\n\t// lint:ignore naming: nothing\n}\n"
	src := finding.NewSource("file.yaml", "schema: |-\n  "+strings.ReplaceAll(part, "\n", "\n  "))
	s, wrong := zed.Compile(t.Context(), zed.Text{
		Source: src, Schema: part, Dir: ".",
		Placed: func(p finding.Place) finding.Place { return finding.At(p.Line+1, p.Column+2) },
	})
	if s == nil {
		t.Fatal(wrong)
	}
	want := []string{
		"file.yaml 4:3 bad-suppression", "file.yaml 6:4 relation-name-references-parent",
		"file.yaml 7:4 never-holds", "file.yaml 8:4 bad-suppression",
	}
	if diff := cmp.Diff(want, places(lint.Run(s, lint.Options{}))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// What comes from a partial of another file is found there; a comment there holds
// for all definitions that take it, and is used if it is in one.
func TestPlacesInImports(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"parts.zed": "use partial\n\n// what many have\npartial shared {\n\trelation viewer: user\n\n\t// lint:ignore unused-relation: checked by itself\n\trelation auditor: user\n" +
			"\trelation lead_team: user\n\tpermission view = viewer + lead_team + viewer\n}\n",
		"root.zed": "use import\nuse partial\n\nimport \"parts.zed\"\n\ndefinition user {}\n\ndefinition team {\n\t...shared\n\tpermission audit = auditor\n}\n\ndefinition club {\n\t...shared\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "root.zed")
	s, wrong := zed.Compile(t.Context(), zed.File(finding.NewSource(path, read(t, path))))
	if s == nil {
		t.Fatal(wrong)
	}
	want := []string{"parts.zed 9:2 relation-name-references-parent", "parts.zed 10:41 redundant-union"}
	if diff := cmp.Diff(want, places(lint.Run(s, lint.Options{}))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func places(findings []finding.Finding) []string {
	var all []string
	for _, f := range findings {
		place, _, _ := strings.Cut(strings.TrimPrefix(f.String(), f.File+":"), ": ")
		all = append(all, filepath.Base(f.File)+" "+place+" "+f.Code)
	}
	return all
}
