package schemacheck

import (
	"slices"
	"strings"
	"time"

	"github.com/authzed/spicedb/pkg/development"
	devinterface "github.com/authzed/spicedb/pkg/proto/developer/v1"
	v1 "github.com/authzed/spicedb/pkg/proto/dispatch/v1"
	"github.com/authzed/spicedb/pkg/validationfile/blocks"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/report"
)

// outcome is what a check comes to.
type outcome string

const (
	isTrue     outcome = "true"
	isFalse    outcome = "false"
	isCaveated outcome = "conditional"
)

// runAssertions runs every assertion of a document.
func runAssertions(world *development.DevContext, doc *document) []report.Case {
	far := &deep{world: world}
	defer far.close()
	cases := make([]report.Case, 0, len(doc.assertions))
	for _, a := range doc.assertions {
		text, began := strings.TrimSpace(a.RelationshipWithContextString), time.Now()
		cases = append(cases, report.Case{
			Name: text + " is " + string(a.want), Kind: report.KindAssertion, Line: a.at.Line, Column: a.at.Column,
			Findings: runAssertion(world, far, doc, a, text), Duration: time.Since(began),
		})
	}
	return cases
}

// runAssertion runs one assertion, whose text is given, and returns what is wrong with it.
func runAssertion(world *development.DevContext, far *deep, doc *document, a assertion, text string) []finding.Finding {
	if a.Relationship.OptionalCaveat != nil || a.Relationship.OptionalExpiration != nil {
		return []finding.Finding{doc.Finding(a.at, finding.Error, finding.CodeInvalidAssertion,
			`an assertion takes no caveat and no expiration; context comes after it, as with {"name": "value"}`)}
	}
	is, why, err := check(world, a)
	if err != nil && isTooDeep(world, err) {
		is, why, err = far.check(a)
	}
	switch {
	case err != nil:
		return []finding.Finding{refused(world, doc, a.at, finding.CodeInvalidAssertion, err)}
	case is != a.want:
		return []finding.Finding{doc.Finding(a.at, finding.Error, finding.CodeAssertionFailed, "%s should be %s, and is %s%s", text, a.want, is, why)}
	default:
		return nil
	}
}

// check runs an assertion's check, and says on what the outcome depends if it is conditional.
func check(world *development.DevContext, a assertion) (is outcome, why string, err error) {
	got, err := development.RunCheck(world, a.Relationship.Resource, a.Relationship.Subject, a.CaveatContext)
	if err != nil {
		return "", "", err
	}
	switch got.Permissionship {
	case v1.ResourceCheckResult_MEMBER:
		return isTrue, "", nil
	case v1.ResourceCheckResult_CAVEATED_MEMBER:
		return isCaveated, lacks(got.MissingCaveatFields), nil
	default:
		return isFalse, "", nil
	}
}

func lacks(fields []string) string {
	return ": the context lacks " + strings.Join(slices.Compact(slices.Sorted(slices.Values(fields))), ", ")
}

// runExpectations compares the subjects found for every resource and permission with those expected.
func runExpectations(world *development.DevContext, doc *document) []report.Case {
	cases := make([]report.Case, 0, len(doc.expectations))
	for _, e := range doc.expectations {
		c := report.Case{Name: e.key.ObjectRelationString + " has the expected subjects", Kind: report.KindExpectation, Line: e.at.Line, Column: e.at.Column}
		began := time.Now()
		_, problems, err := development.RunValidation(world, &blocks.ParsedExpectedRelations{
			ValidationMap: blocks.ValidationMap{e.key: e.subjects},
		})
		if err != nil {
			c.Findings = append(c.Findings, refused(world, doc, e.at, finding.CodeInvalidExpectation, err))
		}
		for _, p := range problems {
			c.Findings = append(c.Findings, expectationFinding(doc, e, p))
		}
		finding.Sort(c.Findings)
		c.Duration = time.Since(began)
		cases = append(cases, c)
	}
	return cases
}

func expectationFinding(doc *document, e expectation, p *devinterface.DeveloperError) finding.Finding {
	switch p.GetKind() {
	case devinterface.DeveloperError_EXTRA_RELATIONSHIP_FOUND, devinterface.DeveloperError_MISSING_EXPECTED_RELATIONSHIP:
		at := finding.At(int(p.GetLine()), int(p.GetColumn()))
		if p.GetContext() == e.key.ObjectRelationString || at.Line == 0 { // about the list as a whole
			at = e.at
		}
		return doc.Finding(at, finding.Error, finding.CodeExpectationFailed, "%s", p.GetMessage())
	case devinterface.DeveloperError_MAXIMUM_RECURSION:
		return doc.Finding(e.at, finding.Error, finding.CodeTooDeep,
			"%s leads over more levels of objects than expected relations are computed for, some 24, or in a circle; assertions reach about twice as far",
			e.key.ObjectRelationString)
	default:
		return doc.Finding(e.at, finding.Error, finding.CodeInvalidExpectation, "%s", p.GetMessage())
	}
}

// refused makes a finding of a check that could not be run.
func refused(world *development.DevContext, doc *document, at finding.Place, code string, err error) finding.Finding {
	if isTooDeep(world, err) {
		return doc.Finding(at, finding.Error, finding.CodeTooDeep, "this leads over more levels of objects than SpiceDB follows, or in a circle")
	}
	known, other := development.DistinguishGraphError(world, err, devinterface.DeveloperError_ASSERTION, 0, 0, "")
	switch {
	case known != nil:
		return doc.Finding(at, finding.Error, code, "%s", known.GetMessage())
	case other != nil:
		err = other
	}
	return doc.Finding(at, finding.Error, code, "%s", err)
}

func isTooDeep(world *development.DevContext, err error) bool {
	known, _ := development.DistinguishGraphError(world, err, devinterface.DeveloperError_ASSERTION, 0, 0, "")
	return known.GetKind() == devinterface.DeveloperError_MAXIMUM_RECURSION
}
