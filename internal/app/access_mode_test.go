package app_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// branch makes an account with the mode, a child below it, and returns both.
func (w *world) branch(mode string) (top, child string) {
	w.t.Helper()
	top = w.newAccount("")
	child = w.newAccount(top)
	w.mode(top, mode)
	return top, child
}

func (w *world) mode(id, mode string) {
	w.t.Helper()
	w.op.must("PATCH", "/v1/accounts/"+id, obj{"sub_account_access": mode})
}

// join makes a new person a member; asked is "", "true" or "false".
func (w *world) join(id, asked string) (user string, a answer) {
	w.t.Helper()
	user = w.newUser("initech")
	return user, w.set(id, user, asked)
}

func (w *world) set(id, user, asked string, roles ...string) answer {
	w.t.Helper()
	if len(roles) == 0 {
		roles = []string{"viewer"}
	}
	body := obj{"roles": roles}
	if asked != "" {
		body["sub_account_access"] = asked == "true"
	}
	return w.op.do("PUT", "/v1/accounts/"+id+"/members/"+user, body)
}

// opens checks whether a user opens an account and reads its sub-accounts, by check and by list.
func (w *world) opens(t testing.TB, user, id string, want bool) {
	t.Helper()
	for _, permission := range []string{"access", readSubAccounts} {
		if got := w.op.allowed("user:"+user, permission, "account:"+id); got != want {
			t.Errorf("%s at %s for %s: %v, want %v", permission, id, user, got, want)
		}
	}
	in := len(w.op.reach(user, "under="+id)) > 0
	if in != want {
		t.Errorf("%s is in the list of %s: %v, want %v", id, user, in, want)
	}
}

// TestS3_ModeAndWhatIsAsked: for new and present members, what the mode gives and what may be chosen.
func TestS3_ModeAndWhatIsAsked(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, c := range []struct {
		mode, asked string
		present     string // what a present member has: "with" or "without"; "" is a new member
		code        string // of the refusal
		want        bool   // the member opens the branch
		own         bool   // by access of their own
	}{
		{mode: "default_off", asked: "", want: false},
		{mode: "default_off", asked: "true", want: true, own: true},
		{mode: "default_off", asked: "false", want: false},
		{mode: "default_on", asked: "", want: true, own: true},
		{mode: "default_on", asked: "true", want: true, own: true},
		{mode: "default_on", asked: "false", want: false},
		{mode: "always_on", asked: "", want: true},
		{mode: "always_on", asked: "true", want: true},
		{mode: "always_on", asked: "false", code: "always_on"},

		{mode: "default_off", present: "without", asked: "", want: false},
		{mode: "default_off", present: "without", asked: "true", want: true, own: true},
		{mode: "default_off", present: "without", asked: "false", want: false},
		{mode: "default_off", present: "with", asked: "", want: true, own: true},
		{mode: "default_off", present: "with", asked: "true", want: true, own: true},
		{mode: "default_off", present: "with", asked: "false", want: false},
		{mode: "default_on", present: "without", asked: "", want: false},
		{mode: "default_on", present: "without", asked: "true", want: true, own: true},
		{mode: "default_on", present: "without", asked: "false", want: false},
		{mode: "default_on", present: "with", asked: "", want: true, own: true},
		{mode: "default_on", present: "with", asked: "true", want: true, own: true},
		{mode: "default_on", present: "with", asked: "false", want: false},
		{mode: "always_on", present: "without", asked: "", want: true},
		{mode: "always_on", present: "without", asked: "true", want: true},
		{mode: "always_on", present: "without", asked: "false", code: "always_on", want: true},
		{mode: "always_on", present: "with", asked: "", want: true, own: true},
		{mode: "always_on", present: "with", asked: "true", want: true, own: true},
		{mode: "always_on", present: "with", asked: "false", code: "always_on", want: true, own: true},
	} {
		t.Run(fmt.Sprintf("%s, %s member asks %q", c.mode, c.present, c.asked), func(t *testing.T) {
			top, child := w.branch("default_off")
			user := w.newUser("initech")
			if c.present != "" {
				w.set(top, user, map[string]string{"with": "true", "without": "false"}[c.present])
			}
			w.mode(top, c.mode)
			a := w.set(top, user, c.asked)
			if c.code != "" {
				a.is(t, 409, c.code, "sub_account_access")
			} else if a.status != 200 || a.body["sub_account_access"] != c.own || a.body["applied"] != true {
				t.Errorf("access of their own is to be %v: %d %s", c.own, a.status, a.raw)
			}
			w.opens(t, user, child, c.want)
			w.opens(t, user, top, c.present != "" || c.code == "")
		})
	}
}

