package switcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
)

// TestWordingHasWhatNamesAndIDsHave holds a search in the wording of a chunk against one in each name and id of its accounts.
func TestWordingHasWhatNamesAndIDsHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter("prod", catalogued{})
		var slots []slot
		words := rapid.SampledFrom([]string{"ab", "abc", "Äbc", "B", "cab-", " ", "ß", "acme labs"})
		for i := range rapid.IntRange(1, 20).Draw(t, "accounts") {
			name := strings.Join(rapid.SliceOfN(words, 0, 5).Draw(t, "words"), "")
			id := account.ID(fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"acc-", "ACC", "x"}).Draw(t, "id"), i))
			at, err := w.newAccount(account.Account{ID: id, Name: name}, none)
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, at)
		}
		c := &chunk{slots: slots}
		text := account.Fold(strings.Join(rapid.SliceOfN(words, 1, 3).Draw(t, "text"), ""))
		if rapid.Bool().Draw(t, "by id") {
			text = fmt.Sprintf("c-%d", rapid.IntRange(0, 20).Draw(t, "number"))
		}
		text = text[:rapid.IntRange(1, len(text)).Draw(t, "bytes")]
		from := rapid.IntRange(0, len(slots)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(slots)).Draw(t, "to")
		var want, got []int
		for place := from; place < to; place++ {
			id, name := account.Fold(string(w.accounts.id(slots[place]))), account.Fold(w.accounts.name(slots[place]))
			if strings.Contains(name, text) || strings.Contains(id, text) {
				want = append(want, place)
			}
		}
		s := search{text: text, marks: marksOf(text)}
		s.each(c.worded(&w.accounts), from, to, func(place int) { got = append(got, place) })
		if !slices.Equal(got, want) {
			t.Fatalf("%q is in the accounts at %v; want %v", text, got, want)
		}
	})
}
