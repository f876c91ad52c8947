package finding

// The codes of findings; stable.
const (
	CodeUnreadableFile        = "unreadable_file"        // the file, or the schema file it names, cannot be read
	CodeNoFiles               = "no_files"               // a path or pattern has no file to check
	CodeEmptyFile             = "empty_file"             // a file without content
	CodeInvalidYAML           = "invalid_yaml"           // no YAML, or more than one document
	CodeInvalidSection        = "invalid_section"        // a part of a validation file that is unknown, repeated or of the wrong form
	CodeMissingSchema         = "missing_schema"         // neither schema nor schemaFile
	CodeInvalidSchema         = "invalid_schema"         // the schema does not compile, or its types do not fit together
	CodeReservedDefinition    = "reserved_definition"    // an added definition has the name of one of Tenantry's own
	CodeInvalidRelationship   = "invalid_relationship"   // no relationship, or one that the schema does not allow
	CodeDuplicateRelationship = "duplicate_relationship" // the same relationship twice
	CodeInvalidAssertion      = "invalid_assertion"      // no assertion, or one about things that the schema does not have
	CodeAssertionFailed       = "assertion_failed"       // an assertion that does not hold
	CodeInvalidExpectation    = "invalid_expectation"    // no expected relation, or one about things that the schema does not have
	CodeExpectationFailed     = "expectation_failed"     // an expected relation that does not hold
	CodeTooDeep               = "too_deep"               // more levels than the checker follows
	CodeCoverageInexact       = "coverage_inexact"       // an assertion that coverage decides otherwise than it says
	CodeNothingChecked        = "nothing_checked"        // a validation file without assertions and expected relations
)
