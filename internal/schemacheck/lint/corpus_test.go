package lint_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// testConfig is one of the files that SpiceDB tests itself with.
type testConfig struct {
	Schema     string `yaml:"schema"`
	Assertions struct {
		True []string `yaml:"assertTrue"`
	} `yaml:"assertions"`
}

// testConfigs returns them by file name.
func testConfigs(t testing.TB) map[string]testConfig {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/services/integrationtesting/testconfigs/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 70 {
		t.Fatalf("only %d files", len(files))
	}
	all := map[string]testConfig{}
	for _, path := range files {
		var file testConfig
		if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = file
	}
	return all
}

// corpus returns their schemas.
func corpus(t testing.TB) map[string]*zed.Schema {
	t.Helper()
	schemas := map[string]*zed.Schema{}
	for name, file := range testConfigs(t) {
		schemas[name] = compile(t, name, file.Schema)
	}
	return schemas
}

// Lints that fire at every second schema are not read. SpiceDB's files are made
// to be unusual, and even there each fires in few.
func TestLintsAreRare(t *testing.T) {
	schemas, in := corpus(t), map[string]int{}
	for name, s := range schemas {
		codes := map[string]bool{}
		for _, f := range lint.Run(s, lint.Options{}) {
			codes[f.Code] = true
			line := strings.Split(s.Text.Schema, "\n")[f.Line-1]
			if f.File != name || f.Context != line || f.Column < 1 || f.Column > utf8.RuneCountInString(line) {
				t.Errorf("%v is at no place of its file", f)
			}
		}
		for code := range codes {
			in[code]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(in)) {
		most := len(schemas) / 8
		if code == "recursion-depth" { // every hierarchy has one
			most = len(schemas) / 4
		}
		if in[code] > most {
			t.Errorf("%s is found in %d of %d schemas", code, in[code], len(schemas))
		}
	}
	if len(in) < 8 {
		t.Errorf("only %v were found", in)
	}
}

// What is said to hold for nobody holds in none of SpiceDB's own assertions.
func TestNeverHoldsIsTrue(t *testing.T) {
	asserted, reported := 0, 0
	for name, file := range testConfigs(t) {
		s := compile(t, name, file.Schema)
		never := map[string]finding.Finding{}
		for _, f := range lint.Run(s, lint.Options{}) {
			for _, d := range s.Definitions {
				for _, rel := range d.Relations {
					if f.Code == "never-holds" && rel.At.Line == f.Line && rel.At.Column == f.Column {
						never[rel.String()] = f
						reported++
					}
				}
			}
		}
		for _, a := range file.Assertions.True {
			asserted++
			object, rest, _ := strings.Cut(a, ":")
			_, rest, _ = strings.Cut(rest, "#")
			relation, _, _ := strings.Cut(rest, "@")
			if f, found := never[object+"#"+relation]; found {
				t.Errorf("%s asserts %s, but: %v", name, a, f)
			}
		}
	}
	if asserted < 200 || reported < 3 {
		t.Errorf("only %d assertions and %d findings were compared", asserted, reported)
	}
}

// Whatever compiles can be looked at.
func FuzzRun(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.Text.Schema)
	}
	files, err := filepath.Glob("testdata/*.zed")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, _ := zed.Compile(t.Context(), zed.Text{
			Source: finding.NewSource("s.zed", text), Schema: text, Dir: t.TempDir(),
			Placed: func(p finding.Place) finding.Place { return p },
		})
		if s == nil {
			return
		}
		for _, found := range lint.Run(s, lint.Options{Managed: s, Roots: []string{s.Text.Path}}) {
			if found.Code == "managed-definition" {
				t.Errorf("a schema differs from itself: %v", found)
			}
			if found.Line < 1 || found.Message == "" {
				t.Errorf("no place or no text: %#v", found)
			}
		}
	})
}
