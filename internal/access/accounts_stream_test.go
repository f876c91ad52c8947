package access

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/switcher"
)

// member is a directory of one user.
type member struct {
	known
	head account.Version
	gone bool
	ends *time.Time
}

func (m *member) Read(_ context.Context, _ account.EnvironmentID, fn func(directory.Reader) error) error {
	return fn(m)
}

func (m *member) Head(context.Context) (account.Version, error) { return m.head, nil }

func (m *member) User(context.Context, account.UserID) (account.Versioned[account.User], error) {
	if m.gone {
		return account.Versioned[account.User]{}, fault.New(fault.NotFound, "user_not_found", "gone")
	}
	return account.Versioned[account.User]{}, nil
}

func (m *member) MembershipsOf(context.Context, account.UserID) ([]account.Membership, error) {
	return []account.Membership{{Account: "globex", ExpiresAt: m.ends}, {Account: "initech"}}, nil
}

// watched is a watch without an index, of a journal at version 5.
func watched(t *testing.T) (*ListWatch, *member) {
	t.Helper()
	names := &member{head: 5}
	s := New(&counting{}, &reached{version: 5}, names, nil, Config{})
	w, err := s.WatchAccounts(t.Context(), account.Actor{Environment: "prod", User: "ada"}, Subject{User: "ada"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return w, names
}

// look looks if that is due, and reports whether the list is to be loaded anew.
func look(t *testing.T, w *ListWatch) bool {
	t.Helper()
	if !w.Due() {
		return false
	}
	news, err := w.Look(t.Context())
	if err != nil || news.By != ByEngine || !news.Changes.Empty() || news.None() == news.Reload {
		t.Fatalf("%+v, %v", news, err)
	}
	return news.Reload
}

// TestW1_WithoutTheIndexAMovedJournalIsAReload, once every ten seconds at most, and nothing is forgotten meanwhile.
func TestW1_WithoutTheIndexAMovedJournalIsAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, names := watched(t)
		for second, want := range []bool{false, true, false, false, false, false, false, false, false, false, false, true, false, false} {
			if second == 1 || second == 3 || second == 5 {
				names.head++
			}
			if got := look(t, w); got != want {
				t.Errorf("after %d s: reload is %t", second, got)
			}
			<-time.After(time.Second)
		}
		<-time.After(time.Hour)
		if look(t, w) {
			t.Error("a reload, and nothing happened")
		}
		<-time.After(lookEvery)
		names.head = 2 // a backup was restored
		if !look(t, w) {
			t.Error("another journal is no reload")
		}
	})
}

// absent is an index that does not answer, and goes on.
type absent struct{ Index }

func (absent) Now(account.EnvironmentID) (*switcher.View, error) {
	return nil, fault.New(fault.Unavailable, "index_withdrawn", "out of service")
}

func (a absent) View(context.Context, account.EnvironmentID, account.Version) (*switcher.View, error) {
	return a.Now("")
}

func (absent) Next(account.EnvironmentID) <-chan struct{} {
	woken := make(chan struct{})
	close(woken)
	return woken
}

// When the index goes away all who listen have to load their lists anew: each within ten seconds, and not all at once.
func TestW1_ReloadsAreSpreadWhenTheIndexGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watches := make([]*ListWatch, 200)
		for i := range watches {
			w, _ := watched(t)
			w.service.cfg.Index = absent{}
			w.view = &switcher.View{}
			watches[i] = w
			if news, err := w.Look(t.Context()); err != nil || news.Reload || w.Next() != nil {
				t.Fatalf("%+v, %v; a reload at once, or woken by an index that does not answer", news, err)
			}
		}
		reloads, most := 0, 0
		for range reloadEvery / time.Second {
			<-time.After(time.Second)
			now := 0
			for _, w := range watches {
				if look(t, w) {
					now++
				}
			}
			reloads, most = reloads+now, max(most, now)
		}
		if reloads != len(watches) || most > len(watches)/3 {
			t.Errorf("%d of %d lists are loaded anew, %d of them in one second", reloads, len(watches), most)
		}
	})
}

func TestU6_WithoutTheIndexAnExpiryIsAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, names := watched(t)
		ends := time.Now().Add(time.Minute)
		names.ends, names.head = &ends, 6
		if !look(t, w) {
			t.Fatal("the membership is no reload")
		}
		<-time.After(time.Minute - time.Nanosecond)
		if look(t, w) {
			t.Error("before it ends")
		}
		<-time.After(time.Nanosecond)
		if !look(t, w) || look(t, w) {
			t.Error("its end is one reload")
		}
		if news := w.Since(6); !news.Reload {
			t.Error("who comes again may not know of the end")
		}
	})
}

// TestW1_WhoComesAgain loads the list anew if anything was written meanwhile.
func TestW1_WhoComesAgain(t *testing.T) {
	w, _ := watched(t)
	if news := w.Since(5); !news.None() || news.Version != 5 {
		t.Errorf("nothing has happened: %+v", news)
	}
	if news := w.Since(4); !news.Reload || news.Version != 5 {
		t.Errorf("something has happened: %+v", news)
	}
}

func TestW1_NobodyWatchesTheListOfAUserWhoIsGone(t *testing.T) {
	w, names := watched(t)
	names.gone, names.head = true, 6
	if news, err := w.Look(t.Context()); err != nil || !news.Gone || !news.Reload {
		t.Errorf("%+v, %v", news, err)
	}
	actor := account.Actor{Environment: "prod", User: "ada"}
	for code, ask := range map[string]struct {
		actor account.Actor
		whose Subject
	}{
		"user_not_found":    {actor, Subject{User: "ada"}},
		"permission_denied": {actor, Subject{User: "bob"}},
		"outside_account":   {account.Actor{Environment: "prod", User: "ada", Account: "globex"}, Subject{User: "ada"}},
	} {
		if _, err := w.service.WatchAccounts(t.Context(), ask.actor, ask.whose, 0); !fault.HasCode(err, code) {
			t.Errorf("want %s, got %v", code, err)
		}
	}
}
