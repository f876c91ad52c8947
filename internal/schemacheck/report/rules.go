package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// Rule is what a code of findings means.
type Rule struct {
	Summary string // a sentence
	Help    string // the address of a page that says more; "" if there is none
}

// Page returns the address of a page of Tenantry's documentation, by its path in the repository.
func Page(path string) string { return toolPage + "/blob/main/" + path }

// codesPage describes every code of summaries, each below its name.
const codesPage = toolPage + "/blob/main/docs/schema-reports.md#"

// summaries are the rules of the codes that every check may find.
func summaries() map[string]string {
	return map[string]string{
		finding.CodeUnreadableFile:        "The file, or the schema file that it names, cannot be read.",
		finding.CodeNoFiles:               "A path or pattern has no file to check.",
		finding.CodeEmptyFile:             "The file is empty.",
		finding.CodeInvalidYAML:           "The file is not one document of YAML.",
		finding.CodeInvalidSection:        "A part of the validation file is unknown, repeated, or of the wrong form.",
		finding.CodeMissingSchema:         "The validation file neither holds nor names a schema.",
		finding.CodeInvalidSchema:         "The schema does not compile, or its types do not fit together.",
		finding.CodeReservedDefinition:    "A definition has the name of one of Tenantry's own.",
		finding.CodeInvalidRelationship:   "This is no relationship, or one that the schema does not allow.",
		finding.CodeDuplicateRelationship: "The relationship is in the file already.",
		finding.CodeInvalidAssertion:      "This is no assertion, or one about things that the schema does not have.",
		finding.CodeAssertionFailed:       "The assertion does not hold.",
		finding.CodeInvalidExpectation:    "This is no expected relation, or one about things that the schema does not have.",
		finding.CodeExpectationFailed:     "The subjects found are not those expected.",
		finding.CodeTooDeep:               "The check leads over more levels of objects than are followed, or in a circle.",
		finding.CodeCoverageInexact:       "Coverage decides the assertion otherwise than SpiceDB, so what it counts there may be wrong.",
		finding.CodeNothingChecked:        "The validation file has neither assertions nor expected relations.",
	}
}

// rule returns what a code means: as the report says, as this package says, or else its own words.
func (r Report) rule(code string) Rule {
	if given, ok := r.Rules[code]; ok && given.Summary != "" {
		return given
	}
	if text, ok := summaries()[code]; ok {
		return Rule{Summary: text, Help: codesPage + code}
	}
	return Rule{Summary: strings.ReplaceAll(code, "_", " "), Help: r.Rules[code].Help}
}

// sarifRules returns the rules of findings by code, and where each code's is.
func (r Report) sarifRules(findings []finding.Finding) ([]sarifRule, map[string]int) {
	levels := map[string]string{}
	for _, f := range findings {
		if levels[f.Code] == "" || f.Severity == finding.Error {
			levels[f.Code] = level(f.Severity)
		}
	}
	rules, index := make([]sarifRule, 0, len(levels)), map[string]int{}
	for _, code := range slices.Sorted(maps.Keys(levels)) {
		about := r.rule(code)
		index[code] = len(rules)
		rules = append(rules, sarifRule{
			ID: code, ShortDescription: sarifText{literal(about.Summary)}, HelpURI: about.Help,
			Help:    sarifText{literal(strings.TrimSpace(about.Summary + " " + about.Help))},
			Default: sarifDefault{levels[code]},
		})
	}
	return rules, index
}
