package scenario

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

// sentence is a text, word by word, that is being read from the left.
type sentence struct {
	words []word
	next  int
	end   finding.Place // after the last word
}

// wrongSentence says where a sentence stops making sense, and what would.
type wrongSentence struct {
	at   finding.Place
	text string
}

func (w *wrongSentence) Error() string { return w.text }

// newSentence cuts a text into words; commas are words of their own, and so is
// the 's of a genitive. placed turns a column of the text into a place.
func newSentence(text string, placed func(column int) finding.Place) *sentence {
	s := &sentence{}
	column, start, first := 0, 0, 0 // column counts characters before i; start and first are those of the word
	within := false
	cut := func(to int) {
		if within {
			s.words = append(s.words, genitive(word{text[start:to], placed(first)}, placed, first)...)
			within = false
		}
	}
	for i, r := range text {
		column++
		switch {
		case unicode.IsSpace(r):
			cut(i)
		case r == ',':
			cut(i)
			s.words = append(s.words, word{",", placed(column)})
		case !within:
			within, start, first = true, i, column
		}
	}
	cut(len(text))
	s.end = placed(column + 1)
	return s
}

// genitive cuts the 's off a word.
func genitive(w word, placed func(int) finding.Place, column int) []word {
	for _, s := range []string{"'s", "’s"} {
		if name, ok := strings.CutSuffix(w.text, s); ok && name != "" {
			return []word{{name, w.at}, {"'s", placed(column + utf8.RuneCountInString(name))}}
		}
	}
	return []word{w}
}

// peek returns the next word, "" at the end.
func (s *sentence) peek() string {
	if s.next < len(s.words) {
		return s.words[s.next].text
	}
	return ""
}

// place is where the next word is.
func (s *sentence) place() finding.Place {
	if s.next < len(s.words) {
		return s.words[s.next].at
	}
	return s.end
}

// take goes past the words if they come next.
func (s *sentence) take(words ...string) bool {
	if s.next+len(words) > len(s.words) {
		return false
	}
	for i, w := range words {
		if s.words[s.next+i].text != w {
			return false
		}
	}
	s.next += len(words)
	return true
}

// takeAny goes past the first of the phrases that comes next.
func (s *sentence) takeAny(phrases ...string) bool {
	for _, p := range phrases {
		if s.take(strings.Fields(p)...) {
			return true
		}
	}
	return false
}

// wrong is the error of a sentence that should go on with something else than it does.
func (s *sentence) wrong(expected string) error {
	if s.next >= len(s.words) {
		return &wrongSentence{s.place(), "the sentence ends where it needs " + expected}
	}
	return &wrongSentence{s.place(), fmt.Sprintf("%s is where the sentence needs %s", account.Quote(s.peek()), expected)}
}

// need is take for one of several words, without which it is wrong.
func (s *sentence) need(phrases ...string) error {
	if s.takeAny(phrases...) {
		return nil
	}
	if near := finding.Nearest(s.peek(), phrases); near != "" && s.peek() != "" {
		return &wrongSentence{s.place(), fmt.Sprintf("%s is where the sentence needs %s (did you mean %s?)", account.Quote(s.peek()), choice(phrases), near)}
	}
	return s.wrong(choice(phrases))
}

func choice(phrases []string) string {
	quoted := make([]string, len(phrases))
	for i, p := range phrases {
		quoted[i] = `"` + p + `"`
	}
	return strings.Join(quoted, " or ")
}

// name takes a word that is no comma.
func (s *sentence) name(what string) (word, error) {
	if p := s.peek(); p == "" || p == "," || p == "'s" {
		return word{}, s.wrong(what)
	}
	s.next++
	return s.words[s.next-1], nil
}

// names takes one name or several, with commas or "and" between them.
func (s *sentence) names(what string) ([]word, error) {
	var all []word
	for {
		w, err := s.name(what)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
		comma := s.take(",")
		if !s.take("and") && !comma {
			return all, nil
		}
	}
}

// done is an error unless the sentence ends here.
func (s *sentence) done() error {
	if s.next < len(s.words) {
		return &wrongSentence{s.place(), fmt.Sprintf("the sentence should end before %s", account.Quote(s.peek()))}
	}
	return nil
}
