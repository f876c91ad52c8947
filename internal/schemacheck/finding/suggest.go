package finding

import (
	"slices"
	"strings"

	"github.com/lithammer/fuzzysearch/fuzzy"
)

// Suggest returns a question after the name that one is likely to be a slip of,
// "; did you mean `user`?", or "" if none is near.
func Suggest(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "; did you mean `" + near + "`?"
	}
	return ""
}

// Nearest returns the known name that takes the fewest changes, of at most a third
// of the letters, rounded up; the first by name of several. "" if there is none.
func Nearest(name string, known []string) string {
	known = slices.Sorted(slices.Values(known))
	best, fewest := "", (len([]rune(name))+2)/3+1
	for _, k := range known {
		if n := fuzzy.LevenshteinDistance(strings.ToLower(name), strings.ToLower(k)); n < fewest {
			best, fewest = k, n
		}
	}
	return best
}
