package report_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// anyText is a text that a file, a name or a message may hold: any bytes, and what has a meaning in one of the formats.
func anyText() *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{
			"]]>", "<![CDATA[", "</failure>", "&#0;", "&amp;", "<", `"`, "'", "\x00", "\x1b[1m", "\x7f", "\u0085", "\u2028", "\ufffe", "\ufeff", "\r\n", "\n", "\t",
			"::", "::error::", "\n::error file=a::b", "##[error]", "%", "%25", "%0A", "%3A", ",", ":", "=", " ",
			"{0}", "{", "}", "{{", "}}", "[", "](1)", "](", `\`, `\]`, "a", "a/b", "../", "./", "/", "//", "?", "#", `C:\`, "☃", "🌍", "(2)",
		}),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 5), func(parts []string) (s string) {
		for _, p := range parts {
			s += p
		}
		return s
	})
}

func anyFinding(text *rapid.Generator[string]) *rapid.Generator[finding.Finding] {
	return rapid.Custom(func(t *rapid.T) finding.Finding {
		return finding.Finding{
			File: text.Draw(t, "file"), Line: rapid.IntRange(-1, 5).Draw(t, "line"), Column: rapid.IntRange(-1, 5).Draw(t, "column"),
			Severity: rapid.SampledFrom([]finding.Severity{finding.Error, finding.Warning, "hint"}).Draw(t, "severity"),
			Code:     rapid.SampledFrom([]string{finding.CodeInvalidSchema, finding.CodeAssertionFailed, "a_code", "{0}](1)"}).Draw(t, "code"),
			Message:  text.Draw(t, "message"), Context: text.Draw(t, "context"),
		}
	})
}

func anyReport() *rapid.Generator[report.Report] {
	text := anyText()
	oneCase := rapid.Custom(func(t *rapid.T) report.Case {
		return report.Case{
			Name: text.Draw(t, "name"), Kind: rapid.SampledFrom([]report.Kind{report.KindSchema, report.KindAssertion, report.KindExpectation}).Draw(t, "kind"),
			Findings: rapid.SliceOfN(anyFinding(text), 0, 3).Draw(t, "findings of a case"),
			Duration: time.Duration(rapid.Int64().Draw(t, "duration")) / 4, // sums of a few do not overflow
		}
	})
	file := rapid.Custom(func(t *rapid.T) report.FileResult {
		f := report.FileResult{
			Path: text.Draw(t, "path"), Assertions: rapid.IntRange(0, 9).Draw(t, "assertions"), Expectations: rapid.IntRange(0, 9).Draw(t, "expectations"),
			Findings: rapid.SliceOfN(anyFinding(text), 0, 3).Draw(t, "findings"), Cases: rapid.SliceOfN(oneCase, 0, 2).Draw(t, "cases"),
		}
		for _, c := range f.Cases {
			f.Findings = append(f.Findings, c.Findings...)
		}
		return f
	})
	return rapid.Custom(func(t *rapid.T) report.Report {
		return report.Report{
			Strict: rapid.Bool().Draw(t, "strict"), Version: rapid.SampledFrom([]string{"", "v1.2.3"}).Draw(t, "version"),
			Files: rapid.SliceOfN(file, 0, 2).Draw(t, "files"),
		}
	})
}

// misread returns what readers of the formats find otherwise than a report says.
func misread(t *testing.T, r report.Report, schema *jsonschema.Schema) []string {
	t.Helper()
	var problems []string
	for format, problem := range map[report.Format]func(report.Report, string) string{
		report.JSON: wantJSON, report.JUnit: wantJUnit, report.GitHub: wantCommands,
		report.SARIF: func(r report.Report, text string) string {
			if err := sarifError(schema, text); err != nil {
				return err.Error()
			}
			return wantSARIF(r, text)
		},
	} {
		if text := problem(r, written(t, format, r)); text != "" {
			problems = append(problems, string(format)+": "+text)
		}
	}
	return problems
}

// Whatever names, messages and lines hold, every format is well formed, valid, and says what the report says.
func TestAnyReport(t *testing.T) {
	schema := sarifValidator(t)
	var documents []string
	rapid.Check(t, func(rt *rapid.T) {
		r := anyReport().Draw(rt, "report")
		for _, problem := range misread(t, r, schema) {
			rt.Error(problem)
		}
		if len(documents) < 100 {
			documents = append(documents, written(t, report.JUnit, r))
		}
	})
	for _, problem := range xmlErrors(t, documents...) {
		t.Error(problem)
	}
}

// The same for one finding, whose texts the fuzzer chooses.
func FuzzEscaping(f *testing.F) {
	f.Add("a.yaml", "is wrong", "text", 1, 1)
	f.Add("100%,:\n\xff]]>", "\r\n::error::{0} {{ [a](1) \x1b\ufffe", "\\]( \u0085", 2, 9)
	var schema *jsonschema.Schema
	f.Fuzz(func(t *testing.T, file, message, context string, line, column int) {
		if schema == nil {
			schema = sarifValidator(t)
		}
		wrong := finding.Finding{File: file, Line: int(int32(line)), Column: int(int32(column)), Severity: finding.Error, Code: "a_code", Message: message, Context: context}
		r := report.Report{Files: []report.FileResult{{
			Path: file, Findings: []finding.Finding{wrong, wrong},
			Cases: []report.Case{{Name: message, Kind: report.KindAssertion, Findings: []finding.Finding{wrong}}},
		}}}
		for _, problem := range misread(t, r, schema) {
			t.Error(problem)
		}
	})
}

// once returns findings without those that say the same as one before.
func once(findings []finding.Finding) []finding.Finding {
	var all []finding.Finding
	seen := map[string]bool{}
	for _, f := range findings {
		if id := fmt.Sprintf("%#v", f); !seen[id] {
			seen[id] = true
			all = append(all, f)
		}
	}
	return all
}
