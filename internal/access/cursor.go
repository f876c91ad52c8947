package access

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/switcher"
)

// cursor is where a page ended. It stays good while accounts come and go: it is
// a place in the order, not a count. As text it has at most maxCursor bytes.
type cursor struct {
	list  string // the fingerprint of the list that it belongs to
	after switcher.After
}

const maxCursor = 8 << 10

// String is the cursor as text for callers. Its fields are kept apart by a
// character that neither names nor identifiers have.
func (c cursor) String() string {
	fields := []string{c.list, ""}
	if !c.after.At.IsZero() {
		fields[1] = strconv.FormatInt(c.after.At.UnixMicro(), 10)
	}
	for _, m := range c.after.Marks {
		fields = append(fields, string(m.ID), m.Folded, m.Digest)
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
		c.after.At = time.UnixMicro(micros)
	}
	for f := fields[2:]; len(f) > 0; f = f[3:] {
		c.after.Marks = append(c.after.Marks, switcher.Mark{ID: account.ID(f[0]), Folded: f[1], Digest: f[2]})
	}
	return c, nil
}
