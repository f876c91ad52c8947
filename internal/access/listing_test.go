package access

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
)

var sorts = []Sort{ByTree, ByName, ByDate}

// pages walks a list of every account of the forest, page by page; between two
// pages change may give it another forest.
func pages(t interface {
	Helper()
	Fatalf(string, ...any)
}, accounts []account.Account, sort Sort, limit int, change func([]account.Account) []account.Account,
) []account.ID {
	t.Helper()
	var out []account.ID
	cursor := ""
	for range 10 * len(accounts) {
		list := &listing{filter: Filter{Sort: sort, Limit: limit}, permission: memberAccess}
		if err := list.resume(cursor); err != nil {
			t.Fatalf("resume: %v", err)
		}
		page, _, next := list.page(newForest(accounts), idsOf(accounts))
		for _, a := range page {
			out = append(out, a.ID)
		}
		if len(next) > maxCursor {
			t.Fatalf("a cursor of %d bytes", len(next))
		}
		if next == "" {
			return out
		}
		cursor = next
		if change != nil {
			accounts = change(accounts)
		}
	}
	t.Fatalf("the list does not end")
	return nil
}

func idsOf(accounts []account.Account) []account.ID {
	ids := make([]account.ID, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) // the engine has no order
	return ids
}

// ordered is what the orders are by their definition.
func ordered(accounts []account.Account, sort Sort) []account.ID {
	byID := map[account.ID]account.Account{}
	for _, a := range accounts {
		byID[a.ID] = a
	}
	keys := map[account.ID]string{} // folding is slow
	var key func(a account.Account) string
	key = func(a account.Account) string {
		if known, ok := keys[a.ID]; ok {
			return known
		}
		own := account.Fold(a.Name) + "\x01" + string(a.ID) + "\x00"
		if above, ok := byID[a.Parent]; ok && sort == ByTree {
			own = key(above) + own
		}
		keys[a.ID] = own
		return own
	}
	all := slices.Clone(accounts)
	slices.SortFunc(all, func(a, b account.Account) int {
		if sort == ByDate && !a.CreatedAt.Equal(b.CreatedAt) {
			return b.CreatedAt.Compare(a.CreatedAt)
		}
		return cmp.Compare(key(a), key(b))
	})
	ids := make([]account.ID, len(all))
	for i, a := range all {
		ids[i] = a.ID
	}
	return ids
}

// trees draws accounts, parents first, with few names, many of them alike for long.
func trees(t *rapid.T) []account.Account {
	long := strings.Repeat("ﷺ", 30) + strings.Repeat("Globex ", 20)
	names := []string{"Acme", "ACME", "acme 2", "Ａｃｍｅ", "Zoë", long + "East", long + "West", long, "\u2028", "a"}
	n := rapid.IntRange(1, 40).Draw(t, "accounts")
	accounts := make([]account.Account, n)
	for i := range accounts {
		accounts[i] = account.Account{
			ID: account.ID(fmt.Sprintf("a%d", i)), Name: rapid.SampledFrom(names).Draw(t, "name"),
			CreatedAt: time.UnixMicro(rapid.Int64Range(-2, 2).Draw(t, "created")),
		}
		if parent := rapid.IntRange(-1, i-1).Draw(t, "parent"); parent >= 0 {
			accounts[i].Parent = accounts[parent].ID
		}
	}
	return accounts
}

func TestW1_PagesAreTheWholeListInItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accounts := trees(t)
		sort := rapid.SampledFrom(sorts).Draw(t, "sort")
		got := pages(t, accounts, sort, rapid.IntRange(1, 5).Draw(t, "limit"), nil)
		if d := diff.Diff(ordered(accounts, sort), got); d != "" {
			t.Fatalf("by %s (-want +got):\n%s", sort, d)
		}
	})
}

