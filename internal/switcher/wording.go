package switcher

import (
	"strings"

	"github.com/tenantry/tenantry/internal/account"
)

// wording is what the accounts of a chunk are found by: one text of all names and ids, folded,
// and marks that rule most accounts out without a look into it.
type wording struct {
	text  string
	ends  []uint32 // where in the text the part of each account ends
	marks []uint64 // of each account's name and id
}

// apart ends each name and each id in a wording; it is a byte that UTF-8 does not have, so that no match crosses it.
const apart = "\xff"

// worded returns the wording of the chunk, which is made once.
func (c *chunk) worded(a *accounts) *wording {
	if known := c.wording.Load(); known != nil {
		return known
	}
	w := &wording{ends: make([]uint32, len(c.slots)), marks: make([]uint64, len(c.slots))}
	var text strings.Builder
	for i, at := range c.slots {
		name, id := a.folded(at), a.foldedID(at)
		text.WriteString(name)
		text.WriteString(apart)
		text.WriteString(id)
		text.WriteString(apart)
		w.ends[i], w.marks[i] = uint32(text.Len()), marksOf(name)|marksOf(id) //nolint:gosec // G115: 512 times some hundred bytes
	}
	w.text = strings.Clone(text.String()) // without the room that it has grown by
	c.wording.Store(w)
	return w
}

// foldedID is an account's id as it is searched.
func (a *accounts) foldedID(s slot) string {
	id := a.texts.At(s, textID)
	if a.nodes.At(s).flags&capitals != 0 {
		return account.Fold(id)
	}
	return id
}

// marksOf has a bit for every three bytes that follow each other in a text. A text
// that has another one in it has all of that one's marks. A name and an id of 40 letters set about half of
// the bits: one in a thousand has by chance those of a text of twelve.
func marksOf(text string) uint64 {
	var marks uint64
	for i := 2; i < len(text); i++ {
		three := uint32(text[i-2]) | uint32(text[i-1])<<8 | uint32(text[i])<<16
		marks |= 1 << (three * 0x9e3779b1 >> 26) // the golden ratio's, as in Knuth's multiplicative hashing
	}
	return marks
}

// search is a text that accounts are searched for.
type search struct {
	text  string
	marks uint64
}

// each calls fn for the places from, to of a chunk whose accounts have the text in their name or id.
func (s *search) each(w *wording, from, to int, fn func(place int)) {
	if s.marks == 0 { // too short: most accounts have it
		s.scan(w, from, to, fn)
		return
	}
	for i, marks := range w.marks[from:to] {
		if marks&s.marks == s.marks && strings.Contains(w.text[w.begin(from+i):w.ends[from+i]], s.text) {
			fn(from + i)
		}
	}
}

// scan is each without marks.
func (s *search) scan(w *wording, from, to int, fn func(place int)) {
	begin, end := w.begin(from), w.ends[to-1]
	for place := from; ; place++ {
		found := strings.Index(w.text[begin:end], s.text)
		if found < 0 {
			return
		}
		for found += int(begin); int(w.ends[place]) <= found; {
			place++
		}
		fn(place)
		begin = w.ends[place]
	}
}

// begin is where in the text the part of an account begins.
func (w *wording) begin(place int) uint32 {
	if place == 0 {
		return 0
	}
	return w.ends[place-1]
}
