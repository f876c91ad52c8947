package schemacheck_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Tenantry's own schema holds against every one of its validation files.
func TestTenantrySchema(t *testing.T) {
	t.Parallel()
	report := validate(t, "../../schema/validation", "../../schema/tenantry.zed")
	for _, f := range report.Findings() {
		t.Error(f)
	}
	if report.Assertions() < 1000 || report.Expectations() < 15 {
		t.Errorf("only %d assertions and %d expectations were run", report.Assertions(), report.Expectations())
	}
}

// Each rule that the schema decides is named in a validation file.
func TestTenantrySchemaCoversTheRules(t *testing.T) {
	var all strings.Builder
	for _, path := range glob(t, "../../schema/validation/*.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, rule := range []string{"E1", "E2", "E4", "A2", "A3", "A4", "A5", "U1", "U2", "U3", "U4", "U5", "U6", "S1", "S3", "S4", "S5", "C1"} {
		if !strings.Contains(all.String(), rule) {
			t.Errorf("no validation file names rule %s", rule)
		}
	}
}

func TestValidateWhatHolds(t *testing.T) {
	report := validate(t, "testdata/good")
	for i, f := range report.Files {
		wantCases(t, f)
		report.Files[i].Cases = nil
	}
	want := []schemacheck.FileResult{
		{Path: "testdata/good/documents.yaml", Findings: []finding.Finding{}, Assertions: 9, Expectations: 2},
		{Path: "testdata/good/nested/imports.yml", Findings: []finding.Finding{}, Assertions: 2},
	}
	if diff := cmp.Diff(want, report.Files); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got, want := text(t, report), "2 files, 11 assertions, 0 findings\n"; got != want {
		t.Errorf("text %q; want %q", got, want)
	}
}

