package mutate

import (
	"slices"

	"github.com/lithammer/fuzzysearch/fuzzy"
)

// alternatives is how many other names are tried in the place of one.
const alternatives = 4

// nearest returns the names most like one, which are the likeliest to be taken for
// it: those that the fewest changed letters make of it, of equals the first.
func nearest(name string, among []string) []string {
	var others []string
	for _, other := range among {
		if other != name && !slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	slices.SortStableFunc(others, func(a, b string) int {
		return fuzzy.LevenshteinDistance(name, a) - fuzzy.LevenshteinDistance(name, b)
	})
	return others[:min(alternatives, len(others))]
}
