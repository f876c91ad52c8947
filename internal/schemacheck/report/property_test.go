package report_test

import (
	"fmt"
	"testing"
	"time"

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

// Whatever names, messages and lines hold, every format is well formed, valid, and says what the report says.
func TestAnyReport(t *testing.T) {
	schema := sarifValidator(t)
	var documents []string
	rapid.Check(t, func(rt *rapid.T) {
		r := anyReport().Draw(rt, "report")
		as := func(f report.Format) string { return written(t, f, r) }
		for format, problem := range map[report.Format]string{
			report.JSON:   wantJSON(r, as(report.JSON)),
			report.JUnit:  wantJUnit(r, as(report.JUnit)),
			report.SARIF:  wantSARIF(r, as(report.SARIF)),
			report.GitHub: wantCommands(r, as(report.GitHub)),
		} {
			if problem != "" {
				rt.Errorf("%s: %s", format, problem)
			}
		}
		if err := sarifError(schema, as(report.SARIF)); err != nil {
			rt.Errorf("sarif: %v", err)
		}
		if len(documents) < 100 {
			documents = append(documents, as(report.JUnit))
		}
	})
	for _, problem := range xmlErrors(t, documents...) {
		t.Error(problem)
	}
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