func TestValidatePaths(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"b.yaml":             "schema: definition user {}\nassertions: {}\n",
		"a.yml":              "schema: definition user {}\n",
		"sub/c.yaml":         "schema: definition user {}\n",
		"sub/deeper/d.yaml":  "schema: definition user {}\n",
		"sub/schema.zed":     "definition user {}\n",
		".hidden/e.yaml":     "schema: definition user {}\n",
		"values.yaml":        "replicas: 3\n",
		"list.yaml":          "- schema\n",
		"broken-values.yaml": "replicas: [3\n",
		"broken.yaml":        "schema: [x\n",
		"blank.yaml":         "\n",
		"notes/readme.md":    "schema: none\n",
		"nothing/values.yml": "replicas: 3\n",
		"nothing/given.yml":  "relationships: |-\n  doc:a#reader@user:b\naccounts: {globex: }\nexpect: []\n",

		"schemas/root.zed":     "use import\n\nimport \"part.zed\"\ndefinition doc {\n\trelation reader: user\n}\n",
		"schemas/part.zed":     "definition user {}\n",
		"schemas/tested.zed":   "definition user {}\n",
		"schemas/tests.yaml":   "schemaFile: tested.zed\n",
		"schemas/circle_a.zed": "use import\n\nimport \"circle_b.zed\"\n",
		"schemas/circle_b.zed": "use import\n\nimport \"circle_a.zed\"\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for name, c := range map[string]struct{ paths, want []string }{
		"a directory":                     {[]string{"."}, []string{"a.yml", "b.yaml", "blank.yaml", "broken.yaml", "schemas/circle_a.zed", "schemas/root.zed", "schemas/tests.yaml", "sub/c.yaml", "sub/deeper/d.yaml", "sub/schema.zed"}},
		"a file, as it is":                {[]string{"values.yaml"}, []string{"values.yaml"}},
		"a hidden directory, if asked":    {[]string{".hidden"}, []string{".hidden/e.yaml"}},
		"a pattern":                       {[]string{"sub/*"}, []string{"sub/c.yaml", "sub/schema.zed"}},
		"each once, in the order asked":   {[]string{"sub/c.yaml", "b.yaml", "./sub/../b.yaml", "sub"}, []string{"sub/c.yaml", "b.yaml", "sub/deeper/d.yaml", "sub/schema.zed"}},
		"a pattern through directories":   {[]string{"**/*.yaml"}, []string{".hidden/e.yaml", "b.yaml", "blank.yaml", "broken-values.yaml", "broken.yaml", "list.yaml", "schemas/tests.yaml", "sub/c.yaml", "sub/deeper/d.yaml", "values.yaml"}},
		"schemas, without their parts":    {[]string{"schemas"}, []string{"schemas/circle_a.zed", "schemas/root.zed", "schemas/tests.yaml"}},
		"a part, if asked":                {[]string{"schemas/part.zed"}, []string{"schemas/part.zed"}},
		"a directory without any":         {[]string{"nothing"}, []string{"nothing: no_files"}},
		"a pattern without any":           {[]string{"x*.zed"}, []string{"x*.zed: no_files"}},
		"a pattern that is none":          {[]string{"[a"}, []string{"[a: no_files"}},
		"a missing file is no one else's": {[]string{"gone.yaml", "b.yaml"}, []string{"gone.yaml: unreadable_file", "b.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range validate(t, c.paths...).Files {
				line := filepath.ToSlash(f.Path)
				for _, bad := range f.Findings {
					if bad.Code == finding.CodeNoFiles || bad.Code == finding.CodeUnreadableFile {
						line += ": " + bad.Code
					}
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// Assertions reach as deep as an environment may allow its tree to be (A2), and further.
func TestA2_DeepTrees(t *testing.T) {
	const levels = 45
	var file strings.Builder
	schemaPath, err := filepath.Abs("../../schema/tenantry.zed")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&file, "schemaFile: %q\nrelationships: |-\n", schemaPath)
	file.WriteString("  account:p/l1#assignment@assignment:p/l1/owner\n  assignment:p/l1/owner#role@role:p/owner\n" +
		"  role:p/owner#read_users@user:*\n  assignment:p/l1/owner#branch_member@user:p/ada\n  assignment:p/l1/owner#member@user:p/bob\n")
	file.WriteString("  account:p/l1#plan@plan:p/pro\n  account:p/l1#own_plan@feature:*\n  plan:p/pro#feature@feature:p/x\n  plan:p/pro#feature@feature:p/y\n" +
		"  account:p/l1#branch_feature_off@feature:p/y\n  account:p/l1#branch_feature_on@feature:p/z\n")
	for i := 2; i <= levels; i++ {
		fmt.Fprintf(&file, "  account:p/l%d#parent@account:p/l%d\n", i, i-1)
	}
	fmt.Fprintf(&file, "assertions:\n  assertTrue:\n    - account:p/l%[1]d#read_users@user:p/ada\n"+
		"    - account:p/l%[1]d#has_feature@feature:p/x\n    - account:p/l%[1]d#has_feature@feature:p/z\n  assertFalse:\n    - account:p/l%[1]d#read_users@user:p/bob\n    - account:p/l%[1]d#manage_users@user:p/ada\n    - account:p/l%[1]d#has_feature@feature:p/y\n", levels)
	path := filepath.Join(t.TempDir(), "deep.yaml")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := validate(t, path); report.Failed() || report.Assertions() != 6 {
		t.Error(text(t, report))
	}
}

func TestValidateWithoutPaths(t *testing.T) {
	_, err := schemacheck.Validate(t.Context(), nil, schemacheck.Options{})
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "missing_path" || !errors.Is(err, fault.Invalid) {
		t.Errorf("got %v; want an Invalid fault missing_path", err)
	}
}

func TestValidateInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := schemacheck.Validate(ctx, []string{"testdata/good"}, schemacheck.Options{})
	if !errors.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want an Unavailable fault with the cause", err)
	}
}

// What is wrong with a schema is told once, however many files are about it, and none of them passes.
func TestValidateTellsOfASchemaOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	const about = "assertions:\n  assertTrue: [\"doc:a#reader@user:b\"]\n"
	for name, content := range map[string]string{
		"schema.zed": "definition user {}\n\ndefinition doc {\n\trelation reader: usr\n}\n",
		"a.yaml":     "schemaFile: schema.zed\n" + about, "b.yaml": "schemaFile: ./schema.zed\n" + about,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, paths := range [][]string{{"a.yaml", "b.yaml"}, {"."}} {
		var got []string
		for _, f := range validate(t, paths...).Findings() {
			got = append(got, f.String())
		}
		want := []string{
			"schema.zed:4:19: there is no definition `usr`; did you mean `user`? [invalid_schema]",
			"b.yaml:1:13: nothing of this file was run: schema.zed has mistakes, which are told with a.yaml [invalid_schema]",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: findings (-want +got):\n%s", paths, diff)
		}
	}
	got := validate(t, "b.yaml", "schema.zed", "a.yaml").Findings()
	if len(got) != 3 || got[0].File != "b.yaml" || got[1].File != "schema.zed" || got[2].File != "a.yaml" {
		t.Errorf("with the schema itself among the files: %v", got)
	}
}
