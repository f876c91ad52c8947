package report_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

func TestWriteText(t *testing.T) {
	made := func(f finding.Finding) finding.Finding {
		f.File, f.Code, f.Message = "a.yaml", "some_code", "it is wrong"
		return f
	}
	r := report.Report{Notes: []string{"coverage: all\nof it"}, Files: []report.FileResult{
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
		"coverage: all of it",
		"",
	}, "\n")
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(written(t, report.Text, r), "\n")); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteReportsTheWritersError(t *testing.T) {
	for _, f := range report.Formats() {
		if err := report.Write(fullDisk{}, f, report.Report{}); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v; want %v", f, err, errFull)
		}
		if err := report.Write(fullDisk{}, f, long()); !errors.Is(err, errFull) { // more than is held back
			t.Errorf("%s, long: got %v; want %v", f, err, errFull)
		}
	}
}

// long is a report of more than 4 KB in every format.
func long() report.Report {
	f := finding.Finding{File: "a.yaml", Line: 1, Severity: finding.Error, Code: "some_code", Message: "wrong"}
	result := report.FileResult{Path: "a.yaml"}
	for range 100 {
		f.Line++
		result.Findings = append(result.Findings, f)
	}
	return report.Report{Files: []report.FileResult{result}}
}

func TestOnlyWarningsDoNotFail(t *testing.T) {
	with := func(s finding.Severity) report.Report {
		return report.Report{Files: []report.FileResult{{}, {Findings: []finding.Finding{{Severity: s}}}}}
	}
	strict := with(finding.Warning)
	strict.Strict = true
	if !strict.Failed() {
		t.Error("a strict report fails with a warning")
	}
	if with(finding.Warning).Failed() || !with(finding.Error).Failed() || (report.Report{}).Failed() {
		t.Error("a report fails with an error, and only then")
	}
}
