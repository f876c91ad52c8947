package schemacheck_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

func TestWriteText(t *testing.T) {
	made := func(f finding.Finding) finding.Finding {
		f.File, f.Code, f.Message = "a.yaml", "some_code", "it is wrong"
		return f
	}
	report := schemacheck.Report{Files: []schemacheck.FileResult{
		{Path: "a.yaml", Assertions: 1, Findings: []finding.Finding{
			made(finding.Finding{Severity: finding.Error, Line: 3, Column: 5, Context: "\t\tab\x1b[1m"}),
			made(finding.Finding{Severity: finding.Warning, Line: 4, Column: 3, Context: "äöü"}),
			made(finding.Finding{Severity: finding.Error, Line: 5, Column: 300, Context: strings.Repeat("x", 400)}),
			made(finding.Finding{Severity: finding.Error, Line: 6, Context: "no column"}),
			made(finding.Finding{Severity: finding.Error}),
		}},
		{Path: "b.yaml", Assertions: 2},
	}}
	want := strings.Join([]string{
		"a.yaml:3:5: it is wrong [some_code]",
		"    \t\tab\uFFFD[1m",
		"    \t\t  ^",
		"a.yaml:4:3: warning: it is wrong [some_code]",
		"    äöü",
		"      ^",
		"a.yaml:5:300: it is wrong [some_code]",
		"    " + strings.Repeat("x", 200) + "…",
		"a.yaml:6: it is wrong [some_code]",
		"    no column",
		"a.yaml: it is wrong [some_code]",
		"2 files, 3 assertions, 5 findings",
		"",
	}, "\n")
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(text(t, report), "\n")); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTextReportsTheWritersError(t *testing.T) {
	if err := schemacheck.WriteText(fullDisk{}, schemacheck.Report{}); !errors.Is(err, errFull) {
		t.Errorf("got %v; want %v", err, errFull)
	}
}

func TestOnlyWarningsDoNotFail(t *testing.T) {
	with := func(s finding.Severity) schemacheck.Report {
		return schemacheck.Report{Files: []schemacheck.FileResult{{}, {Findings: []finding.Finding{{Severity: s}}}}}
	}
	if with(finding.Warning).Failed() || !with(finding.Error).Failed() || (schemacheck.Report{}).Failed() {
		t.Error("a report fails with an error, and only then")
	}
}
