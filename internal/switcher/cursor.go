package switcher

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
)

// After is where a page ended: a place in the order, not a count, so that it stays
// good while accounts come and go. The zero value is before the first page.
type After struct {
	Marks []Mark    // the last account of the page, in the order of the tree after those above it
	At    time.Time // when it was made; only in order of date
}

// Mark names an account and what it was called.
type Mark struct {
	ID     account.ID
	Folded string // the name, as it is ordered by; of a longer one the first mostName bytes
	Digest string // of the whole name, if it is longer
}

// mostName keeps a cursor of the deepest path small.
const mostName = 64

// MarkOf returns the mark of an account by its folded name.
func MarkOf(id account.ID, folded string) Mark {
	if len(folded) <= mostName {
		return Mark{ID: id, Folded: folded}
	}
	end := mostName
	for !utf8.RuneStart(folded[end]) {
		end--
	}
	return Mark{ID: id, Folded: folded[:end], Digest: Digest(folded)}
}

// Digest is a short hash of a text.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// mark is the mark of an account.
func (s *state) mark(at slot) Mark { return MarkOf(s.accounts.id(at), s.accounts.folded(at)) }

// resolve returns the name by which a mark takes its place in the order: the account's own
// while it is called what it was. One that is gone, or has another name now, has
// what the mark kept of the old one: of a long name too little to come after
// others that begin alike, so that these appear again rather than are passed over.
func (s *state) resolve(m Mark) (folded string, at slot) {
	if at, ok := s.accounts.find(m.ID); ok {
		if now := s.accounts.folded(at); m == MarkOf(m.ID, now) {
			return now, at
		}
	}
	return m.Folded, none
}

// after returns the cursor of an account in an order.
func (s *state) after(at slot, by Sort) After {
	switch by {
	case ByName:
		return After{Marks: []Mark{s.mark(at)}}
	case ByDate:
		return After{Marks: []Mark{s.mark(at)}, At: time.UnixMicro(s.accounts.nodes.At(at).created)}
	default:
		var marks []Mark
		for ; at != none; at = s.accounts.parent(at) {
			marks = append(marks, s.mark(at))
		}
		slices.Reverse(marks)
		return After{Marks: marks}
	}
}

// positionAfter returns the position in the tree of what comes after a cursor.
func (s *state) positionAfter(marks []Mark) uint32 {
	parent := none
	for i, m := range marks {
		folded, at := s.resolve(m)
		if at == none || s.accounts.parent(at) != parent {
			return s.place(parent, s.below(parent), func(sibling slot) bool {
				return s.accounts.compareTo(sibling, folded, m.ID) > 0
			})
		}
		if i == len(marks)-1 {
			return s.tree.position(&s.accounts, at) + 1
		}
		parent = at
	}
	return 0
}

// beyond reports which accounts come after a cursor by name.
type beyond struct {
	state     *state
	folded    string
	id        account.ID
	low, high uint64 // the labels of the accounts before and after it
}

func (s *state) beyond(m Mark) beyond {
	folded, _ := s.resolve(m)
	b := beyond{state: s, folded: folded, id: m.ID, high: 1<<64 - 1}
	i, offset := s.names.place(&s.accounts, folded, m.ID)
	if i < len(s.names.chunks) {
		b.high = s.accounts.labels.At(s.names.chunks[i].slots[offset])
	}
	if offset > 0 {
		b.low = s.accounts.labels.At(s.names.chunks[i].slots[offset-1])
	} else if i > 0 {
		last := s.names.chunks[i-1].slots
		b.low = s.accounts.labels.At(last[len(last)-1])
	}
	return b
}

func (b *beyond) has(at slot) bool {
	switch label := b.state.accounts.labels.At(at); {
	case label < b.low:
		return false
	case label > b.high:
		return true
	default:
		return b.state.accounts.compareTo(at, b.folded, b.id) > 0
	}
}