// TestW1_NothingIsPassedOverWhileAccountsGo deletes leaves between pages: what stays is listed, in order.
func TestW1_NothingIsPassedOverWhileAccountsGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accounts := trees(t)
		sort := rapid.SampledFrom(sorts).Draw(t, "sort")
		left := accounts
		got := pages(t, accounts, sort, rapid.IntRange(1, 5).Draw(t, "limit"), func(now []account.Account) []account.Account {
			at := rapid.IntRange(0, len(now)-1).Draw(t, "gone")
			hasChildren := slices.ContainsFunc(now, func(a account.Account) bool { return a.Parent == now[at].ID })
			if !hasChildren {
				now = slices.Delete(slices.Clone(now), at, at+1)
			}
			left = now
			return now
		})
		seen := map[account.ID]bool{}
		for _, id := range got {
			seen[id] = true
		}
		for _, a := range left {
			if !seen[a.ID] {
				t.Fatalf("by %s: account %s (%.20s) was there all the time and is not listed in %v", sort, a.ID, a.Name, got)
			}
		}
	})
}

// TestCursorsOfTheDeepestPathsAreShort has 40 levels of names of 200 characters that grow when they are folded.
func TestCursorsOfTheDeepestPathsAreShort(t *testing.T) {
	var accounts []account.Account
	parent := account.ID("")
	for level := range account.MaxMaxDepth {
		for sibling := range 2 {
			id := account.ID(strings.Repeat("x", 60) + fmt.Sprintf("%02d-%d", level, sibling))
			name := strings.Repeat("ﷺ", account.MaxNameLength-1) + string(rune('a'+(sibling+level)%3))
			accounts = append(accounts, account.Account{ID: id, Name: name, Parent: parent})
		}
		parent = accounts[len(accounts)-1-level%2].ID
	}
	if folded := len(account.Fold(accounts[0].Name)); folded < 6000 {
		t.Fatalf("a name of this test has only %d bytes", folded)
	}
	for _, sort := range sorts {
		got := pages(t, accounts, sort, 39, nil)
		if d := diff.Diff(ordered(accounts, sort), got); d != "" {
			t.Errorf("by %s (-want +got):\n%s", sort, d)
		}
	}
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	accounts := []account.Account{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}
	list := &listing{filter: Filter{Sort: ByName, Limit: 1}, permission: memberAccess}
	_, _, next := list.page(newForest(accounts), idsOf(accounts))
	if err := list.resume(next); err != nil {
		t.Errorf("its own cursor: %v", err)
	}
	for name, other := range map[string]*listing{
		"order":      {filter: Filter{Sort: ByDate}, permission: memberAccess},
		"branch":     {filter: Filter{Sort: ByName, Under: "a"}, permission: memberAccess},
		"permission": {filter: Filter{Sort: ByName}, permission: "member_read_users"},
		"query":      {filter: Filter{Sort: ByName}, permission: memberAccess, query: "a"},
	} {
		if err := other.resume(next); err == nil {
			t.Errorf("the cursor of a list with another %s was taken", name)
		}
	}
	for _, bad := range []string{"x", next + "A", next[:len(next)-4], strings.Repeat("A", maxCursor+1), "AAAA"} {
		if err := list.resume(bad); err == nil {
			t.Errorf("the cursor %.40q was taken", bad)
		}
	}
}

func FuzzCursor(f *testing.F) {
	accounts := []account.Account{{ID: "a", Name: "A"}, {ID: "b", Name: strings.Repeat("B", 100), Parent: "a"}, {ID: "c", Name: "C", Parent: "b"}}
	for _, sort := range sorts {
		list := &listing{filter: Filter{Sort: sort, Limit: 2}, permission: memberAccess}
		_, _, next := list.page(newForest(accounts), idsOf(accounts))
		f.Add(next)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		for _, sort := range sorts {
			list := &listing{filter: Filter{Sort: sort, Limit: 2}, permission: memberAccess}
			if list.resume(text) == nil {
				list.page(newForest(accounts), idsOf(accounts)) // whatever it names, it does no harm
			}
		}
	})
}
