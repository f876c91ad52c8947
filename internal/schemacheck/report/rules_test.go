package report_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// Each code that the page lists has a rule that leads there, and says the same; each code of findings is listed.
func TestRulesAreOnTheirPage(t *testing.T) {
	page := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| <a id=\"(\\w+)\"></a>`(\\w+)` \\| (.+) \\|$").FindAllStringSubmatch(read(t, "../../../docs/schema-reports.md"), -1) {
		if m[1] != m[2] {
			t.Errorf("%s is at %s", m[2], m[1])
		}
		page[m[1]] = m[3]
	}
	if len(page) < 16 {
		t.Fatalf("the page lists only %d codes", len(page))
	}
	for code, meaning := range page {
		summary, help := ruleOf(t, code)
		if bare := strings.TrimPrefix(meaning, "A warning: "); !strings.EqualFold(summary, bare) {
			t.Errorf("%s: the rule says %q, the page %q", code, summary, bare)
		}
		if !strings.HasSuffix(help, "/docs/schema-reports.md#"+code) {
			t.Errorf("%s: the rule leads to %q", code, help)
		}
	}
	source, err := os.ReadFile("../finding/codes.go")
	must(t, err)
	codes := regexp.MustCompile(`= "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 16 {
		t.Fatalf("only %d codes of findings", len(codes))
	}
	for _, m := range codes {
		if page[m[1]] == "" {
			t.Errorf("the page does not list %s", m[1])
		}
	}
}

// ruleOf returns what SARIF says about a code.
func ruleOf(t *testing.T, code string) (summary, help string) {
	t.Helper()
	var log readSARIF
	r := report.Report{Files: []report.FileResult{{Findings: []finding.Finding{{Severity: finding.Error, Code: code}}}}}
	must(t, json.Unmarshal([]byte(written(t, report.SARIF, r)), &log))
	rules := log.Runs[0].Tool.Driver.Rules
	if len(rules) != 1 || rules[0].ID != code {
		t.Fatalf("rules %+v for %s", rules, code)
	}
	return rules[0].ShortDescription.Text, rules[0].HelpURI
}

// A report's own rules come before those of this package, and fill what it does not know. A rule weighs as its heaviest finding.
func TestRulesGiven(t *testing.T) {
	r := report.Report{
		Files: []report.FileResult{{Findings: []finding.Finding{
			{Code: finding.CodeTooDeep, Severity: finding.Error},
			{Code: finding.CodeTooDeep, Severity: finding.Warning},
			{Code: "new_code", Severity: finding.Warning},
			{Code: "new_code", Severity: finding.Error},
			{Code: "other_code", Severity: finding.Warning},
		}}},
		Rules: map[string]report.Rule{finding.CodeTooDeep: {Summary: "Too deep."}, "new_code": {Help: "https://docs.example/new"}},
	}
	var log readSARIF
	must(t, json.Unmarshal([]byte(written(t, report.SARIF, r)), &log))
	var got []string
	for _, rule := range log.Runs[0].Tool.Driver.Rules {
		got = append(got, rule.Default.Level+" "+rule.ID+": "+rule.ShortDescription.Text+" "+rule.HelpURI)
	}
	want := "error new_code: new code https://docs.example/new|warning other_code: other code |error too_deep: Too deep. "
	if strings.Join(got, "|") != want {
		t.Errorf("rules %q; want %q", got, want)
	}
}
