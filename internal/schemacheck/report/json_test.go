package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// readReport is the JSON form as docs/schema-reports.md describes it.
type readReport struct {
	Version int `json:"version"`
	Files   []struct {
		Path         string `json:"path"`
		Assertions   int    `json:"assertions"`
		Expectations int    `json:"expectations"`
		Errors       int    `json:"errors"`
		Warnings     int    `json:"warnings"`
	} `json:"files"`
	Findings []struct {
		Checked  string `json:"checked"`
		File     string `json:"file"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Severity string `json:"severity"`
		Code     string `json:"code"`
		Message  string `json:"message"`
		Context  string `json:"context"`
	} `json:"findings"`
	Summary struct {
		Files        int  `json:"files"`
		Assertions   int  `json:"assertions"`
		Expectations int  `json:"expectations"`
		Errors       int  `json:"errors"`
		Warnings     int  `json:"warnings"`
		Failed       bool `json:"failed"`
	} `json:"summary"`
}

// wantJSON compares what a reader of the JSON finds with the report.
func wantJSON(r report.Report, text string) string {
	var got readReport
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		return err.Error()
	}
	if at := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); at >= 0 {
		return fmt.Sprintf("a control character in %q", text[at:])
	}
	utf := func(s string) string { return string([]rune(s)) } // what is not UTF-8 is U+FFFD
	n, errs, warnings := 0, 0, 0
	for i, f := range r.Files {
		in := map[finding.Severity]int{}
		for _, want := range f.Findings {
			in[want.Severity]++
			if n >= len(got.Findings) {
				return "too few findings"
			}
			g := got.Findings[n]
			back := finding.Finding{File: g.File, Line: g.Line, Column: g.Column, Severity: finding.Severity(g.Severity), Code: g.Code, Message: g.Message, Context: g.Context}
			want.File, want.Code, want.Message, want.Context = utf(want.File), utf(want.Code), utf(want.Message), utf(want.Context)
			if diff := cmp.Diff(want, back); diff != "" || g.Checked != utf(f.Path) {
				return fmt.Sprintf("finding %d, of %q (-want +got):\n%s", n, g.Checked, diff)
			}
			n++
		}
		if g := got.Files[i]; g.Path != utf(f.Path) || g.Assertions != f.Assertions || g.Expectations != f.Expectations || g.Errors != in[finding.Error] || g.Warnings != in[finding.Warning] {
			return fmt.Sprintf("file %+v", g)
		}
		errs, warnings = errs+in[finding.Error], warnings+in[finding.Warning]
	}
	s := got.Summary
	if len(got.Findings) != n || len(got.Files) != len(r.Files) || s.Files != len(r.Files) || s.Errors != errs || s.Warnings != warnings ||
		s.Assertions != r.Assertions() || s.Expectations != r.Expectations() || s.Failed != r.Failed() || got.Version != 1 {
		return fmt.Sprintf("version %d, summary %+v", got.Version, s)
	}
	return ""
}

func TestJSONReadBack(t *testing.T) {
	strict := report.Report{Strict: true, Files: []report.FileResult{{Path: "a", Findings: []finding.Finding{{Severity: finding.Warning}}}}}
	for _, r := range []report.Report{rich(), strict, long()} {
		if problem := wantJSON(r, written(t, report.JSON, r)); problem != "" {
			t.Error(problem)
		}
	}
}

// A report about nothing has empty lists, not null.
func TestJSONOfNothing(t *testing.T) {
	const want = `{"version":1,"files":[],"findings":[],"summary":{"files":0,"assertions":0,"expectations":0,"errors":0,"warnings":0,"failed":false}}`
	if got := strings.NewReplacer(" ", "", "\n", "").Replace(written(t, report.JSON, report.Report{})); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
