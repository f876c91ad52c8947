package app_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/schema"
)

// tellers are a service's answers, and those of its engine alone.
type tellers struct {
	mixed, engine *access.Service
	seen          map[any]int // how many answers there were, by who gave them
}

func newTellers(t testing.TB, s *service, now func() time.Time) *tellers {
	t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		t.Fatal(err)
	}
	plain := access.New(s.Engine.Conn(), s.Relay, s.Store, catalogue, access.Config{FreshWait: 20 * time.Second, Now: now})
	return &tellers{mixed: s.Access, engine: plain, seen: map[any]int{}}
}

func (b *tellers) note(by any) { b.seen[by]++ }

// agree compares one list of the accounts that a user may open, page by page, of both.
func (b *tellers) agree(t *rapid.T, env account.EnvironmentID, user string) {
	system := account.Actor{Environment: env, System: true}
	f := access.Filter{
		Query:      rapid.SampledFrom([]string{"", "", "a", "1", "HOME"}).Draw(t, "query"),
		Permission: rapid.SampledFrom([]string{"", "", readSubAccounts, writeUsers}).Draw(t, "permission"),
		Sort:       rapid.SampledFrom([]access.Sort{access.ByTree, access.ByName, access.ByDate}).Draw(t, "sort"),
		Limit:      rapid.IntRange(1, 4).Draw(t, "limit"),
	}
	for {
		reach := map[bool]access.Reach{}
		for alone, s := range map[bool]*access.Service{false: b.mixed, true: b.engine} {
			found, err := s.Accounts(t.Context(), system, access.Subject{User: account.UserID(user)}, f, 0)
			if err != nil {
				t.Fatalf("%+v of %s: %v", f, user, err)
			}
			reach[alone] = found
		}
		b.note(string(reach[false].By))
		if diff := cmp.Diff(reach[true], reach[false], sameReach); diff != "" || reach[true].By != access.ByEngine {
			t.Fatalf("%+v of %s: (-engine alone +index)\n%s", f, user, diff)
		}
		if f.Cursor = reach[false].Next; f.Cursor == "" {
			break
		}
	}
	ids := map[bool]access.Reach{}
	for alone, s := range map[bool]*access.Service{false: b.mixed, true: b.engine} {
		found, err := s.AccountIDs(t.Context(), system, access.Subject{User: account.UserID(user)}, access.Filter{Query: f.Query, Permission: f.Permission, Sort: f.Sort}, 0)
		if err != nil {
			t.Fatalf("%+v of %s: %v", f, user, err)
		}
		ids[alone] = found
	}
	if diff := cmp.Diff(ids[true], ids[false], sameReach); diff != "" {
		t.Fatalf("ids of %+v of %s: (-engine alone +index)\n%s", f, user, diff)
	}
}

// agreeOnOpeners compares who can open an account.
func (b *tellers) agreeOnOpeners(t *rapid.T, env account.EnvironmentID, id string) {
	system := account.Actor{Environment: env, System: true}
	f := access.OpenersFilter{Account: account.ID(id), Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
	for {
		pages := map[bool]access.Openers{}
		for alone, s := range map[bool]*access.Service{false: b.mixed, true: b.engine} {
			found, err := s.Openers(t.Context(), system, f, 0)
			if err != nil {
				t.Fatalf("%+v: %v", f, err)
			}
			pages[alone] = found
		}
		same := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(access.Openers{}, "By", "Last")}
		if diff := cmp.Diff(pages[true], pages[false], same); diff != "" {
			t.Fatalf("%+v: (-engine alone +index)\n%s", f, diff)
		}
		if f.After = pages[false].Last; !pages[false].More {
			return
		}
	}
}

var sameReach = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(access.Reach{}, "By")}

// wereBoth fails unless both the index and the engine have answered.
func (b *tellers) wereBoth(t *testing.T) {
	t.Helper()
	t.Logf("answers: %v", b.seen)
	if b.seen[string(access.ByIndex)] == 0 || b.seen[string(access.ByEngine)] == 0 {
		t.Errorf("the answers came from %v; want both", b.seen)
	}
}
