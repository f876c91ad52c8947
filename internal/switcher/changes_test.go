package switcher

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/account"
)

// changes is how two lists differ, by the naive model of each.
func (c compared) changes(before compared, who Subject) Changes {
	now, then := c.n.list(Query{Who: who}, c.now), before.n.list(Query{Who: who}, before.now)
	find := func(all []account.Reachable, id account.ID) (account.Reachable, bool) {
		i := slices.IndexFunc(all, func(r account.Reachable) bool { return r.ID == id })
		if i < 0 {
			return account.Reachable{}, false
		}
		return all[i], true
	}
	var out Changes
	for _, r := range now {
		was, listed := find(then, r.ID)
		if !listed {
			out.Gained = append(out.Gained, r)
			continue
		}
		if was.Name != r.Name {
			out.Renamed = append(out.Renamed, r)
		}
		if was.Parent != r.Parent {
			out.Moved = append(out.Moved, r)
		}
	}
	for _, r := range then {
		if _, still := find(now, r.ID); !still {
			out.Lost = append(out.Lost, r.ID)
		}
	}
	return out
}

// nextExpiry is when the next of the memberships ends, and whether some have ended, by the naive model.
func (c compared) nextExpiry(who Subject) (next time.Time, ended bool) {
	for _, m := range c.n.holdings(who) {
		switch {
		case m.ExpiresAt == nil:
		case !m.ExpiresAt.After(c.now):
			ended = true
		case next.IsZero() || m.ExpiresAt.Before(next):
			next = *m.ExpiresAt
		}
	}
	return next, ended
}

func (c compared) since(before compared) {
	for _, who := range append(c.subjects(), before.subjects()...) {
		want := c.changes(before, who)
		total := len(want.Gained) + len(want.Lost) + len(want.Renamed) + len(want.Moved)
		most := rapid.SampledFrom([]int{0, 1, 3, 1000, 1000}).Draw(c.t, "most")
		if total > most {
			want = Changes{More: true}
		}
		got := c.view.Changes(before.view, who, most)
		if diff := cmp.Diff(want, got, sameReachable); diff != "" || got.Empty() != (total == 0) {
			c.t.Fatalf("%v from %d to %d, at most %d: (-want +got)\n%s", who, before.view.Version(), c.view.Version(), most, diff)
		}
		next, ended := c.nextExpiry(who)
		if got, is := c.view.NextExpiry(who); is == next.IsZero() || is && !got.Equal(next) || c.view.Ended(who) != ended {
			c.t.Fatalf("%v: the next membership ends %v (%t), some have ended %t; want %v, %t", who, got, is, c.view.Ended(who), next, ended)
		}
	}
}

// TestChangesAreWhatTheListsDifferIn holds what is said to have changed between any two versions, and
// times, of random histories against the naive lists of both; also over a load of the index.
func TestChangesAreWhatTheListsDifferIn(t *testing.T) {
	m := testModel(t)
	rapid.Check(t, func(t *rapid.T) {
		h := &history{t: t, n: newNaive()}
		w := newWriter("prod", m.bits)
		made := w.publish()
		var kept []compared
		for range rapid.IntRange(2, 25).Draw(t, "entries") {
			switch rapid.IntRange(0, 19).Draw(t, "step") {
			case 0: // only the time is another
			case 1:
				made = snapshot(t, m, h.n, h.version)
				w = writerOf(t, m, h)
			default:
				if err := w.apply(h.entry()); err != nil {
					t.Fatal(err)
				}
				made = w.publish()
			}
			now := start.Add(time.Duration(rapid.IntRange(-1, 61).Draw(t, "now")) * time.Second)
			kept = append(kept, compared{t: t, view: made.view(m, now), n: h.n.clone(), now: now})
		}
		for i := 1; i < len(kept); i++ {
			kept[i].since(kept[i-1])
		}
		for range 10 {
			i, j := rapid.IntRange(0, len(kept)-1).Draw(t, "now"), rapid.IntRange(0, len(kept)-1).Draw(t, "then")
			kept[i].since(kept[j])
		}
	})
}

// TestAMoveOfWholeChunksIsAChange: an account may come below another although its place in the order of
// the tree, or the chunk that it begins, stays as it was.
func TestAMoveOfWholeChunksIsAChange(t *testing.T) {
	w := newWriter("prod", testModel(t).bits)
	step := func(changes ...account.Change) *View {
		t.Helper()
		if err := w.apply(account.Entry{Version: w.version + 1, Changes: changes}); err != nil {
			t.Fatal(err)
		}
		return w.publish().view(testModel(t), start)
	}
	top := account.Account{ID: "top", Name: "Top"}
	child := account.Account{ID: "child", Name: "Z", Parent: "top"}
	before := step(
		account.Change{After: account.Of(top)}, account.Change{After: account.Of(child)},
		account.Change{After: account.Of(account.Role{Key: "r"})}, account.Change{After: account.Of(account.User{ID: "ada"})},
		account.Change{After: account.Of(account.Membership{Account: "top", User: "ada", Roles: []account.RoleKey{"r"}})},
		account.Change{After: account.Of(account.Membership{Account: "child", User: "ada", Roles: []account.RoleKey{"r"}})},
	)
	out := child
	out.Parent = ""
	now := step(account.Change{Before: account.Of(child), After: account.Of(out)})
	if c := now.Changes(before, Subject{User, "ada"}, 10); len(c.Moved) != 1 || c.Moved[0].ID != "child" || c.Moved[0].Parent != "" {
		t.Errorf("%+v", c)
	}
	if c := now.Changes(now, Subject{User, "ada"}, 10); !c.Empty() {
		t.Errorf("since itself: %+v", c)
	}
}

// writerOf is a writer that goes on from a history as it stands.
func writerOf(t *rapid.T, m *model, h *history) *writer {
	l := newLoader("prod", m.bits)
	for _, e := range h.n.entities() {
		if err := l.add(e); err != nil {
			t.Fatal(err)
		}
	}
	w, err := l.finish(h.version)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// BenchmarkListChanges is what a stream looks at when an account of an environment of 100,000 is
// renamed: one with nothing below it, and one with 11,111, which takes another place in the tree.
func BenchmarkListChanges(b *testing.B) {
	for what, i := range map[string]int{"leaf": 99_999, "branch": 5} {
		w, m := orchard(b, 100_000)
		before := w.publish()
		at, ok := before.accounts.find(account.ID(fmt.Sprintf("acc-%d", i)))
		if !ok {
			b.Fatal("there is no such account")
		}
		first := account.Account{ID: before.accounts.id(at), Name: before.accounts.name(at), Parent: before.accounts.id(before.accounts.parent(at))}
		last := first
		last.Name = "Zz"
		if err := w.apply(account.Entry{Version: 2, Changes: []account.Change{{Before: account.Of(first), After: account.Of(last)}}}); err != nil {
			b.Fatal(err)
		}
		then, now := before.view(m, start), w.publish().view(m, start)
		for who, renamed := range map[string]int{"all": 1, "hundredth": 0, "scattered": 0} {
			b.Run(what+"/"+who, func(b *testing.B) {
				for b.Loop() {
					if c := now.Changes(then, Subject{User, who}, 100); len(c.Renamed) != renamed {
						b.Fatal(c)
					}
				}
			})
		}
	}
}
