package httpapi

import (
	"encoding/base64"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// PageQuery is embedded by the inputs of searchable lists.
type PageQuery struct {
	Query  string `query:"q" doc:"Only what has this in its name or id (users: or e-mail address), whatever the case."`
	Limit  int    `query:"limit" doc:"The most items of a page, 1 to 1000; 50 if absent."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; absent for the first."`
}

// KeyPageQuery is embedded by the inputs of lists in pages.
type KeyPageQuery struct {
	Limit  int    `query:"limit" doc:"The most items of a page, 1 to 1000; 50 if absent."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; absent for the first."`
}

// page is where a page of the list begins, and how long it is.
func (q KeyPageQuery) page(list string) (directory.KeyPage, error) {
	after, err := decodeCursor[string](list, q.Cursor)
	return directory.KeyPage{After: after, Limit: q.Limit}, err
}

// PageInfo is embedded by the bodies of lists.
type PageInfo struct {
	Total      int    `json:"total" doc:"How many match, on all pages."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Send it as cursor for the next page; absent on the last."`
}

const maxCursor = 256

// encodeCursor makes the opaque cursor of a list from the id of the last item of a page.
func encodeCursor[T ~string](list string, last T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + ":" + string(last)))
}

// decodeCursor is the reverse of encodeCursor, "" for no cursor. An Invalid
// fault (invalid_cursor) for what is not a cursor of that list.
func decodeCursor[T ~string](list, cursor string) (T, error) {
	if cursor == "" {
		return "", nil
	}
	bad := fault.New(fault.Invalid, "invalid_cursor", "the cursor does not belong to this list; begin again without it").In("cursor")
	if len(cursor) > maxCursor {
		return "", bad
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return "", bad
	}
	id, ok := strings.CutPrefix(string(text), list+":")
	if !ok || account.CheckID("cursor", id) != nil || encodeCursor(list, id) != cursor {
		return "", bad
	}
	return T(id), nil
}

// pageInfo describes a page; idOf returns an item's place in the list's order.
func pageInfo[T any, ID ~string](list string, p directory.Page[T], idOf func(T) ID) PageInfo {
	out := PageInfo{Total: p.Total}
	if p.More && len(p.Items) > 0 {
		out.NextCursor = encodeCursor(list, idOf(p.Items[len(p.Items)-1].Value))
	}
	return out
}

// each returns what of makes of every item; never nil.
func each[T, W any](items []T, of func(T) W) []W {
	out := make([]W, len(items))
	for i, item := range items {
		out[i] = of(item)
	}
	return out
}

// idOrNone checks an optional id of a body: absent is "", but "" itself is
// refused, since a caller whose variable was empty hardly means absent.
func idOrNone[T ~string](field string, id *T) (T, error) {
	if id == nil {
		return "", nil
	}
	return *id, account.CheckID(field, *id)
}

// orNull is nil for "".
func orNull[T ~string](id T) *T {
	if id == "" {
		return nil
	}
	return &id
}
