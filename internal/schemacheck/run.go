package schemacheck

import (
	"regexp"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/development"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// runAssertions runs every assertion of a document.
func runAssertions(world *development.DevContext, schema *zed.Schema, doc *document) []report.Case {
	cases := make([]report.Case, 0, len(doc.assertions))
	if len(doc.assertions) == 0 {
		return cases
	}
	checker, err := newChecker(world)
	if err == nil {
		defer checker.stop()
	}
	for _, a := range doc.assertions {
		text, began := strings.TrimSpace(a.RelationshipWithContextString), time.Now()
		c := report.Case{Name: text + " is " + string(a.want), Kind: report.KindAssertion, Line: a.at.Line, Column: a.at.Column}
		if err != nil {
			c.Findings = []finding.Finding{doc.Finding(a.at, finding.Error, finding.CodeInvalidAssertion, "%s", err)}
		} else {
			c.Findings = checker.run(schema, doc, a, text)
		}
		c.Duration = time.Since(began)
		cases = append(cases, c)
	}
	return cases
}

// run runs one assertion, whose text is given, and returns what is wrong with it.
func (c *checker) run(schema *zed.Schema, doc *document, a assertion, text string) []finding.Finding {
	if a.Relationship.OptionalCaveat != nil || a.Relationship.OptionalExpiration != nil {
		return []finding.Finding{doc.Finding(a.at, finding.Error, finding.CodeInvalidAssertion,
			`an assertion takes no caveat and no expiration; context comes after it, as with {"name": "value"}`)}
	}
	is, why, err := c.check(a)
	switch {
	case err != nil:
		return []finding.Finding{refused(schema, doc, a.at, finding.CodeInvalidAssertion, err)}
	case is != a.want:
		return []finding.Finding{doc.Finding(a.at, finding.Error, finding.CodeAssertionFailed, "%s should be %s, and is %s%s", text, a.want, is, why)}
	default:
		return nil
	}
}

// runExpectations compares the subjects found for every resource and permission with those expected.
func runExpectations(world *development.DevContext, schema *zed.Schema, doc *document) []report.Case {
	cases := make([]report.Case, 0, len(doc.expectations))
	for _, e := range doc.expectations {
		c := report.Case{Name: e.key.ObjectRelationString + " has the expected subjects", Kind: report.KindExpectation, Line: e.at.Line, Column: e.at.Column}
		began := time.Now()
		_, problems, err := development.RunValidation(world, &blocks.ParsedExpectedRelations{
			ValidationMap: blocks.ValidationMap{e.key: e.subjects},
		})
		if err != nil {
			c.Findings = append(c.Findings, refused(schema, doc, e.at, finding.CodeInvalidExpectation, err))
		}
		for _, p := range problems {
			c.Findings = append(c.Findings, expectationFinding(schema, doc, e, p))
		}
		finding.Sort(c.Findings)
		c.Duration = time.Since(began)
		cases = append(cases, c)
	}
	return cases
}

func expectationFinding(schema *zed.Schema, doc *document, e expectation, p *devinterface.DeveloperError) finding.Finding {
	switch p.GetKind() {
	case devinterface.DeveloperError_EXTRA_RELATIONSHIP_FOUND, devinterface.DeveloperError_MISSING_EXPECTED_RELATIONSHIP:
		at := finding.At(int(p.GetLine()), int(p.GetColumn()))
		if p.GetContext() == e.key.ObjectRelationString || at.Line == 0 { // about the list as a whole
			at = e.at
		}
		return doc.Finding(at, finding.Error, finding.CodeExpectationFailed, "%s", plainExpectation(p.GetMessage()))
	case devinterface.DeveloperError_MAXIMUM_RECURSION:
		return doc.Finding(e.at, finding.Error, finding.CodeTooDeep,
			"%s leads over more levels of objects than expected relations are computed for, some 24, or in a circle; assertions reach about twice as far",
			e.key.ObjectRelationString)
	default:
		return doc.Finding(e.at, finding.Error, finding.CodeInvalidExpectation, "%s", schema.Explain(p.GetMessage()))
	}
}

var (
	extraSubject   = regexp.MustCompile("^For object and permission/relation `([^`]+)`, subject `([^`]+)` found but not listed in expected subjects$")
	missingSubject = regexp.MustCompile("^For object and permission/relation `([^`]+)`, missing expected subject `([^`]+)`$")
	otherWay       = regexp.MustCompile("^For object and permission/relation `([^`]+)`, found different relationships for subject `([^`]+)`: Specified: `([^`]*)`, Computed: `([^`]*)`$")
)

// plainExpectation says shortly what SpiceDB found other than expected.
func plainExpectation(message string) string {
	message = extraSubject.ReplaceAllString(message, "$2 has $1, and is not among the expected subjects")
	message = missingSubject.ReplaceAllString(message, "$2 is expected to have $1, and does not")
	return otherWay.ReplaceAllString(message, "$2 has $1 through $4, not through $3")
}

// refused makes a finding of a check that could not be run.
func refused(schema *zed.Schema, doc *document, at finding.Place, code string, err error) finding.Finding {
	if isTooDeep(err) {
		return doc.Finding(at, finding.Error, finding.CodeTooDeep, "this leads over more levels of objects than SpiceDB follows, or in a circle")
	}
	return doc.Finding(at, finding.Error, code, "%s", schema.Explain(status.Convert(err).Message()))
}
