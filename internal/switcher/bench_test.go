package switcher

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// orchard is an index of a tree in which each account has ten below it, breadth first, with
// two memberships for each account, and users who may open a tenth, and all of it.
func orchard(b *testing.B, accounts int) (*writer, *model) {
	b.Helper()
	chunkMost, chunkFull = maxChunk, maxChunk*3/4
	dice := rand.New(rand.NewPCG(1, 2))
	words := []string{"Globex", "Initech", "Acme", "East", "West", "Holding", "Retail", "North", "Labs", "Foods"}
	m, put, finish := sowing(b)
	for i := range accounts {
		a := account.Account{
			ID: account.ID(fmt.Sprintf("acc-%d", i)), CreatedAt: start.Add(time.Duration(dice.IntN(1e6)) * time.Second),
			Name: fmt.Sprintf("%s %s %d", words[dice.IntN(10)], words[dice.IntN(10)], dice.IntN(1000)),
		}
		if i > 0 {
			a.Parent = account.ID(fmt.Sprintf("acc-%d", (i-1)/10))
		}
		put(*account.Of(a))
	}
	for i := range accounts {
		put(*account.Of(account.User{ID: account.UserID(fmt.Sprintf("user-%d", i))}))
	}
	member := func(user string, at int, has account.BranchAccess) { put(reader(user, at, has)) }
	for i := range 2 * accounts {
		member(fmt.Sprintf("user-%d", i/2), dice.IntN(accounts), account.NoBranchAccess)
	}
	for user, at := range map[string]int{"all": 0, "tenth": 1, "hundredth": 11} {
		put(*account.Of(account.User{ID: account.UserID(user)}))
		member(user, at, account.GrantedAccess)
	}
	put(*account.Of(account.User{ID: "scattered"}))
	for i := range 1000 {
		member("scattered", i*accounts/1000, account.NoBranchAccess)
	}
	return finish(), m
}

// sowing is an index that is being loaded: put adds to it, and finish is its end. A role that reads is there.
func sowing(b *testing.B) (m *model, put func(account.Entity), finish func() *writer) {
	b.Helper()
	m = testModel(b)
	l := newLoader("prod", m.bits)
	put = func(e account.Entity) {
		b.Helper()
		if err := l.add(e); err != nil {
			b.Fatal(err)
		}
	}
	put(*account.Of(account.Role{Key: "reader", Permissions: []account.PermissionKey{readSubAccounts}}))
	return m, put, func() *writer {
		b.Helper()
		w, err := l.finish(1)
		if err != nil {
			b.Fatal(err)
		}
		return w
	}
}

// reader is a membership of a user who reads.
func reader(user string, at int, has account.BranchAccess) account.Entity {
	return *account.Of(account.Membership{
		Account: account.ID(fmt.Sprintf("acc-%d", at)), User: account.UserID(user), Roles: []account.RoleKey{"reader"}, BranchAccess: has,
	})
}

func BenchmarkIndex(b *testing.B) {
	for _, accounts := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(accounts), func(b *testing.B) {
			begun := time.Now()
			w, m := orchard(b, accounts)
			b.Logf("loaded in %v", time.Since(begun))
			v := w.publish().view(m, start)
			leaf := account.ID(fmt.Sprintf("acc-%d", accounts-1))
			for what, who := range map[string]string{"allow": "all", "deny": "hundredth"} {
				b.Run("check/"+what, func(b *testing.B) {
					for b.Loop() {
						if allowed, _ := v.Allowed(Subject{User, who}, "read_sub_accounts", leaf); allowed != (what == "allow") {
							b.Fatal(allowed)
						}
					}
				})
			}
			for _, who := range []string{"user-7", "hundredth", "tenth", "all", "scattered"} {
				benchmarkPages(b, v, who)
			}
			b.Run("first search", func(b *testing.B) {
				for b.Loop() {
					for _, c := range v.state.tree.chunks {
						c.wording.Store(nil)
					}
					v.Page(Query{Who: Subject{User, "all"}, Limit: 50, Text: "acme labs 77"})
				}
			})
			benchmarkChanges(b, w, accounts)
		})
	}
}

func benchmarkPages(b *testing.B, v *View, who string) {
	queries := map[string]Query{
		"tree":   {Limit: 50},
		"name":   {Limit: 50, Sort: ByName},
		"date":   {Limit: 50, Sort: ByDate},
		"search": {Limit: 50, Sort: ByName, Text: "acme labs 77"},
		"common": {Limit: 50, Sort: ByName, Text: "acme"},
		"letter": {Limit: 50, Sort: ByName, Text: "a"},
	}
	for what, q := range queries {
		q.Who = Subject{User, who}
		v.Page(q)
		b.Run(who+"/"+what, func(b *testing.B) {
			for b.Loop() {
				v.Page(q)
			}
		})
	}
	q := Query{Who: Subject{User, who}, Limit: 50, Sort: ByName}
	for range 7 {
		if p, _ := v.Page(q); len(p.Next.Marks) > 0 {
			q.After = p.Next
		}
	}
	b.Run(who+"/name from a cursor", func(b *testing.B) {
		for b.Loop() {
			v.Page(q)
		}
	})
}

func benchmarkChanges(b *testing.B, w *writer, accounts int) {
	n := 0
	apply := func(b *testing.B, c account.Change) {
		if err := w.apply(account.Entry{Version: w.version + 1, Changes: []account.Change{c}}); err != nil {
			b.Fatal(err)
		}
		w.publish()
	}
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			n++
			apply(b, account.Change{After: account.Of(account.Account{ID: account.ID(fmt.Sprintf("new-%d", n)), Name: fmt.Sprintf("New %d", n), Parent: "acc-3"})})
		}
	})
	at := account.Account{ID: "acc-12", Name: "Moving", Parent: "acc-1"}
	apply(b, account.Change{Before: account.Of(at), After: account.Of(at)})
	b.Run("move a hundredth", func(b *testing.B) {
		for b.Loop() {
			before := at
			if at.Parent = "acc-2"; before.Parent == "acc-2" {
				at.Parent = "acc-1"
			}
			apply(b, account.Change{Before: account.Of(before), After: account.Of(at)})
		}
	})
	b.Run("grant", func(b *testing.B) {
		for b.Loop() {
			n++
			apply(b, account.Change{After: account.Of(account.Membership{
				Account: account.ID(fmt.Sprintf("acc-%d", n%accounts)), User: "all", Roles: []account.RoleKey{"reader"},
			})})
		}
	})
}
