package report_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// One report in every format, as it should be.
func TestGoldens(t *testing.T) {
	for f, name := range map[report.Format]string{
		report.Text: "report.txt", report.JSON: "report.json", report.JUnit: "report.junit.xml",
		report.SARIF: "report.sarif", report.GitHub: "report.github.txt",
	} {
		golden(t, "testdata/"+name, written(t, f, rich()))
	}
}

func TestParse(t *testing.T) {
	for _, f := range report.Formats() {
		if got, err := report.Parse(string(f)); err != nil || got != f {
			t.Errorf("Parse(%q) = %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "xml", "text "} {
		_, parseErr := report.Parse(name)
		for _, err := range []error{parseErr, report.Write(io.Discard, report.Format(name), rich())} {
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || !errors.Is(err, fault.Invalid) || f.Code != "invalid_request" || f.Field != "format" ||
				!strings.HasSuffix(f.Text, "it is text, json, junit, sarif or github") {
				t.Errorf("%q: got %v; want an Invalid fault invalid_request in format that names the choices", name, err)
			}
		}
	}
}
