package app_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
)

// testClock is set by hand.
type testClock struct{ at atomic.Int64 }

// newTestClock stands at a time long from now, so that nothing can be right by the machine's clock.
func newTestClock() *testClock {
	c := &testClock{}
	c.at.Store(time.Date(2040, 2, 29, 23, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *testClock) now() time.Time       { return time.UnixMicro(c.at.Load()).UTC() }
func (c *testClock) move(d time.Duration) { c.at.Add(d.Microseconds()) }

// timed is a world on one machine that goes by a clock of the test's.
func timed(t *testing.T) (*world, *testClock) {
	t.Helper()
	clock := newTestClock()
	return furnished(t, app.Config{DataDir: t.TempDir(), Now: clock.now}), clock
}

// everywhere is what a member of globex with sub-account access opens.
var everywhere = []string{"globex", "globex-eu", "globex-eu-fr"}

// holds sees whether a user has the rights of an administrator in the branch of globex: in checks, in the
// lists, in what is read in their name, and in what is written in their name.
func (w *world) holds(t *testing.T, when, user string, want bool) {
	t.Helper()
	for _, id := range everywhere {
		for _, permission := range []string{"access", readSubAccounts, "create_sub_account"} {
			if got := w.op.allowed("user:"+user, permission, "account:"+id); got != want {
				t.Errorf("%s: %s of %s at %s is %v", when, permission, user, id, got)
			}
		}
	}
	var open []string
	if want {
		open = everywhere
	}
	for what, list := range map[string][]string{
		"the list": w.op.sorted(user), "the list by permission": w.op.reach(user, "permission="+readSubAccounts),
		"their own list": w.as(user).must("GET", "/v1/me/accounts", nil).list("accounts", "id"),
	} {
		slices.Sort(list)
		if !slices.Equal(list, open) {
			t.Errorf("%s: %s of %s is %v", when, what, user, list)
		}
	}
	before := w.head("prod")
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/accounts/globex-eu/tree", nil},
		{"GET", "/v1/accounts/globex-eu/members", nil},
		{"PATCH", "/v1/accounts/globex-eu-fr", obj{"name": w.fresh("Name")}},
		{"PUT", "/v1/accounts/globex-eu-fr/members/" + user, obj{"roles": []string{"viewer"}, "expires_at": "2040-02-29T23:00:01Z"}},
	} {
		if code := w.as(user).do(r.method, r.path, r.body).code(); (code != "permission_denied") != want {
			t.Errorf("%s: %s %s of %s: %q", when, r.method, r.path, user, code)
		}
	}
	if wrote := w.head("prod") != before; wrote != want {
		t.Errorf("%s: %s wrote: %v", when, user, wrote)
	}
}

// TestU6_AccessEndsAtTheSecond: everywhere, without anybody's doing, and without an entry in the journal.
func TestU6_AccessEndsAtTheSecond(t *testing.T) {
	w, clock := timed(t)
	user := w.fresh("user")
	ends := clock.now().Add(time.Hour)
	w.user(w.op, user, []obj{{"account": "globex", "roles": []string{"admin"}, "sub_account_access": true, "expires_at": ends}})

	w.holds(t, "at the beginning", user, true)
	clock.move(time.Hour - time.Microsecond)
	w.holds(t, "just before the end", user, true)
	before := w.head("prod")
	clock.move(time.Microsecond)
	w.holds(t, "at the end", user, false)
	clock.move(100 * 24 * time.Hour)
	w.holds(t, "long after", user, false)
	if n := w.head("prod") - before; n != 0 {
		t.Errorf("%d entries of the journal", n)
	}
	member := w.op.must("GET", "/v1/accounts/globex/members?q="+user, nil).body["members"].([]any)
	if len(member) != 1 || member[0].(map[string]any)["expires_at"] != ends.Format(time.RFC3339) {
		t.Errorf("the membership is still there to see: %v", member)
	}
	w.inStep(t)
}

// TestU6_Prolonged before its end and after it, shortened, and made to last.
func TestU6_Prolonged(t *testing.T) {
	w, clock := timed(t)
	user, begin := w.fresh("user"), clock.now()
	until := func(hours float64) obj {
		body := obj{"account": "globex", "roles": []string{"admin"}, "sub_account_access": true}
		if hours > 0 {
			body["expires_at"] = begin.Add(time.Duration(hours * float64(time.Hour)))
		}
		return body
	}
	put := func(hours float64) answer {
		body := until(hours)
		delete(body, "account")
		return w.op.do("PUT", "/v1/accounts/globex/members/"+user, body)
	}
	at := func(hours float64) { clock.at.Store(begin.Add(time.Duration(hours * float64(time.Hour))).UnixMicro()) }
	w.user(w.op, user, []obj{until(1)})

	at(0.5)
	put(2)
	at(1.5)
	w.holds(t, "prolonged before the end", user, true)
	at(2)
	w.holds(t, "at the later end", user, false)
	put(1.9).is(t, 422, "expiry_past", "expires_at")
	if a := put(2); a.status != 200 {
		t.Errorf("the end that it had, again: %s", a.raw)
	}
	w.holds(t, "not prolonged", user, false)
	put(3)
	w.holds(t, "prolonged after the end", user, true)
	at(2.25)
	put(2.5)
	w.holds(t, "shortened, before the end", user, true)
	at(2.5)
	w.holds(t, "shortened, at the end", user, false)
	put(0)
	at(100_000)
	w.holds(t, "for good", user, true)
	put(100_001)
	at(100_001)
	w.holds(t, "ended after all", user, false)
	w.inStep(t)
}

// TestU6_ANewMembershipAfterTheEnd: removed and given again, and the user made anew.
func TestU6_ANewMembershipAfterTheEnd(t *testing.T) {
	w, clock := timed(t)
	user := w.newUser("initech")
	grant := obj{"roles": []string{"viewer"}, "sub_account_access": true, "expires_at": clock.now().Add(time.Second)}
	w.grant("globex", user, grant)
	opens := func(what string, want bool) {
		t.Helper()
		w.opens(t, user, "globex-eu-fr", want)
		w.inStep(t)
		if t.Failed() {
			t.Fatal(what)
		}
	}
	opens("before", true)
	clock.move(time.Second)
	opens("ended", false)
	w.op.must("DELETE", "/v1/accounts/globex/members/"+user, nil)
	opens("removed", false)
	grant["expires_at"] = clock.now().Add(time.Minute)
	w.grant("globex", user, grant)
	opens("again", true)
	clock.move(time.Minute)
	opens("ended again", false)
	w.op.must("DELETE", "/v1/users/"+user, nil)
	w.user(w.op, user, []obj{{"account": "globex", "roles": []string{"viewer"}, "sub_account_access": true}})
	opens("made anew", true)
}

// TestU6_ThroughTheModes: what always_on gives, and what is kept from it, ends with the membership; one
// that has ended gives nothing when the mode changes, and has kept the access if it is prolonged.
func TestU6_ThroughTheModes(t *testing.T) {
	w, clock := timed(t)
	top, child := w.branch(always)
	until := func(d time.Duration) obj {
		return obj{"roles": []string{"viewer"}, "expires_at": clock.now().Add(d)}
	}
	first, second := w.newUser("initech"), w.newUser("initech")
	w.grant(top, first, until(time.Minute))
	w.grant(top, second, until(time.Hour))
	w.opens(t, first, child, true)
	clock.move(time.Minute)
	w.opens(t, first, child, false)
	w.opens(t, second, child, true)

	w.mode(top, off)
	w.opens(t, first, child, false)
	w.opens(t, second, child, true)
	w.inStep(t)
	clock.move(time.Hour - time.Minute)
	w.opens(t, second, child, false)
	for _, user := range []string{first, second} {
		w.grant(top, user, until(time.Hour))
		w.opens(t, user, child, true)
	}
	w.mode(top, always)
	clock.move(time.Hour)
	for _, user := range []string{first, second} {
		w.opens(t, user, child, false)
		w.opens(t, user, top, false)
	}
	w.inStep(t)
}

// TestU6_OverAStart: what ends while nothing runs has ended when it runs again, and what ends later still ends.
func TestU6_OverAStart(t *testing.T) {
	clock := newTestClock()
	cfg := app.Config{DataDir: t.TempDir(), Now: clock.now}
	var op caller
	member := func(id string, d time.Duration) {
		op.must("POST", "/v1/users", obj{"id": id, "email": id + "@example.com", "memberships": []obj{
			{"account": "globex", "roles": []string{"viewer"}, "sub_account_access": true, "expires_at": clock.now().Add(d)},
		}})
	}
	t.Run("before", func(t *testing.T) {
		w := furnished(t, cfg)
		op = w.op
		member("soon", time.Minute)
		member("late", time.Hour)
		w.opens(t, "soon", "globex-eu", true)
	})
	clock.move(time.Minute)
	w := &world{service: start(t, cfg)}
	catchUp(t, w.service)
	op.s, w.op = w.service, caller{s: w.service, token: op.token}
	w.opens(t, "soon", "globex-eu", false)
	w.opens(t, "late", "globex-eu", true)
	clock.move(time.Hour)
	w.opens(t, "late", "globex-eu", false)
	w.inStep(t)
}

// TestU6_AnAPITokenEnds as a membership does.
func TestU6_AnAPITokenEnds(t *testing.T) {
	w, clock := timed(t)
	ends := clock.now().Add(time.Minute)
	w.plant(account.Change{After: account.Of(account.APIToken{
		ID: "robot", Account: "globex", Name: "Robot", Roles: []account.RoleKey{"viewer"}, BranchAccess: account.GrantedAccess, ExpiresAt: &ends,
		CreatedBy: account.Actor{Environment: "prod", System: true}, CreatedAt: clock.now(),
	})})
	catchUp(t, w.service)
	for _, want := range []bool{true, false} {
		for _, id := range everywhere {
			if got := w.op.allowed("api_token:robot", readSubAccounts, "account:"+id); got != want {
				t.Errorf("at %s: %s is %v", clock.now(), id, got)
			}
		}
		clock.move(time.Minute)
	}
}
