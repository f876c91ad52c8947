package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// listing puts the accounts of a lookup into order and pages.
type listing struct {
	filter     Filter
	permission string // that the engine looks up
	query      string // folded
	after      string // the key of the last account of the page before; "" on the first
}

// cursor is where a page ended. It stays good while accounts come and go: it is
// a place in the order, not a count.
type cursor struct {
	Key    string `json:"k"`
	Filter string `json:"f"` // of the list it belongs to
}

const maxCursor = 64 << 10

// fingerprint tells whether a cursor belongs to this list.
func (l *listing) fingerprint() string {
	f := l.filter
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", l.query, f.Under, l.permission, f.Sort))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (l *listing) resume(text string) error {
	if text == "" {
		return nil
	}
	bad := fault.New(fault.Invalid, "invalid_cursor", "the cursor does not belong to this list; begin again without it").In("cursor")
	if len(text) > maxCursor {
		return bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return bad
	}
	var c cursor
	if err := json.Unmarshal(raw, &c); err != nil || c.Key == "" || c.Filter != l.fingerprint() {
		return bad
	}
	l.after = c.Key
	return nil
}

func (l *listing) cursor(key string) string {
	raw, err := json.Marshal(cursor{Key: key, Filter: l.fingerprint()})
	if err != nil {
		return "" // unreachable: two strings
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// key places an account in the order. Keys are distinct, and compare as the accounts do.
func (l *listing) key(f forest, a account.Account) string {
	own := account.Fold(a.Name) + "\x01" + string(a.ID)
	switch l.filter.Sort {
	case ByName:
		return own
	case ByDate:
		const latest = 1<<63 - 1
		return fmt.Sprintf("%019d\x01%s", latest-a.CreatedAt.UnixMicro(), own)
	default:
		var key strings.Builder
		for _, above := range f.path(a.ID) {
			key.WriteString(account.Fold(above.Name) + "\x01" + string(above.ID) + "\x00")
		}
		key.WriteString(own + "\x00")
		return key.String()
	}
}

// page returns the accounts after the cursor, up to the limit, how many match
// in all, and the cursor of the next page. Accounts that the directory does not
// have any more are left out.
func (l *listing) page(f forest, ids []account.ID) ([]Reachable, int, string) {
	type entry struct {
		key string
		id  account.ID
	}
	entries := make([]entry, 0, len(ids))
	for _, id := range ids {
		if a, ok := f[id]; ok && l.matches(f, a) {
			entries = append(entries, entry{l.key(f, a), id})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	total := len(entries)
	start := 0
	if l.after != "" {
		var found bool
		start, found = slices.BinarySearchFunc(entries, l.after, func(e entry, key string) int { return strings.Compare(e.key, key) })
		if found {
			start++
		}
	}
	end := min(start+l.filter.Limit, total)
	if l.filter.All {
		end = total
	}
	page := make([]Reachable, 0, end-start)
	for _, e := range entries[start:end] {
		page = append(page, Reachable{Account: f[e.id], Path: f.path(e.id)})
	}
	if end == total {
		return page, total, ""
	}
	return page, total, l.cursor(entries[end-1].key)
}
