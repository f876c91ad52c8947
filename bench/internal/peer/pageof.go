package peer

import (
	"slices"
	"strings"

	"github.com/tenantry/tenantry/bench/internal/tree"
)

// PageOf makes a first page of a full list, as an application does that has all names in memory:
// search, sort, cut. It changes the order of all.
func PageOf(w *tree.World, all []int32, query string) Page {
	if query != "" {
		all = slices.DeleteFunc(all, func(a int32) bool { return !strings.Contains(w.Folded[a], query) })
	}
	w.SortByName(all)
	return Page{Accounts: all[:min(PageSize, len(all))], Total: len(all)}
}
