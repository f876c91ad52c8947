package scenario_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/scenario"
)

func builtIn(t testing.TB) *scenario.Model {
	t.Helper()
	model, err := scenario.NewModel(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// TestOwnScenarios runs the scenarios that tell the rules of the domain.
func TestOwnScenarios(t *testing.T) {
	got, err := scenario.Run(t.Context(), []string{"../../../testdata/scenarios"}, builtIn(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Findings()) > 0 {
		var out strings.Builder
		if err := report.Write(&out, report.Text, got); err != nil {
			t.Fatal(err)
		}
		t.Errorf("they do not hold:\n%s", &out)
	}
	for _, f := range got.Files {
		if len(f.Cases) < 1 || f.Cases[0].Name == "" || f.Cases[0].Line < 1 {
			t.Errorf("%s: its scenarios are not told: %+v", f.Path, f.Cases)
		}
		if f.Assertions == 0 {
			t.Errorf("%s compares nothing", f.Path)
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestDocumentedScenarios runs the scenarios that the documentation shows.
func TestDocumentedScenarios(t *testing.T) {
	text, err := os.ReadFile("../../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	path, n := filepath.Join(t.TempDir(), "shown.yaml"), 0
	for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
		if !bytes.Contains(block[1], []byte("expect:")) {
			continue
		}
		n++
		if err := os.WriteFile(path, block[1], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := scenario.Run(t.Context(), []string{path}, builtIn(t))
		if err != nil || len(got.Findings()) > 0 || got.Assertions() == 0 {
			t.Errorf("%v, %v\n%s", err, got.Findings(), block[1])
		}
	}
	if n != 2 {
		t.Errorf("the documentation shows %d scenarios", n)
	}
}