// TestS4_ChangingTheMode: it touches nobody who is there, but that always_on covers all and leaves them what they had.
func TestS4_ChangingTheMode(t *testing.T) {
	w := newWorld(t, oneMachine)
	top, child := w.branch("default_off")
	plain, _ := w.join(top, "")
	granted, _ := w.join(top, "true")

	w.mode(top, "default_on")
	w.opens(t, plain, child, false)
	byDefault, _ := w.join(top, "")
	w.mode(top, "default_off")
	w.opens(t, byDefault, child, true)
	w.opens(t, plain, child, false)

	for round := range 2 { // always_on and back, twice
		later, _ := w.join(top, "")
		w.opens(t, later, child, false)
		w.mode(top, "always_on")
		during, _ := w.join(top, "")
		for _, user := range []string{plain, granted, byDefault, later, during} {
			w.opens(t, user, child, true)
			w.set(top, user, "false").is(t, 409, "always_on", "sub_account_access")
		}
		w.mode(top, []string{"default_off", "default_on"}[round])
		for _, user := range []string{plain, granted, byDefault, later, during} {
			w.opens(t, user, child, true)
		}
		// what was kept can be taken away, and is a grant of its own
		if a := w.set(top, later, "false"); a.status != 200 || a.body["sub_account_access"] != false {
			t.Errorf("taking away what was kept: %d %s", a.status, a.raw)
		}
		w.opens(t, later, child, false)
		w.opens(t, during, child, true)
		w.mode(top, "default_off")
		after, _ := w.join(top, "")
		w.opens(t, after, child, false)
		w.opens(t, later, child, false)
	}
}

// TestS4_RolesAndReturns: what was kept goes with every role that the member gets later, and is gone with the membership.
func TestS4_RolesAndReturns(t *testing.T) {
	w := newWorld(t, oneMachine)
	top, child := w.branch("always_on")
	user, _ := w.join(top, "")
	w.mode(top, "default_off")

	const invite = "fe.secure.invite.users"
	if w.op.allowed("user:"+user, invite, "account:"+child) {
		t.Error("a viewer invites")
	}
	if a := w.set(top, user, "", "viewer", "manager"); a.body["kept_from_always_on"] != true {
		t.Errorf("a second role drops what was kept: %s", a.raw)
	}
	if !w.op.allowed("user:"+user, invite, "account:"+child) {
		t.Error("a role given after the grant does not hold below")
	}
	w.set(top, user, "", "manager")
	w.op.must("DELETE", "/v1/accounts/"+top+"/members/"+user, nil)
	w.opens(t, user, child, false)
	w.set(top, user, "") // back again, as a new member
	w.opens(t, user, top, true)
	w.opens(t, user, child, false)

	w.mode(top, "always_on")
	w.opens(t, user, child, true)
	w.op.must("DELETE", "/v1/accounts/"+top+"/members/"+user, nil)
	w.opens(t, user, child, false)
	w.mode(top, "default_off")
	w.set(top, user, "")
	w.opens(t, user, child, false)
}

// TestS5_Sources: the list says at which account each access comes from, and how.
func TestS5_Sources(t *testing.T) {
	w := newWorld(t, oneMachine)
	// a (kept) > b (grant) > c (always_on) > d (direct) > e
	path := []string{"a", "b", "c", "d", "e"}
	for i, id := range path {
		parent := ""
		if i > 0 {
			parent = path[i-1]
		}
		w.account(w.op, id, parent)
	}
	user := w.newUser("initech")
	w.mode("a", "always_on")
	w.mode("c", "always_on")
	w.set("a", user, "", "viewer")
	w.mode("a", "default_off")
	w.set("b", user, "true", "manager", "viewer")
	w.set("c", user, "", "manager")
	w.set("d", user, "false", "viewer")

	type source struct{ Account, Via, Roles string }
	want := map[string][]source{
		"initech": {{"initech", "direct", "[viewer]"}},
		"a":       {{"a", "direct", "[viewer]"}},
		"b":       {{"b", "direct", "[manager viewer]"}, {"a", "kept", "[viewer]"}},
		"c":       {{"c", "direct", "[manager]"}, {"b", "grant", "[manager viewer]"}, {"a", "kept", "[viewer]"}},
		"d":       {{"d", "direct", "[viewer]"}, {"c", "always_on", "[manager]"}, {"b", "grant", "[manager viewer]"}, {"a", "kept", "[viewer]"}},
		"e":       {{"c", "always_on", "[manager]"}, {"b", "grant", "[manager viewer]"}, {"a", "kept", "[viewer]"}},
	}
	got := map[string][]source{}
	for _, item := range w.op.must("GET", "/v1/users/"+user+"/accounts", nil).body["accounts"].([]any) {
		item := item.(map[string]any)
		for _, s := range item["sources"].([]any) {
			s := s.(map[string]any)
			got[item["id"].(string)] = append(got[item["id"].(string)], source{s["account"].(string), s["via"].(string), fmt.Sprint(s["roles"])})
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}
