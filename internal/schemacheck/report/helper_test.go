package report_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func written(t *testing.T, f report.Format, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Write(&out, f, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// rich is a report with all that is awkward.
func rich() report.Report {
	in := func(file string, line, column int, code, message, context string) finding.Finding {
		return finding.Finding{File: file, Line: line, Column: column, Severity: finding.Error, Code: code, Message: message, Context: context}
	}
	warning := func(f finding.Finding) finding.Finding {
		f.Severity = finding.Warning
		return f
	}
	const docs, weird = "schema/validation/documents.yaml", "100% we,ird: <dir>/☃ ]]> \x1b[1m\nb\xff.yaml"
	unused := warning(in("schema/shared.zed", 4, 3, "unused_relation", "relation `editor` is used by no permission", "  relation editor: user"))
	failed := in(docs, 9, 8, finding.CodeAssertionFailed, `document:a#read@user:ann with {"day": 3} should be true, and is false`, "\t- 'document:a#read@user:ann with {\"day\": 3}'")
	again := failed
	again.Line = 12
	extra := in(docs, 15, 3, finding.CodeExpectationFailed, "subject `user:bob` is not expected", "  document:a#read:")
	missing := in(docs, 16, 8, finding.CodeExpectationFailed, "subject `user:dän` is missing", `    - "[user:dän] is <document:a#read>"`)
	return report.Report{
		Version: "v1.2.3",
		Rules: map[string]report.Rule{
			"unused_relation": {Summary: "No permission uses the relation.", Help: "https://docs.example/lints#unused_relation"},
		},
		Notes: []string{"coverage: 7 of 9 branches"},
		Files: []report.FileResult{
			{
				Path: docs, Assertions: 3, Expectations: 1,
				Findings: []finding.Finding{failed, again, extra, missing, unused},
				Cases: []report.Case{
					{Name: `document:a#read@user:ann with {"day": 3} is true`, Kind: report.KindAssertion, Line: 9, Column: 8, Findings: []finding.Finding{failed}, Duration: 1500 * time.Millisecond},
					{Name: "document:a#read@user:bob is false", Kind: report.KindAssertion, Line: 11, Column: 8, Duration: 2 * time.Millisecond},
					{Name: `document:a#read@user:ann with {"day": 3} is true`, Kind: report.KindAssertion, Line: 12, Column: 8, Findings: []finding.Finding{again}, Duration: -time.Second},
					{Name: "document:a#read has the expected subjects", Kind: report.KindExpectation, Line: 15, Column: 3, Findings: []finding.Finding{extra, missing}},
				},
			},
			{
				Path: weird,
				Findings: []finding.Finding{
					in(weird, 0, 0, finding.CodeUnreadableFile, "cannot read the file: \x00\x1b]0;title\a::stop-commands::\r\n::error::forged ]]> <b>&amp;\u0085\ufffe\xff", ""),
					in(weird, 2, 0, finding.CodeInvalidYAML, "see [the manual](1) and {0}, {{braces}} and ☃", "key: ]]>\x1b[0m \xf0\x9f\x8c\x8d"),
					warning(in(weird, 3, 400, "new_code", "far out", strings.Repeat("long ", 90))),
				},
			},
			{
				Path:     `C:\work\schema one.zed`,
				Findings: []finding.Finding{in(`C:\work\schema one.zed`, 7, 5, finding.CodeInvalidSchema, "found `}`, want `{`", "🌍🌍\t}")},
			},
			{Path: "good.zed", Findings: []finding.Finding{}},
			{Path: "/srv/my schemas/../all.zed", Findings: []finding.Finding{in("/srv/my schemas/../all.zed", 1, 1, finding.CodeInvalidSchema, "wrong", "define user {}")}},
			{Path: "other.yaml", Assertions: 1, Findings: []finding.Finding{
				unused,
				{Severity: "hint", Code: "hint", Message: "of no file, and of a severity to come"},
			}},
		},
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	if diff := cmp.Diff(strings.Split(read(t, path), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
