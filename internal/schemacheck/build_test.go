package schemacheck_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/schema"
)

func catalogue(t *testing.T, extra ...schema.Source) *schema.Catalogue {
	t.Helper()
	c, err := schema.Parse(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func source(name, text string) schema.Source { return schema.Source{Name: name, Text: []byte(text)} }

const documentsZed = `// The application's own.
definition document {
	relation account: account
	relation reader: user
	permission read = reader + account->read_documents
}
`

func TestBuild(t *testing.T) {
	got, err := schemacheck.Build(catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(schema.Built(), got); diff != "" {
		t.Errorf("the built-in schema (-want +got):\n%s", diff)
	}
}

func TestU3_BuildWithAnApplicationsOwn(t *testing.T) {
	c := catalogue(t, source("documents.yaml", "permissions:\n  - {key: docs.read, relation: read_documents, description: Read.}\n"))
	got, err := schemacheck.Build(c, source("documents.zed", documentsZed))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got, "\n"+documentsZed) || !strings.Contains(got, "permission read_documents = (member_read_documents - environment->blocked)\n") {
		t.Errorf("the schema lacks what the application added:\n%s", got)
	}
}

// A file's use flags move to the top, where SpiceDB wants them; its own lines keep their numbers in findings.
func TestBuildMovesUseFlags(t *testing.T) {
	first := source("first.zed", "use expiration\nuse self // for groups\n\ndefinition group {\n\trelation manager: user with expiration\n\tpermission itself = manager + self\n}\n")
	second := source("second.zed", "use self\ndefinition folder {\n\trelation reader: usr\n}\n")
	got, err := schemacheck.Build(catalogue(t), first)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got, "\nuse expiration\nuse self\n"); n != 1 || strings.Count(got, "use ") != 2 {
		t.Errorf("the flags are not at the top once:\n%s", got)
	}
	_, err = schemacheck.Build(catalogue(t), first, second)
	wantFindings(t, err, "second.zed:3:19: there is no definition `usr`; did you mean `user`? [invalid_schema]")
}

// Files are composed: imports, and partials across files.
func TestBuildComposesFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"people.zed":        "use import\n\nimport \"parts/audit.zed\"\ndefinition team {\n\trelation member: user\n}\n",
		"parts/audit.zed":   "use partial\n\npartial audited {\n\trelation auditor: user\n\tpermission audit = auditor\n}\n",
		"parts/mistake.zed": "definition mistake {\n\trelation reader: usr\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	docs := source("docs.zed", "use import\nuse partial\nimport \"people.zed\"\nimport \"parts/audit.zed\"\n\ndefinition doc {\n\trelation reader: team#member\n\t...audited\n}\n")
	got, err := schemacheck.Build(catalogue(t), docs)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(got, "partial audited") != 1 || strings.Count(got, "definition team") != 1 || strings.Contains(got, "import") {
		t.Errorf("the imported files are not in the schema once:\n%s", got)
	}
	_, err = schemacheck.Build(catalogue(t), docs, source("more.zed", "use import\n\nimport \"parts/mistake.zed\"\n"))
	wantFindings(t, err, "parts/mistake.zed:2:19: there is no definition `usr`; did you mean `user`? [invalid_schema]")
}

