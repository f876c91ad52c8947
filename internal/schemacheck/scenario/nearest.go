package scenario

import (
	"strings"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// didYouMean returns a question with the name that one is likely to be a slip of, with a space before it; "" if no name is near.
func didYouMean(name string, known []string) string {
	if near := finding.Nearest(name, known); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}

// listed joins names as a sentence has them; "none" if there is none.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
