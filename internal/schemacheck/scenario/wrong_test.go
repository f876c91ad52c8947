package scenario_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/scenario"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestWrongFiles holds what is said of files that are wrong; none passes without a finding.
func TestWrongFiles(t *testing.T) {
	inputs, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(inputs) < 10 {
		t.Fatalf("%d wrong files, %v", len(inputs), err)
	}
	model := builtIn(t)
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			report, err := scenario.Run(t.Context(), []string{input}, model)
			if err != nil {
				t.Fatal(err)
			}
			if onlyWarns := filepath.Base(input) == "nothing.yaml"; report.Failed() == onlyWarns || len(report.Findings()) == 0 {
				t.Errorf("Failed() = %v, with %d findings", report.Failed(), len(report.Findings()))
			}
			var got bytes.Buffer
			if err := schemacheck.WriteText(&got, report); err != nil {
				t.Fatal(err)
			}
			golden := input + ".golden"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-golden +got):\n%s", diff)
			}
		})
	}
}
