package schemacheck_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every wrong input has its golden output; none may pass without a finding.
func TestValidateWrongInputs(t *testing.T) {
	inputs := glob(t, "testdata/wrong/*.yaml", "testdata/wrong/*.zed")
	if len(inputs) < 8 {
		t.Fatalf("only %d wrong inputs", len(inputs))
	}
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			report := validate(t, input)
			if len(report.Findings()) == 0 {
				t.Error("no finding")
			}
			if onlyWarns := filepath.Base(input) == "nothing_checked.yaml"; report.Failed() == onlyWarns {
				t.Errorf("Failed() = %v", report.Failed())
			}
			golden(t, input+".golden", text(t, report))
		})
	}
}

// A report on many files is the same every time, whatever the workers' order.
func TestValidateIsDeterministic(t *testing.T) {
	want := text(t, validate(t, "testdata/wrong/*.yaml", "testdata/good"))
	for range 3 {
		if diff := cmp.Diff(want, text(t, validate(t, "testdata/wrong/*.yaml", "testdata/good"))); diff != "" {
			t.Fatalf("two reports differ:\n%s", diff)
		}
	}
}

func validate(t *testing.T, paths ...string) schemacheck.Report {
	t.Helper()
	report, err := schemacheck.Validate(t.Context(), paths, schemacheck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func text(t *testing.T, r schemacheck.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, report.Text, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}
