package scenario_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/report"
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
			got, err := scenario.Run(t.Context(), []string{input}, model)
			if err != nil {
				t.Fatal(err)
			}
			if onlyWarns := filepath.Base(input) == "nothing.yaml"; got.Failed() == onlyWarns || len(got.Findings()) == 0 {
				t.Errorf("Failed() = %v, with %d findings", got.Failed(), len(got.Findings()))
			}
			var text bytes.Buffer
			if err := report.Write(&text, report.Text, got); err != nil {
				t.Fatal(err)
			}
			golden := input + ".golden"
			if *update {
				if err := os.WriteFile(golden, text.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text.String()); diff != "" {
				t.Errorf("(-golden +got):\n%s", diff)
			}
		})
	}
}
