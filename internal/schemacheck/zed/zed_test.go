package zed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

func compile(t *testing.T, text string) (*zed.Schema, []finding.Finding) {
	t.Helper()
	return zed.Compile(t.Context(), zed.File(finding.NewSource("a.zed", text)))
}

const documents = `use expiration
use self

definition user {
	relation friend: user
	permission seen = self + friend
}

// office hours
caveat hours(hour int, days list<int>) {
	hour >= 8
}

/** a group */
definition team {
	relation member: user | team#member
}

definition doc {
	relation parent: doc // up
	relation reader: user:* | user with hours | user with expiration | user with hours and expiration | team#member
	permission none = nil
	permission read = (reader & parent->read) + parent.all(read) - none + (reader + parent.any(read))
}
`

// Each part of a schema says what it is, and the text at its place begins with it.
func TestPlaces(t *testing.T) {
	s, findings := compile(t, documents)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var got []string
	note := func(at zed.Location, what string) {
		line := at.Source.Line(at.Line)
		if at.Column < 1 || at.Column > len(line) {
			t.Errorf("%s has no place: %v", what, at.Place)
			return
		}
		got = append(got, fmt.Sprintf("%d:%d %s | %s", at.Line, at.Column, what, strings.TrimSpace(line[at.Column-1:])[:min(8, len(strings.TrimSpace(line[at.Column-1:])))]))
	}
	for _, c := range s.Caveats {
		note(c.At, fmt.Sprint("caveat ", c.Name, c.Parameters, c.Expression))
	}
	for _, d := range s.Definitions {
		note(d.At, fmt.Sprint("definition ", d.Name, " ", len(d.Comments)))
		for _, r := range d.Relations {
			note(r.At, r.Kind()+" "+r.String())
			for _, k := range r.Types {
				note(k.At, k.String())
			}
			r.Expr.Walk(func(e *zed.Expr) bool {
				note(e.At, e.String())
				return true
			})
		}
	}
	want := strings.Split(strings.TrimSpace(`
10:1 caveat hoursmap[days:list<int> hour:int]hour >= 8 | caveat h
4:1 definition user 0 | definiti
5:2 relation user#friend | relation
5:19 user | user
6:2 permission user#seen | permissi
6:20 self + friend | self + f
6:20 self | self + f
6:27 friend | friend
15:1 definition team 1 | definiti
16:2 relation team#member | relation
16:19 user | user | t
16:26 team#member | team#mem
19:1 definition doc 0 | definiti
20:2 relation doc#parent | relation
20:19 doc | doc // u
21:2 relation doc#reader | relation
21:19 user:* | user:* |
21:28 user with hours | user wit
21:46 user with expiration | user wit
21:69 user with hours and expiration | user wit
21:102 team#member | team#mem
22:2 permission doc#none | permissi
22:20 nil | nil
23:2 permission doc#read | permissi
`), "\n")
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	read := s.Relation("doc", "read").Expr
	leaves := map[string]bool{}
	read.Walk(func(e *zed.Expr) bool {
		if len(e.Children) == 0 {
			leaves[e.String()] = true
			if line := e.At.Source.Line(e.At.Line)[e.At.Column-1:]; !strings.HasPrefix(line, strings.SplitN(e.String(), "->", 2)[0][:4]) {
				t.Errorf("at the place of %s is %s", e, line)
			}
		}
		return true
	})
	for _, leaf := range []string{"reader", "parent->read", "parent.all(read)", "none"} {
		if !leaves[leaf] {
			t.Errorf("%s is not in %s", leaf, read)
		}
	}
	if s.Relation("doc", "gone") != nil || s.Relation("gone", "read") != nil || s.Definition("doc").Relation("read") == nil {
		t.Error("relations are not found by their names")
	}
}

