package lint_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
)

var update = flag.Bool("update", false, "write the golden files anew")

// managed is the schema that testdata is compared with where it is about managed definitions.
const managed = "testdata/managed.zed"

// Every lint fires in a schema of its name, at the places that the golden file
// has, and not in the one that comes near: name.zed and name.fine.zed.
func TestEveryLint(t *testing.T) {
	for _, l := range lint.All() {
		for file, fires := range map[string]bool{l.Name + ".zed": true, l.Name + ".fine.zed": false} {
			t.Run(file, func(t *testing.T) {
				path := filepath.Join("testdata", file)
				findings := lint.Run(compile(t, path, read(t, path)), options(t, l.Name))
				found := slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Code == l.Name })
				if found != fires {
					t.Errorf("%s found: %v; want %v", l.Name, found, fires)
				}
				for _, f := range findings {
					if f.Code == l.Name && f.Severity != l.Severity {
						t.Errorf("severity %s; want %s", f.Severity, l.Severity)
					}
				}
				golden(t, path+".golden", findings)
			})
		}
	}
}

// options are those that a file of testdata needs for a lint.
func options(t *testing.T, name string) lint.Options {
	t.Helper()
	if name == "managed-definition" {
		return lint.Options{Managed: compile(t, managed, read(t, managed))}
	}
	return lint.Options{}
}

// What is found is the same every time.
func TestRunIsDeterministic(t *testing.T) {
	for name, s := range corpus(t) {
		want := lint.Run(s, lint.Options{})
		for range 3 {
			if diff := cmp.Diff(want, lint.Run(s, lint.Options{})); diff != "" {
				t.Errorf("%s: two runs differ:\n%s", name, diff)
			}
		}
	}
}

// A lint that is switched off finds nothing, and the comments that silence it are not called unused.
func TestDisable(t *testing.T) {
	for _, l := range lint.All() {
		path := filepath.Join("testdata", l.Name+".zed")
		o := options(t, l.Name)
		o.Disable = []string{l.Name}
		for _, f := range lint.Run(compile(t, path, read(t, path)), o) {
			if f.Code == l.Name {
				t.Errorf("%s found %v, though it is off", l.Name, f)
			}
		}
	}
	s := compile(t, "s.zed", "definition user {}\n\n// lint:ignore naming: not needed\ndefinition doc {\n\trelation viewer: user\n}\n")
	if found := lint.Run(s, lint.Options{}); len(found) != 1 || found[0].Code != "unused-suppression" {
		t.Errorf("found %v; want an unused suppression", found)
	}
	if found := lint.Run(s, lint.Options{Disable: []string{"naming"}}); len(found) != 0 {
		t.Errorf("found %v; want nothing", found)
	}
}

// With roots, what they do not lead to is not used.
func TestRoots(t *testing.T) {
	s := compile(t, "s.zed", "definition user {}\n\ndefinition team {\n\trelation member: user\n}\n\ndefinition doc {\n\trelation viewer: user\n}\n")
	if found := lint.Run(s, lint.Options{}); len(found) != 0 {
		t.Errorf("without roots: %v", found)
	}
	found := lint.Run(s, lint.Options{Roots: []string{"doc"}})
	if len(found) != 1 || found[0].Code != "unused-definition" || found[0].Line != 3 || found[0].Column != 1 {
		t.Errorf("with a root: %v", found)
	}
}

// The depth that a recursion may have follows from the limit and the steps of a level.
func TestMaxDepth(t *testing.T) {
	s := compile(t, "s.zed", "definition user {}\n\ndefinition dir {\n\trelation parent: dir\n\trelation viewer: user\n"+
		"\tpermission above = parent->view\n\tpermission view = viewer + above\n}\n")
	for limit, want := range map[int]string{0: "from about 25 levels on (the limit is 50 steps)", 100: "from about 50 levels on (the limit is 100 steps)"} {
		found := lint.Run(s, lint.Options{MaxDepth: limit})
		if len(found) != 1 || found[0].Line != 4 || !strings.Contains(found[0].Message, want) {
			t.Errorf("with a limit of %d: %v; want %q", limit, found, want)
		}
	}
}

func golden(t *testing.T, path string, findings []finding.Finding) {
	t.Helper()
	var got strings.Builder
	for _, f := range findings {
		got.WriteString(f.String() + "\n")
		if f.Line > 0 {
			got.WriteString("\t" + strings.ReplaceAll(f.Context, "\t", " ") + "\n\t" + strings.Repeat(" ", f.Column-1) + "^\n")
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(strings.Split(read(t, path), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
