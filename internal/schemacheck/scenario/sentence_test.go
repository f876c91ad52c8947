package scenario

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

func onOneLine(column int) finding.Place { return finding.At(1, column) }

func TestSentencesAreCutWhereTheyAre(t *testing.T) {
	s := newSentence("  bób's  accounts,and x", onOneLine)
	want := []word{
		{"bób", onOneLine(3)},
		{"'s", onOneLine(6)},
		{"accounts", onOneLine(10)},
		{",", onOneLine(18)},
		{"and", onOneLine(19)},
		{"x", onOneLine(23)},
	}
	if diff := cmp.Diff(want, s.words, cmp.AllowUnexported(word{})); diff != "" {
		t.Error(diff)
	}
}

// FuzzExpectation: no text brings the grammar down; what is wrong is said at a place
// in the text; and what is understood is understood the same when it is said again.
func FuzzExpectation(f *testing.F) {
	for _, s := range []string{
		"ada may read_users in acme", "ada, bob and cem may not a, b in x and y", "ada can open acme",
		"only ada and bob may open acme", "nobody may view on document:prod/plan", "mia has no accounts",
		"bob's accounts are exactly acme and depot", "bob's accounts with p are exactly none", "acme has the feature reports",
		"acme does not have the features a and b", "acme's features are exactly none", "ops may impersonate in the environment",
		"who may open acme", "accounts of ada with p", "only", "ada may", "'s", ",", "a,,b may open c", "open's may open acme",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, listed bool) {
		if !utf8.ValidString(text) {
			t.Skip("YAML has no such text")
		}
		var list []word
		if listed {
			list = []word{{"one", onOneLine(1)}, {"two", onOneLine(2)}}
		}
		e, err := parseExpectation(newSentence(text, onOneLine), listed, list)
		if err != nil {
			w, ok := errors.AsType[*wrongSentence](err)
			if !ok || w.text == "" || w.at.Column < 1 || w.at.Column > utf8.RuneCountInString(text)+1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		again, err := parseExpectation(newSentence(e.String(), onOneLine), false, nil)
		if err != nil {
			if ambiguous(e) {
				t.Skip("a name that is a word of the grammar")
			}
			t.Fatalf("%q is said again as %q: %v", text, e, err)
		}
		if diff := cmp.Diff(e, again, cmp.AllowUnexported(expectation{}, word{}), cmpopts.IgnoreTypes(finding.Place{}), cmpopts.EquateEmpty()); diff != "" && !ambiguous(e) {
			t.Fatalf("%q is said again as %q, which is not the same:\n%s", text, e, diff)
		}
	})
}

// ambiguous reports whether a name is a word that the grammar looks for.
func ambiguous(e expectation) bool {
	grammar := strings.Fields("open may can cannot not has have does do no in on and the feature features who only nobody accounts of with are exactly none nothing environment")
	for _, words := range [][]word{e.subjects, e.rights, e.places, e.list} {
		for i, w := range words {
			if i == 0 && w.text == open && len(words) == 1 && &words[0] == &e.rights[0] {
				continue
			}
			if contains(grammar, w.text) || strings.HasSuffix(w.text, "'s") || strings.HasSuffix(w.text, "’s") {
				return true
			}
		}
	}
	return false
}