// What a partial or an import brings is placed in the file that has it.
func TestPlacesInOtherFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"root.zed":          "use import\nuse partial\nimport \"parts/audit.zed\"\n\ndefinition doc {\n\trelation reader: user\n\t...audited\n}\n",
		"parts/audit.zed":   "use import\nuse partial\nimport \"people.zed\"\n\npartial audited {\n\n\trelation auditor: user\n\tpermission audit = auditor\n}\n",
		"parts/people.zed":  "// people\n\ndefinition user {}\n",
		"parts/mistake.zed": "definition mistake {\n\trelation one: usr\n}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "root.zed")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, findings := zed.Compile(t.Context(), zed.File(finding.NewSource(path, string(text))))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for what, want := range map[string]struct {
		at    zed.Location
		place string
	}{
		"doc":         {s.Definition("doc").At, "root.zed:5:1"},
		"user":        {s.Definition("user").At, "parts/people.zed:3:1"},
		"doc#reader":  {s.Relation("doc", "reader").At, "root.zed:6:2"},
		"doc#auditor": {s.Relation("doc", "auditor").At, "parts/audit.zed:7:2"},
		"auditor":     {s.Relation("doc", "audit").Expr.At, "parts/audit.zed:8:21"},
	} {
		rel, err := filepath.Rel(dir, want.at.Source.Path)
		if got := fmt.Sprintf("%s:%d:%d", filepath.ToSlash(rel), want.at.Line, want.at.Column); err != nil || got != want.place {
			t.Errorf("%s is at %s; want %s", what, got, want.place)
		}
	}
	_, findings = zed.Compile(t.Context(), zed.File(finding.NewSource(path, string(text)+"use import\n"))) // flags come first
	if len(findings) != 1 || findings[0].Line != 9 {
		t.Errorf("a late flag: %v", findings)
	}
	_, findings = zed.Compile(t.Context(), zed.File(finding.NewSource(path, "use import\nimport \"parts/mistake.zed\"\ndefinition other {\n\trelation two: usr\n}\n")))
	if len(findings) != 2 || !strings.HasSuffix(findings[0].File, "mistake.zed") || findings[0].Line != 2 || findings[1].Line != 4 {
		t.Errorf("mistakes in two files: %v", findings)
	}
}

// Every mistake is told, in words, where it is.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"each definition by itself": {
			"definition a {\n\trelation b c\n}\n\n/* definition x {\n */\ndefinition d {\n\tpermission e = (f\n}\ndefinition g {}\n",
			[]string{"2:13: expected `:`, found a name", "8:19: expected `)`, found the end of the line"},
		},
		"not closed":             {"definition a {\n\trelation b: a\n\ndefinition c {}\n", []string{"2:15: this is not closed before the next definition begins: a brace is missing"}},
		"not closed at the end":  {"definition a {}\ndefinition c {\n", []string{"2:15: the schema ends too early: a brace or a comment is not closed"}},
		"a comment that is open": {"definition a {}\n/* and\n", []string{"2:1: this comment is not closed: `*/` is missing"}},
		"a flag that is missing": {"definition a {\n\tpermission b = self\n}\n", nil},
		"a word at the top":      {"definitoin a {}\n", []string{"1:1: a name is not expected here; at the top of a schema are `use`, `import`, `definition`, `caveat` and `partial`"}},
		"a name twice":           {"definition user {}\ndefinition user {}\n", []string{"2:1: found name reused between multiple definitions and/or caveats: user"}},
		"a relation twice":       {"definition doc {\n\trelation bbb: doc\n\trelation bbb: doc\n}\n", nil},
		"several names": {"definition Doc {}\n\ndefinition doc {\n\trelation b: doc\n}\n\ncaveat hours(hour int) {\n\thuor > 8\n}\n", []string{
			"1:1: `Doc` cannot be a name: names have 3 to 64 small letters, digits and `_`, begin with a letter and do not end with `_`",
			"4:2: `b` cannot be a name: names have 3 to 64 small letters, digits and `_`, begin with a letter and do not end with `_`",
			"8:2: invalid expression for caveat `hours`: undeclared reference to 'huor'",
		}},
		"an operator with no end": {"definition a {\n\trelation b: a\n\tpermission c = b +\n}\n", []string{"4:1: expected a relation, a permission or `(` after the operator, found `}`"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, findings := compile(t, c.text)
			var got []string
			for _, f := range findings {
				got = append(got, strings.TrimSuffix(strings.TrimPrefix(f.String(), "a.zed:"), " [invalid_schema]"))
			}
			if c.want == nil { // SpiceDB's words for it, whatever they are
				if len(got) != 1 || s != nil || strings.Contains(got[0], "TokenType") {
					t.Errorf("findings %q", got)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" || s != nil {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the text, either there is a schema or something to say about it, within the file.
func TestCompileAnything(t *testing.T) {
	words := []string{"definition", "relation", "permission", "user", "doc", "{", "}", ":", "=", "->", "+", "&", "-", "(", ")", "\n", "*", "#", "nil", "use self", "caveat", "//", "/*", "*/", "é", "partial", "...", "|", "with", "."}
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		text := documents[:rapid.IntRange(0, len(documents)).Draw(t, "cut")]
		text += strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 30).Draw(t, "words"), " ")
		s, findings := zed.Compile(ctx, zed.File(finding.NewSource("a.zed", text)))
		if (s == nil) != (len(findings) > 0) {
			t.Fatalf("schema %v, findings %v", s != nil, findings)
		}
		lines := strings.Count(text, "\n") + 1
		for _, f := range findings {
			if f.Line < 0 || f.Line > lines || f.Message == "" || strings.Contains(f.Message, "TokenType") {
				t.Fatalf("%+v", f)
			}
		}
	})
}
