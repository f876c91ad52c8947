package access

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// cursor is where a page ended. It stays good while accounts come and go: it is
// a place in the order, not a count. As text it has at most maxCursor bytes.
type cursor struct {
	list  string    // the fingerprint of the list that it belongs to
	at    time.Time // when the last account of the page was created; only in order of date
	marks []mark    // that account, in tree order after those above it
}

const maxCursor = 8 << 10

// mark names an account and what it was called.
type mark struct {
	id     account.ID
	folded string // the name, as it is ordered by; of a longer one the first mostName bytes
	digest string // of the whole name, if it is longer
}

// mostName keeps a cursor of the deepest path within maxCursor.
const mostName = 64

func markOf(n *node) mark {
	if len(n.folded) <= mostName {
		return mark{id: n.ID, folded: n.folded}
	}
	end := mostName
	for !utf8.RuneStart(n.folded[end]) {
		end--
	}
	return mark{id: n.ID, folded: n.folded[:end], digest: digest(n.folded)}
}

// in is the mark as a node that takes its place among the accounts of f: the
// account itself while it is called what it was. One that is gone, or has
// another name now, has what the mark kept of the old one: of a long name too
// little to come after others that begin alike, so that these appear again
// rather than are passed over.
func (m mark) in(f forest) *node {
	if n := f[m.id]; n != nil && m == markOf(n) {
		return n
	}
	return &node{Account: account.Account{ID: m.id}, folded: m.folded}
}

// String is the cursor as text for callers. Its fields are kept apart by a
// character that neither names nor identifiers have.
func (c cursor) String() string {
	fields := []string{c.list, ""}
	if !c.at.IsZero() {
		fields[1] = strconv.FormatInt(c.at.UnixMicro(), 10)
	}
	for _, m := range c.marks {
		fields = append(fields, string(m.id), m.folded, m.digest)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(fields, "\x00")))
}

// parseCursor is the reverse of String. An Invalid fault (invalid_cursor) for
// anything else, and for the cursor of another list.
func parseCursor(text, list string) (cursor, error) {
	bad := fault.New(fault.Invalid, "invalid_cursor", "the cursor does not belong to this list; begin again without it").In("cursor")
	if len(text) > maxCursor {
		return cursor{}, bad
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return cursor{}, bad
	}
	fields := strings.Split(string(raw), "\x00")
	if len(fields) < 5 || len(fields)%3 != 2 || len(fields) > 2+3*(account.MaxMaxDepth+1) || fields[0] != list {
		return cursor{}, bad
	}
	c := cursor{list: list}
	if fields[1] != "" {
		micros, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return cursor{}, bad
		}
		c.at = time.UnixMicro(micros)
	}
	for f := fields[2:]; len(f) > 0; f = f[3:] {
		c.marks = append(c.marks, mark{account.ID(f[0]), f[1], f[2]})
	}
	return c, nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
