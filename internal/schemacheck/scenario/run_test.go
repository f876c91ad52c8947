package scenario_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck"
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
	report, err := scenario.Run(t.Context(), []string{"../../../testdata/scenarios"}, builtIn(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings()) > 0 {
		var out strings.Builder
		if err := schemacheck.WriteText(&out, report); err != nil {
			t.Fatal(err)
		}
		t.Errorf("they do not hold:\n%s", &out)
	}
	for _, f := range report.Files {
		if f.Assertions == 0 {
			t.Errorf("%s compares nothing", f.Path)
		}
	}
}
