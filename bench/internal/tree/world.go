package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Size says how much to make; equal sizes give equal worlds.
type Size struct {
	Accounts int
	Users    int // with one or two memberships each; those with a name come on top
	Seed     uint64
}

// SizeOf returns the size with so many accounts: two users an account, and from a million
// accounts on some more than four users for three accounts, which gives two memberships an account.
func SizeOf(accounts int, seed uint64) Size {
	const large = 1_000_000
	if accounts >= large {
		return Size{Accounts: accounts, Users: accounts*4/3 + accounts/1000, Seed: seed}
	}
	return Size{Accounts: accounts, Users: accounts * 2, Seed: seed}
}

// Reach is a user with one grant of sub-account access, and how many accounts that opens.
type Reach struct{ User, Accounts int }

// World is the content. It does not change after New.
type World struct {
	Size        Size
	Names       []string // of accounts
	Folded      []string // the same in lower case, which is how they are searched and ordered
	AlwaysOn    []bool   // accounts all of whose members have sub-account access
	Memberships []Membership
	Users       int // in all

	Reaches   []Reach // the user of the smallest branch first, the user of the root last
	Three     int     // the user with three direct memberships
	Stranger  int     // the user with one membership, of a leaf
	Newcomers []int   // users with one membership, of a leaf, for changes

	byName  []int32 // accounts in the order of names, then of ids
	rank    []int32 // of an account in that order
	starts  []int32 // where a user's memberships begin
	special int     // the first user with a name
}

// newcomers is how many users are kept for changes.
const newcomers = 16

// smallest is the least number of accounts of a world: all named users find their place in it.
const smallest = 200

// largest is the most of anything: ids have seven digits.
const largest = 10_000_000 - 100

// New makes a world. It returns an error for sizes that leave no room for the named users.
func New(size Size) (*World, error) {
	if size.Accounts < smallest || size.Users < 1 || max(size.Accounts, size.Users) > largest {
		return nil, fmt.Errorf("a world has at least %d accounts and a user, and at most %d, not %d and %d", smallest, largest, size.Accounts, size.Users)
	}
	w := &World{Size: size, special: size.Users}
	w.accounts()
	w.memberships()
	w.named()
	w.index()
	return w, nil
}

// The parts of the content that roll dice of their own.
const (
	forAccounts uint64 = iota + 1
	forMemberships
)

func (w *World) accounts() {
	const oneOf = 1000 // accounts is always_on
	d := roll(w.Size.Seed, forAccounts)
	for i := range w.Size.Accounts {
		text := name(d)
		w.Names = append(w.Names, text)
		w.Folded = append(w.Folded, strings.ToLower(text))
		w.AlwaysOn = append(w.AlwaysOn, d.below(oneOf) == 0 && i > FanOut)
	}
}

// memberships gives each user one or two. Nobody but the named reaches a large part of the
// tree: grants of sub-account access are on the lower half of the levels.
func (w *World) memberships() {
	d := roll(w.Size.Seed, forMemberships)
	n := w.Size.Accounts
	for user := range w.Size.Users {
		first := d.below(n)
		w.join(user, first, w.role(d), w.grants(d, first))
		if d.below(2) == 0 {
			continue
		}
		second := d.below(n)
		if second == first {
			second = (second + 1) % n
		}
		w.join(user, second, w.role(d), w.grants(d, second))
	}
	w.Users = w.Size.Users
}

func (w *World) role(d dice) Role { return Role(d.below(len(Roles()))) } //nolint:gosec // less than three

// grants decides on sub-account access: for a fifth, but not where the branch is a hundredth of the tree.
func (w *World) grants(d dice, account int) bool {
	return d.below(5) == 0 && Branch(account, w.Size.Accounts) <= max(FanOut+1, w.Size.Accounts/100)
}

func (w *World) join(user, account int, role Role, branch bool) {
	w.Memberships = append(w.Memberships, Membership{User: int32(user), Account: int32(account), Role: role, Branch: branch}) //nolint:gosec // some millions at most
}

// named adds the users that the questions are about.
func (w *World) named() {
	next := func() int { w.Users++; return w.Users - 1 }
	for top := 0; top < w.Size.Accounts; top = top*FanOut + 1 {
		if size := Branch(top, w.Size.Accounts); size > 1 {
			user := next()
			w.join(user, top, Admin, true)
			w.Reaches = append(w.Reaches, Reach{User: user, Accounts: size})
		}
	}
	slices.Reverse(w.Reaches)
	w.Three = next()
	for i := range 3 {
		w.join(w.Three, w.leaf(i*w.Size.Accounts/17), Editor, false)
	}
	w.Stranger = next()
	w.join(w.Stranger, w.leaf(w.Size.Accounts/5), Admin, false)
	for i := range newcomers {
		user := next()
		w.Newcomers = append(w.Newcomers, user)
		w.join(user, w.leaf(w.Size.Accounts/3+i), Reader, false)
	}
}

// Leaf returns a leaf far down, which only the grant at the root reaches of those with names.
func (w *World) Leaf() int { return w.leaf(0) }

// leaf returns an ordinary leaf, so many accounts before the last.
func (w *World) leaf(before int) int {
	i := w.Size.Accounts - 1 - before
	for w.AlwaysOn[i] || i*FanOut+1 < w.Size.Accounts {
		i--
	}
	return i
}

// index sorts what questions need sorted.
func (w *World) index() {
	n := w.Size.Accounts
	w.byName, w.rank = make([]int32, n), make([]int32, n)
	for i := range w.byName {
		w.byName[i] = int32(i)
	}
	slices.SortFunc(w.byName, func(a, b int32) int {
		return cmp.Or(strings.Compare(w.Folded[a], w.Folded[b]), cmp.Compare(a, b))
	})
	for at, account := range w.byName {
		w.rank[account] = int32(at)
	}
	w.starts = make([]int32, w.Users+1)
	for _, m := range w.Memberships {
		w.starts[m.User+1]++
	}
	for i := range w.Users {
		w.starts[i+1] += w.starts[i]
	}
}

// Of returns a user's memberships; they are not the caller's to change.
func (w *World) Of(user int) []Membership { return w.Memberships[w.starts[user]:w.starts[user+1]] }

// Rank returns an account's place in the order of names, then of ids.
func (w *World) Rank(account int) int { return int(w.rank[account]) }
