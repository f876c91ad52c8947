package finding

import (
	"slices"

	"github.com/lithammer/fuzzysearch/fuzzy"
)

// Suggest returns a question after the nearest of some names, "; did you mean `user`?",
// or "" if none is near enough to be what somebody meant.
func Suggest(name string, among []string) string {
	nearest, least := "", len([]rune(name))/3+2
	for _, known := range slices.Sorted(slices.Values(among)) {
		if d := fuzzy.LevenshteinDistance(name, known); d < least && d < len([]rune(known)) {
			nearest, least = known, d
		}
	}
	if nearest == "" || nearest == name {
		return ""
	}
	return "; did you mean `" + nearest + "`?"
}
