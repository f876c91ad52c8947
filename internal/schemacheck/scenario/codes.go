package scenario

// The codes of findings in scenario files, beside those of package finding; stable.
const (
	CodeInvalidScenario = "invalid_scenario" // a part of a scenario file that is unknown or of the wrong form
	CodeInvalidSentence = "invalid_sentence" // a sentence that says nothing that can be done or expected
	CodeUnknownName     = "unknown_name"     // a name that is nowhere in the scenario, or a permission that nobody has heard of
	CodeDuplicateName   = "duplicate_name"   // two things of one name
	CodeRefused         = "refused"          // a state or a step that the rules of the directory do not allow
	CodeNotRefused      = "not_refused"      // a step that should be refused, and is not
)
