package scenario

import (
	"slices"
	"strings"

	"github.com/lithammer/fuzzysearch/fuzzy"
)

// didYouMean returns a question with the name that one is likely to be a slip of, with a space before it; "" if no name is near.
func didYouMean(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return " (did you mean " + near + "?)"
	}
	return ""
}

// nearest returns the known name that takes the fewest changes, of at most a third of the letters, rounded up; the first by name of several.
func nearest(name string, known []string) string {
	known = slices.Sorted(slices.Values(known))
	best, fewest := "", (len([]rune(name))+2)/3+1
	for _, k := range known {
		if n := fuzzy.LevenshteinDistance(strings.ToLower(name), strings.ToLower(k)); n < fewest {
			best, fewest = k, n
		}
	}
	return best
}

// listed joins names as a sentence has them; "none" if there is none.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
