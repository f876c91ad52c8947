package contest

import (
	"context"
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

// Group is what cases are shown together by.
type Group string

// The groups.
const (
	Checks  Group = "Checks"
	Pages   Group = "First page"
	Lists   Group = "Full list"
	Changes Group = "Changes"
)

// Case is work that all systems do.
type Case struct {
	Key, Title string
	Group      Group
	Clients    int // that work at once

	fresh bool // no operation comes twice, so there is nothing to warm up
	// do is the i-th operation of a round; right is whether its answer was.
	do func(ctx context.Context, s peer.System, round, i int) (right bool, err error)
}

// Keys of cases that the report looks for.
const (
	AllowDeep    = "check-allow-deep"
	AllowShallow = "check-allow-shallow"
	DenyDeep     = "check-deny-deep"
	DenyShallow  = "check-deny-shallow"
	Cold         = "check-cold"
	Crowd        = "check-8"
	ListCrowd    = "list-8"
)

// PageKey is the key of the case about the first page of a user of so many accounts.
func PageKey(accounts int) string { return fmt.Sprintf("page-%d", accounts) }

// SearchKey is as PageKey.
func SearchKey(accounts int) string { return fmt.Sprintf("search-%d", accounts) }

// ListKey is as PageKey.
func ListKey(accounts int) string { return fmt.Sprintf("list-%d", accounts) }

// crowd is how many clients there are where there are many.
const crowd = 8

// coldChecks is the most checks of a round whose questions come only once.
const coldChecks = 400

// Ninth returns the user who reaches about a ninth of the accounts, and how many these are.
func Ninth(w *tree.World) tree.Reach { return w.Reaches[max(0, len(w.Reaches)-2)] }

// cases returns all work that is done in rounds, but for changes.
func cases(w *tree.World) []Case {
	all := append(checks(w), crowded(w))
	for _, r := range append([]tree.Reach{{User: w.Three, Accounts: 3}}, w.Reaches...) {
		all = append(all, page(w, PageKey(r.Accounts), fmt.Sprintf("first page of 50 by name with total, of %s accounts", thousands(r.Accounts)), r.User, ""))
	}
	for _, r := range w.Reaches[max(0, len(w.Reaches)-2):] {
		all = append(all, page(w, SearchKey(r.Accounts), fmt.Sprintf("search for a word: first 50 with total, of %s accounts", thousands(r.Accounts)), r.User, tree.SearchWord))
	}
	for _, r := range w.Reaches {
		all = append(all, list(ListKey(r.Accounts), fmt.Sprintf("full list of %s ids", thousands(r.Accounts)), r, 1))
	}
	medium := w.Reaches[max(0, len(w.Reaches)-3)]
	return append(all, list(ListCrowd, fmt.Sprintf("full list of %s ids, %d clients", thousands(medium.Accounts), crowd), medium, crowd))
}

// growing are the keys of the cases that are shown against the number of accounts.
func growing(w *tree.World) []string {
	ninth := Ninth(w).Accounts
	return []string{AllowDeep, DenyDeep, PageKey(ninth), ListKey(ninth)}
}

// few returns the cases that are shown against the number of accounts.
func few(w *tree.World) []Case {
	return slices.DeleteFunc(cases(w), func(c Case) bool { return !slices.Contains(growing(w), c.Key) })
}

func checks(w *tree.World) []Case {
	root := w.Reaches[len(w.Reaches)-1].User
	own := int(w.Of(w.Three)[0].Account)
	all := []Case{
		check(AllowDeep, "check, allowed, deep: a leaf, by a grant at the root", w.Question(root, w.Leaf(), tree.Manage)),
		check(AllowShallow, "check, allowed, shallow: a leaf, by membership of it", w.Question(w.Three, own, tree.Manage)),
		check(DenyDeep, "check, denied, deep: a leaf, by a stranger", w.Question(w.Stranger, w.Leaf(), tree.Manage)),
		check(DenyShallow, "check, denied, shallow: the root, by a stranger", w.Question(w.Stranger, 0, tree.Manage)),
	}
	return append(all, Case{
		Key: Cold, Title: "check, no question and hardly a user twice", Group: Checks, Clients: 1, fresh: true,
		do: onceEach(w),
	})
}

func check(key, title string, q tree.Question) Case {
	return Case{Key: key, Title: title, Group: Checks, Clients: 1, do: func(ctx context.Context, s peer.System, _, _ int) (bool, error) {
		return ask(ctx, s, q)
	}}
}

func ask(ctx context.Context, s peer.System, q tree.Question) (bool, error) {
	allowed, err := s.Check(ctx, q.User, q.Account, q.Permission)
	return allowed == q.Allowed, err
}

// onceEach asks the questions of a round, which are the same for all systems.
func onceEach(w *tree.World) func(context.Context, peer.System, int, int) (bool, error) {
	const first = 100 // of the parts that are questions of rounds
	byRound := map[int][]tree.Question{}
	return func(ctx context.Context, s peer.System, round, i int) (bool, error) {
		if byRound[round] == nil {
			byRound[round] = w.Questions(coldChecks, first+uint64(round)) //nolint:gosec // rounds are few
		}
		return ask(ctx, s, byRound[round][i])
	}
}

// crowded asks some hundred questions again and again.
func crowded(w *tree.World) Case {
	const different = 200
	questions := w.Questions(different, 2)
	return Case{
		Key: Crowd, Title: fmt.Sprintf("checks, %d different ones in turn, %d clients", different, crowd), Group: Checks, Clients: crowd,
		do: func(ctx context.Context, s peer.System, _, i int) (bool, error) {
			return ask(ctx, s, questions[i%different])
		},
	}
}

func page(w *tree.World, key, title string, user int, query string) Case {
	accounts, total := w.Page(user, query, peer.PageSize)
	return Case{Key: key, Title: title, Group: Pages, Clients: 1, do: func(ctx context.Context, s peer.System, _, _ int) (bool, error) {
		got, err := s.Page(ctx, user, query)
		return got.Total == total && slices.Equal(got.Accounts, accounts), err
	}}
}

func list(key, title string, r tree.Reach, clients int) Case {
	return Case{Key: key, Title: title, Group: Lists, Clients: clients, do: func(ctx context.Context, s peer.System, _, _ int) (bool, error) {
		got, err := s.List(ctx, r.User)
		return len(got) == r.Accounts, err
	}}
}
