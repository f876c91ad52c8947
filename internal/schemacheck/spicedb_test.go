package schemacheck_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authzed/spicedb/pkg/development"
	"github.com/authzed/spicedb/pkg/validationfile"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// spiceDBFiles returns the validation files that SpiceDB's module ships for its own tests.
func spiceDBFiles(t *testing.T) []string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/authzed/spicedb").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := glob(t, filepath.Join(strings.TrimSpace(string(dir)), "internal/services/integrationtesting/testconfigs/*.yaml"))
	if len(files) < 70 {
		t.Fatalf("SpiceDB's module has only %d validation files", len(files))
	}
	return files
}

// SpiceDB's own validation files hold here as they hold there; and where their
// assertions are turned around, the same ones fail that SpiceDB itself finds to fail.
func TestSpiceDBsOwnFiles(t *testing.T) {
	assertions := 0
	for _, path := range spiceDBFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			report := validate(t, path)
			for _, f := range report.Findings() {
				if f.Severity == finding.Error {
					t.Error(f)
				}
			}
			assertions += report.Assertions()

			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			turned := strings.NewReplacer("assertTrue:", "assertFalse:", "assertFalse:", "assertTrue:").Replace(string(text))
			want := spiceDBFailures(t, turned)
			path = filepath.Join(t.TempDir(), "turned.yaml")
			if err := os.WriteFile(path, []byte(turned), 0o600); err != nil {
				t.Fatal(err)
			}
			got := map[int]bool{}
			for _, f := range validate(t, path).Findings() {
				if f.Code == finding.CodeAssertionFailed {
					got[f.Line] = true
				}
			}
			for line := range want {
				if !got[line] {
					t.Errorf("line %d of the turned file: fails in SpiceDB, and not here", line)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d assertions fail here, %d in SpiceDB", len(got), len(want))
			}
		})
	}
	if assertions < 400 {
		t.Errorf("only %d assertions were run", assertions)
	}
}

// spiceDBFailures returns the lines of a validation file whose assertions SpiceDB's own checker finds to fail.
func spiceDBFailures(t *testing.T, text string) map[int]bool {
	t.Helper()
	file, err := validationfile.DecodeValidationFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	world, problems, err := development.NewDevContextForValidationFile(t.Context(), file)
	if err != nil || problems != nil {
		t.Fatal(err, problems)
	}
	defer world.DevContext.Dispose()
	failed, err := development.RunAllAssertions(world.DevContext, &blocks.Assertions{
		AssertTrue: world.Assertions.AssertTrue, AssertCaveated: world.Assertions.AssertCaveated, AssertFalse: world.Assertions.AssertFalse,
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := map[int]bool{}
	for _, f := range failed {
		lines[int(f.GetLine())] = true
	}
	return lines
}
