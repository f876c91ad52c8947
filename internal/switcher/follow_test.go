package switcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// large is a journal whose answers have room for one entry that is large, as the directory's.
type large struct{ *journal }

func (j large) Entries(ctx context.Context, env account.EnvironmentID, after account.Version, limit int) ([]account.Entry, error) {
	found, err := j.journal.Entries(ctx, env, after, limit)
	for i, e := range found {
		if strings.HasPrefix(e.ID, "large") {
			return found[:i+1], err
		}
	}
	return found, err
}

// userEntry makes a user.
func userEntry(version account.Version, entry, id string) account.Entry {
	return account.Entry{
		Environment: "prod", Version: version, ID: entry, Changes: []account.Change{{After: account.Of(account.User{ID: account.UserID(id)})}},
	}
}

func (j *journal) adds(e account.Entry) {
	after := j.at(j.head()).clone()
	u := e.Changes[0].After.User
	after.users[u.ID] = *u
	j.append(e, after)
}

func TestWhatFollowsALargeEntryIsRead(t *testing.T) {
	j, _ := newJournal()
	x := runningOn(t, large{j})
	for i := range 4 {
		j.adds(userEntry(account.Version(2+i), fmt.Sprintf("large_%d", i), fmt.Sprintf("user%d", i)))
		x.Expect("prod", j.head())
		if !at(t, x, j.head()).Knows(Subject{User, fmt.Sprintf("user%d", i)}) {
			t.Errorf("user%d is not known", i)
		}
	}
}

// TestAnotherEntryOfTheSameVersionIsNoticed: a backup was restored, and as much written since, between two looks.
func TestAnotherEntryOfTheSameVersionIsNoticed(t *testing.T) {
	j, _ := newJournal()
	x := running(t, j)
	j.adds(userEntry(2, "ent_2", "gone"))
	x.Expect("prod", 2)
	if !at(t, x, 2).Knows(Subject{User, "gone"}) {
		t.Fatal("the user is not known")
	}
	j.mu.Lock()
	j.entries, j.states = slices.Clone(j.entries[:1]), slices.Clone(j.states[:1])
	j.mu.Unlock()
	j.adds(userEntry(2, "other_2", "back"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		changed := x.Next("prod")
		if v, err := x.Now("prod"); err == nil && v.Knows(Subject{User, "back"}) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("the index goes on with a journal that is not there any more")
		}
	}
}

func TestWornSetsOfRolesAreForgotten(t *testing.T) {
	m := testModel(t)
	w := newWriter("prod", m.bits)
	apply := func(changes ...account.Change) error {
		if err := w.apply(account.Entry{Version: w.version + 1, Changes: changes}); err != nil {
			t.Fatal(err)
		}
		w.publish()
		return w.isWorn()
	}
	for i := range 100 {
		role := account.Role{Key: account.RoleKey(fmt.Sprintf("r%d", i))}
		if err := apply(account.Change{After: account.Of(role)}); err != nil {
			t.Fatal(err)
		}
	}
	_ = apply(account.Change{After: account.Of(account.Account{ID: "a", Name: "A"})}, account.Change{After: account.Of(account.User{ID: "u"})})
	member := account.Membership{Account: "a", User: "u", Roles: []account.RoleKey{"r0", "r1"}}
	_ = apply(account.Change{After: account.Of(member)})
	for i := range 100 {
		for k := range i {
			next := member
			next.Roles = []account.RoleKey{account.RoleKey(fmt.Sprintf("r%d", k)), account.RoleKey(fmt.Sprintf("r%d", i))}
			if err := apply(account.Change{Before: account.Of(member), After: account.Of(next)}); err != nil {
				return // it is loaded anew, which forgets them
			}
			member = next
		}
	}
	t.Errorf("%d sets are kept for one membership", w.roles.sets.Len())
}

// An index that comes to where the journal was, time and again, is worth waiting for, although the journal is always a little ahead.
func TestWhoKeepsUpIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := newJournal()
		x := runningOn(t, j)
		at(t, x, 1)
		f := newFollower(x, "beside")
		for version := account.Version(1); version < 100; version++ {
			f.expect(version + 1)
			f.publish(&state{version: version})
			<-time.After(tooLate / 10)
			if f.isLate() {
				t.Fatalf("at version %d it is late", version)
			}
		}
		<-time.After(tooLate)
		f.expect(110)
		if !f.isLate() {
			t.Error("it stands still, and is not late")
		}
		f.publish(&state{version: 105})
		if f.isLate() {
			t.Error("it goes on, and is late")
		}
		f.publish(&state{version: 110})
		<-time.After(2 * tooLate)
		if f.isLate() {
			t.Error("it has all, and is late")
		}
	})
}

// another is a journal that an index cannot be made of.
type another struct {
	*journal
	loads atomic.Int64
}

func (j *another) Reaching(context.Context, account.EnvironmentID, func(account.Entity) error, func(account.Membership) error) (account.Version, error) {
	j.loads.Add(1)
	return 0, outOfStep("nothing fits")
}

func TestLoadsThatDoNotHelpAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole, _ := newJournal()
		j := &another{journal: whole}
		x := runningOn(t, j)
		<-time.After(time.Hour)
		if n := j.loads.Load(); n < 12 || n > 30 {
			t.Errorf("%d loads in an hour, where each takes the database's time", n)
		}
		if _, err := x.Now("prod"); err == nil {
			t.Error("it answers")
		}
	})
}