func TestBuildFindings(t *testing.T) {
	for name, c := range map[string]struct {
		definitions []schema.Source
		want        []string
	}{
		"syntax": {
			[]schema.Source{source("a.zed", "definition a_doc {}\n"), source("b.zed", "\n\n  definition b_doc {\n    relation reader user\n  }\n")},
			[]string{"b.zed:4:21: expected `:`, found a name [invalid_schema]"},
		},
		"first line, indented": {
			[]schema.Source{source("a.zed", "\n   definition a_doc { relation reader user }")},
			[]string{"a.zed:2:39: expected `:`, found a name [invalid_schema]"},
		},
		"unknown type and relation": {
			[]schema.Source{source("a.zed", "definition a_doc {\n\trelation reader: usr\n}\n"), source("b.zed", "definition b_doc {\n\trelation account: account\n\tpermission read = reader\n}\n")},
			[]string{
				"a.zed:2:19: there is no definition `usr`; did you mean `user`? [invalid_schema]",
				"b.zed:3:20: `b_doc` has no relation or permission `reader`; did you mean `read`? [invalid_schema]",
			},
		},
		"no end, in the last file": {
			[]schema.Source{source("a.zed", "definition a_doc {\n\trelation reader: user\n")},
			[]string{"a.zed:2:23: the schema ends too early: a brace or a comment is not closed [invalid_schema]"},
		},
		"no end, in a file before": {
			[]schema.Source{source("a.zed", "definition a_doc {\n\trelation reader: user\n"), source("b.zed", "definition b_doc {}\n")},
			[]string{"a.zed:2:23: this is not closed before the next definition begins: a brace is missing [invalid_schema]"},
		},
		"one too many": {
			[]schema.Source{source("a.zed", "definition a_doc {}\n}\n"), source("b.zed", "definition b_doc {}\n")},
			[]string{"a.zed:2:1: `}` is not expected here; at the top of a schema are `use`, `import`, `definition`, `caveat` and `partial` [invalid_schema]"},
		},
		"Tenantry's own types": {
			[]schema.Source{source("a.zed", "use self\n\n// definition role is Tenantry's\ndefinition user {}\ndefinition a_doc {}\n"), source("b.zed", "definition account {\n\trelation reader: user\n}\n")},
			[]string{
				"a.zed:4:1: user is one of Tenantry's own definitions; refer to it, or choose another name [reserved_definition]",
				"b.zed:1:1: account is one of Tenantry's own definitions; refer to it, or choose another name [reserved_definition]",
			},
		},
		"the same name twice": {
			[]schema.Source{source("a.zed", "definition doc {}\n"), source("b.zed", "definition other {}\ndefinition doc {}\n")},
			[]string{"b.zed:2:1: found name reused between multiple definitions and/or caveats: doc [invalid_schema]"},
		},
		"imports of what is not there, or elsewhere": {
			[]schema.Source{source("a.zed", "use import\n\t// people\n\timport \"b.zed\"\nimport '../c.zed'\ndefinition a_doc {}\n")},
			[]string{
				"a.zed:3:2: cannot read the imported file b.zed: no such file or directory [unreadable_file]",
				"a.zed:4:1: cannot import ../c.zed: an import names a file in the directory of a.zed or below it [unreadable_file]",
			},
		},
		"several mistakes in several files": {
			[]schema.Source{source("a.zed", "definition a_doc {\n\trelation reader user\n}\n\ndefinition a_file {\n\tpermission read = reader +\n}\n"), source("b.zed", "definition b_doc {\n\trelation : user\n}\n")},
			[]string{
				"a.zed:2:18: expected `:`, found a name [invalid_schema]",
				"a.zed:7:1: expected a relation, a permission or `(` after the operator, found `}` [invalid_schema]",
				"b.zed:2:11: expected a name, found `:` [invalid_schema]",
			},
		},
		"several types that are not there": {
			[]schema.Source{source("a.zed", "definition a_doc {\n\trelation reader: usr | user | grp#member\n\trelation writer: user#member\n\tpermission read = reader + owner + parent->read\n}\n")},
			[]string{
				"a.zed:2:19: there is no definition `usr`; did you mean `user`? [invalid_schema]",
				"a.zed:2:32: there is no definition `grp` [invalid_schema]",
				"a.zed:3:19: `user` has no relation or permission `member` [invalid_schema]",
				"a.zed:4:29: `a_doc` has no relation or permission `owner` [invalid_schema]",
				"a.zed:4:37: `a_doc` has no relation or permission `parent` [invalid_schema]",
			},
		},
		"an unknown flag": {
			[]schema.Source{source("a.zed", "use magic\ndefinition a_doc {}\n")},
			[]string{"a.zed:1:10: Unknown use flag: `magic`. Options are: expiration, import, partial, self, typechecking [invalid_schema]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := schemacheck.Build(catalogue(t), c.definitions...)
			if text != "" {
				t.Error("a schema all the same")
			}
			wantFindings(t, err, c.want...)
		})
	}
}

func wantFindings(t *testing.T, err error, want ...string) {
	t.Helper()
	be, ok := errors.AsType[*schemacheck.BuildError](err)
	if !ok {
		t.Fatalf("got %v; want a BuildError", err)
	}
	var got []string
	for _, f := range be.Findings {
		got = append(got, f.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != "invalid_schema" || !errors.Is(err, fault.Invalid) || !strings.HasPrefix(f.Text, want[0]) {
		t.Errorf("got %v; want an Invalid fault invalid_schema that names the first finding", err)
	}
}
