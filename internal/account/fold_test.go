package account

import (
	"testing"

	"pgregory.net/rapid"
)

// TestFoldOfASCIIIsFoldOfAnything holds the short way of folding against the one for any text.
func TestFoldOfASCIIIsFoldOfAnything(t *testing.T) {
	for c := range rune(0x250) {
		if got, want := Fold(string(c)), foldAny(string(c)); got != want {
			t.Errorf("%q is folded to %q; want %q", c, got, want)
		}
	}
	ascii := make([]rune, 128)
	for i := range ascii {
		ascii[i] = rune(i)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringOf(rapid.RuneFrom(ascii)), rapid.String()).Draw(t, "text")
		if got, want := Fold(s), foldAny(s); got != want {
			t.Fatalf("%q is folded to %q; want %q", s, got, want)
		}
	})
}
