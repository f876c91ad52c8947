package schemacheck_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/mutate"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// Two files are about one schema: each kills what the other does not.
func TestMutate_FilesOfOneSchemaAreTakenTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, map[string]string{
		"doc.zed":   "definition user {}\n\ndefinition doc {\n\trelation reader: user\n\trelation banned: user\n\tpermission view = reader - banned\n}\n",
		"read.yaml": "schemaFile: doc.zed\nrelationships: |-\n  doc:a#reader@user:ann\nassertions:\n  assertTrue:\n    - doc:a#view@user:ann\n  assertFalse:\n    - doc:a#view@user:ben\n",
		"ban.yaml":  "schemaFile: doc.zed\nrelationships: |-\n  doc:a#reader@user:ann\n  doc:a#banned@user:ann\nassertions:\n  assertFalse:\n    - doc:a#view@user:ann\n",
	})
	one, score, err := schemacheck.Mutate(t.Context(), []string{filepath.Join(dir, "read.yaml")}, schemacheck.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.Write(&text, report.Text, one); err != nil {
		t.Fatal(err)
	}
	schema := filepath.Join(dir, "doc.zed")
	want := schema + ":5:2: warning: no assertion notices it if in doc#banned `relation banned: user` is dropped [mutant_survived]\n" +
		"    \trelation banned: user\n    \t^\n" +
		schema + ":6:20: warning: no assertion notices it if in doc#view `reader - banned` becomes `reader + banned` [mutant_survived]\n" +
		"    \tpermission view = reader - banned\n    \t                  ^\n" +
		schema + ":6:29: warning: no assertion notices it if in doc#view `reader - banned` becomes `reader` [mutant_survived]\n" +
		"    \tpermission view = reader - banned\n    \t                           ^\n" +
		"2 files, 2 assertions, 3 findings\n" +
		"mutants: 57.1% killed: 3 by assertions, 1 by refused relationships; 3 survived\n" +
		"not counted: 4 with a type added, which no validation file can notice\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	both, score2, err := schemacheck.Mutate(t.Context(), []string{dir}, schemacheck.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(score2.Mutants) != len(score.Mutants) || score2.Percent() != 100 || len(both.Findings()) > 0 || both.Assertions() != 3 {
		t.Errorf("%d mutants, %v, %v", len(score2.Mutants), score2.Notes(), both.Findings())
	}
	for _, m := range score2.With(mutate.Killed, mutate.Refused) {
		if m.Killer == nil || m.Killer.At.Line == 0 || m.Killer.Text == "" {
			t.Errorf("%s is killed by %+v", m, m.Killer)
		}
	}
}

// What is wrong with a file is told, and does not keep others from being run. An
// assertion that fails to begin with kills nothing.
func TestMutate_Faults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const schema = "schema: |-\n  definition user {}\n  definition doc {\n    relation reader: user\n    permission view = reader\n  }\n"
	put(t, dir, map[string]string{
		"bad.yaml":     "schema: |-\n  definition user {\n",
		"failing.yaml": schema + "assertions:\n  assertTrue:\n    - doc:a#view@user:ann\n",
		"good.yaml":    schema + "relationships: |-\n  doc:a#reader@user:ann\nassertions:\n  assertTrue:\n    - doc:a#view@user:ann\n",
	})
	got, score, err := schemacheck.Mutate(t.Context(), []string{dir, filepath.Join(dir, "none.yaml")}, schemacheck.MutateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	for _, f := range got.Findings() {
		codes[filepath.Base(f.File)+" "+f.Code]++
	}
	want := map[string]int{"bad.yaml invalid_schema": 1, "none.yaml unreadable_file": 1, "failing.yaml mutant_survived": 2}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if !got.Failed() || score.Failing != 1 || score.Assertions != 2 {
		t.Errorf("failed %t, %+v", got.Failed(), score.Notes())
	}
	if _, _, err := schemacheck.Mutate(t.Context(), nil, schemacheck.MutateOptions{}); !fault.HasCode(err, "missing_path") {
		t.Errorf("without a path: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, _, err := schemacheck.Mutate(ended, []string{filepath.Join(dir, "good.yaml")}, schemacheck.MutateOptions{}); !fault.HasCode(err, "interrupted") {
		t.Errorf("interrupted: %v", err)
	}
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
