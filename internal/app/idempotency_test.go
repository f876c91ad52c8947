package app_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// TestRepeatsGetTheFirstAnswer: a creation with an Idempotency-Key happens once.
func TestRepeatsGetTheFirstAnswer(t *testing.T) {
	w := newWorld(t, oneMachine)
	member := []obj{{"account": "globex", "roles": []string{"viewer"}}}
	for _, c := range []struct {
		path        string
		body, other obj
	}{
		{"/v1/accounts", obj{"name": "Once", "parent": "globex"}, obj{"name": "Twice", "parent": "globex"}},
		{"/v1/accounts", obj{"id": "chosen", "name": "Once"}, obj{"id": "chosen", "name": "Once", "sub_account_management": true}},
		{"/v1/users", obj{"email": "once@example.com", "memberships": member}, obj{"email": "once@example.com", "name": "Twice", "memberships": member}},
		{"/v1/roles", obj{"key": "once", "permissions": []string{}}, obj{"key": "twice", "permissions": []string{}}},
	} {
		t.Run(c.path, func(t *testing.T) {
			op := w.op.in(t)
			key := []string{"Idempotency-Key", w.fresh("key")}
			before := w.head("prod")
			first := op.must("POST", c.path, c.body, key...)
			if w.head("prod") != before+1 {
				t.Fatalf("the journal went from %d to %d", before, w.head("prod"))
			}
			// the thing changes in between; the repeat tells what was then
			if id, ok := first.body["id"].(string); ok && c.path == "/v1/accounts" {
				op.must("PATCH", "/v1/accounts/"+id, obj{"name": "Renamed"})
			}
			before = w.head("prod")
			again := op.must("POST", c.path, c.body, key...)
			if diff := cmp.Diff(first.body, again.body); diff != "" || first.status != again.status {
				t.Errorf("the repeat is answered otherwise, %d and %d:\n%s", first.status, again.status, diff)
			}
			for _, h := range []string{"ETag", "Consistency-Token"} {
				if first.header.Get(h) != again.header.Get(h) || first.header.Get(h) == "" {
					t.Errorf("%s is %q at first and %q then", h, first.header.Get(h), again.header.Get(h))
				}
			}
			op.do("POST", c.path, c.other, key...).is(t, 409, "idempotency_key_reused", "Idempotency-Key")
			if w.head("prod") != before {
				t.Errorf("repeats are in the journal: %d to %d", before, w.head("prod"))
			}
		})
	}
}

// TestAKeyBelongsToWhoChoseIt: others use the same key for what they like, on what they like.
func TestAKeyBelongsToWhoChoseIt(t *testing.T) {
	w := newWorld(t, oneMachine)
	second := w.client("prod", "second", false, account.PortalAdmin)
	key := []string{"Idempotency-Key", "monday"}
	ids := map[string]bool{}
	callers := []caller{w.op, second, w.as("owner"), w.as("euadmin"), w.dev}
	for i, c := range callers {
		a := c.must("POST", "/v1/accounts", obj{"name": fmt.Sprint("Of caller ", i), "parent": "globex-eu"}, key...)
		ids[a.body["id"].(string)] = true
	}
	if len(ids) != len(callers) {
		t.Errorf("%d callers made %d accounts", len(callers), len(ids))
	}
	// one key, two operations
	w.op.refuse("idempotency_key_reused", "POST", "/v1/roles", obj{"key": "monday", "permissions": []string{}}, key...)
	// what was refused used up no key
	bad := []string{"Idempotency-Key", "tuesday"}
	w.op.refuse("missing_name", "POST", "/v1/accounts", obj{"name": ""}, bad...)
	w.op.refuse("account_not_found", "POST", "/v1/accounts", obj{"name": "X", "parent": "no-such"}, bad...)
	w.op.must("POST", "/v1/accounts", obj{"name": "X"}, bad...)
	// who has lost the right does not get the answer again
	w.op.must("DELETE", "/v1/users/owner", nil)
	w.user(w.op, "owner", []obj{{"account": "globex", "roles": []string{"viewer"}}})
	w.as("owner").refuse("permission_denied", "POST", "/v1/accounts", obj{"name": "Of caller 2", "parent": "globex-eu"}, key...)
}

// TestRepeatsAtTheSameTime: twenty repeats at once make one account.
func TestRepeatsAtTheSameTime(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			before := w.head("prod")
			answers := atOnce(t, 20, func(int) (answer, error) {
				return w.op.try("POST", "/v1/accounts", obj{"name": "Once", "parent": "globex"}, "Idempotency-Key", "at once")
			})
			for _, a := range answers {
				if a.status != 201 || a.body["id"] != answers[0].body["id"] {
					t.Errorf("got %d %s", a.status, a.raw)
				}
			}
			if after := w.head("prod"); after != before+1 {
				t.Errorf("the journal went from %d to %d", before, after)
			}
		})
	}
}

// atOnce sends n requests at the same time; the answers are in their order.
func atOnce(t testing.TB, n int, send func(i int) (answer, error)) []answer {
	t.Helper()
	answers, errs := make([]answer, n), make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			answers[i], errs[i] = send(i)
		})
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return answers
}
