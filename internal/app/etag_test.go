package app_test

import (
	"testing"
)

// guarded is something that has an ETag: how it is read, and a change of it.
type guarded struct {
	what          string
	get           string // "" if it has no page of its own
	method, write string
	body          func(n int) any // different for different n
}

func guardedThings() []guarded {
	name := func(n int) any { return obj{"name": string(rune('A' + n))} }
	return []guarded{
		{"account", "/v1/accounts/globex-eu", "PATCH", "/v1/accounts/globex-eu", name},
		{"move", "/v1/accounts/globex-eu-fr", "POST", "/v1/accounts/globex-eu-fr/move", func(n int) any {
			return obj{"parent": []string{"initech", "globex"}[n%2]}
		}},
		{"user", "/v1/users/owner", "PATCH", "/v1/users/owner", name},
		{"block", "/v1/users/clerk", "POST", "/v1/users/clerk/block", nil},
		{"environment", "/v1/environment", "PATCH", "/v1/environment", name},
		{"role", "", "PATCH", "/v1/roles/viewer", name},
		{"member", "", "PUT", "/v1/accounts/globex/members/viewer", func(n int) any {
			return obj{"roles": []string{[]string{"manager", "viewer"}[n%2]}}
		}},
	}
}

// TestIfMatch: a change goes through only for who has seen the newest state, if they ask for that.
func TestIfMatch(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, g := range guardedThings() {
		t.Run(g.what, func(t *testing.T) {
			op, n := w.op.in(t), 0
			next := func() any {
				if g.body == nil {
					return nil
				}
				n++
				return g.body(n - 1)
			}
			first := op.must(g.method, g.write, next())
			tag := first.header.Get("ETag")
			seen := func(want string) {
				t.Helper()
				if g.get == "" {
					return
				}
				if got := op.must("GET", g.get, nil).header.Get("ETag"); got != want {
					t.Errorf("the write said ETag %s, the read %s", want, got)
				}
			}
			seen(tag)
			if tag == "" || first.body["version"] == nil {
				t.Fatalf("no ETag: %v %s", first.header, first.raw)
			}
			head := w.head("prod")
			for _, old := range []string{`"1"`, `"999999"`} {
				op.do(g.method, g.write, next(), "If-Match", old).is(t, 412, "stale", "")
			}
			for _, bad := range []string{"1", `W/` + tag, tag + ", " + tag} {
				op.do(g.method, g.write, next(), "If-Match", bad).is(t, 422, "invalid_if_match", "If-Match")
			}
			if w.head("prod") != head {
				t.Error("a refused change is in the journal")
			}
			if g.body == nil {
				return
			}
			n = 1
			second := op.must(g.method, g.write, next(), "If-Match", tag)
			if second.header.Get("ETag") == tag {
				t.Errorf("a change left the ETag at %s", tag)
			}
			seen(second.header.Get("ETag"))
			op.do(g.method, g.write, next(), "If-Match", tag).is(t, 412, "stale", "")
			op.must(g.method, g.write, next(), "If-Match", "*")
		})
	}
}

// TestNoChangeIsNoChange: a write that leaves things as they are keeps the ETag and is not in the journal.
func TestNoChangeIsNoChange(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, g := range guardedThings() {
		t.Run(g.what, func(t *testing.T) {
			op := w.op.in(t)
			var body any
			if g.body != nil {
				body = g.body(0)
			}
			first := op.must(g.method, g.write, body)
			head := w.head("prod")
			again := op.must(g.method, g.write, body, "If-Match", first.header.Get("ETag"))
			if got, want := again.header.Get("ETag"), first.header.Get("ETag"); got != want || again.body["applied"] != true {
				t.Errorf("the ETag went from %s to %s: %s", want, got, again.raw)
			}
			if again.header.Get("Consistency-Token") == "" {
				t.Error("there is no Consistency-Token")
			}
			if g.method == "PATCH" {
				op.must("PATCH", g.write, obj{})
			}
			if w.head("prod") != head {
				t.Error("no change is in the journal")
			}
		})
	}
}

// TestIfMatch_Deletions: they are guarded as changes are, and what is gone has no ETag.
func TestIfMatch_Deletions(t *testing.T) {
	w := newWorld(t, oneMachine)
	user := w.newUser("initech", "globex")
	role := w.newRole("")
	id := w.newAccount("globex")
	member := w.grant("globex", user, obj{"roles": []string{"viewer", "manager"}})
	for _, d := range []struct{ path, tag string }{
		{"/v1/accounts/globex/members/" + user, member.header.Get("ETag")},
		{"/v1/users/" + user, w.op.must("PATCH", "/v1/users/"+user, obj{"name": "Doomed"}).header.Get("ETag")},
		{"/v1/roles/" + role, w.op.must("PATCH", "/v1/roles/"+role, obj{"name": "Doomed"}).header.Get("ETag")},
		{"/v1/accounts/" + id, w.op.must("PATCH", "/v1/accounts/"+id, obj{"name": "Doomed"}).header.Get("ETag")},
	} {
		w.op.do("DELETE", d.path, nil, "If-Match", `"1"`).is(t, 412, "stale", "")
		w.op.do("DELETE", d.path, nil, "If-Match", "1").is(t, 422, "invalid_if_match", "If-Match")
		a := w.op.must("DELETE", d.path, nil, "If-Match", d.tag)
		if a.header.Get("ETag") != "" || a.header.Get("Consistency-Token") == "" {
			t.Errorf("DELETE %s: %v", d.path, a.header)
		}
		if again := w.op.do("DELETE", d.path, nil, "If-Match", d.tag); again.status != 404 {
			t.Errorf("DELETE %s again: %d %s", d.path, again.status, again.raw)
		}
	}
	// a new member is no state that anybody has seen
	w.op.do("PUT", "/v1/accounts/globex/members/clerk", obj{"roles": []string{"viewer"}}, "If-Match", `"3"`).is(t, 412, "stale", "")
}
