package schemacheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/schemacheck"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// wantCases checks that a file has a case, and a time, for each assertion and each expectation that was run.
func wantCases(t *testing.T, f schemacheck.FileResult) {
	t.Helper()
	kinds := map[report.Kind]int{}
	for _, c := range f.Cases {
		kinds[c.Kind]++
		if c.Name == "" || c.Line < 1 || c.Column < 1 || c.Duration < 0 {
			t.Errorf("%s: a case without name or place, or with a wrong time: %+v", f.Path, c)
		}
	}
	if kinds[report.KindAssertion] != f.Assertions || kinds[report.KindExpectation] != f.Expectations {
		t.Errorf("%s: cases %v; want %d assertions and %d expectations", f.Path, kinds, f.Assertions, f.Expectations)
	}
}

// What fails belongs to the assertion or the expected relation that it is about, and the rest to the schema.
func TestCasesHaveTheirFindings(t *testing.T) {
	for input, want := range map[string]map[string][]string{
		"testdata/wrong/assert_true.yaml": {
			"schema":                                                nil,
			"document:plan#edit@user:ada is true":                   nil,
			"document:plan#edit@user:bob is true":                   {finding.CodeAssertionFailed},
			"document:plan#read@user:bob is true":                   {finding.CodeAssertionFailed},
			`document:plan#read@user:bob with {"hour": 20} is true`: {finding.CodeAssertionFailed},
			"document:plan#write@user:ada is true":                  {finding.CodeInvalidAssertion},
			"folder:plan#read@user:ada is true":                     {finding.CodeInvalidAssertion},
			"document:plan#owner@user:ada[office_hours] is true":    {finding.CodeInvalidAssertion},
		},
		"testdata/wrong/expected_relations.yaml": {
			"schema": nil,
			"document:plan#read has the expected subjects":  {finding.CodeExpectationFailed, finding.CodeExpectationFailed, finding.CodeExpectationFailed},
			"document:plan#write has the expected subjects": {finding.CodeInvalidExpectation},
			"document:plan#edit has the expected subjects":  nil,
		},
		"testdata/wrong/unclosed.zed": {"schema": {finding.CodeInvalidSchema}},
	} {
		got := map[string][]string{}
		for _, f := range validate(t, input).Files {
			wantCases(t, f)
			for _, c := range f.AllCases() {
				var codes []string
				for _, found := range c.Findings {
					codes = append(codes, found.Code)
				}
				got[c.Name] = codes
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: cases (-want +got):\n%s", input, diff)
		}
	}
}
