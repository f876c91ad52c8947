package app_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

// TestA2_NoCycleUnderConcurrency: of two moves that would close a cycle
// together exactly one succeeds, fifty times at once.
func TestA2_NoCycleUnderConcurrency(t *testing.T) {
	const rounds = 50
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			name := func(side string, round int) string { return fmt.Sprintf("%s-%d", side, round) }
			for i := range rounds {
				w.account(w.op, name("a", i), "")
				w.account(w.op, name("b", i), "")
			}
			answers := atOnce(t, 2*rounds, func(i int) (answer, error) {
				from, to := "a", "b"
				if i%2 == 1 {
					from, to = to, from
				}
				return w.op.try("POST", "/v1/accounts/"+name(from, i/2)+"/move", obj{"parent": name(to, i/2)})
			})
			for i := range rounds {
				one, other := answers[2*i], answers[2*i+1]
				if one.status != 200 {
					one, other = other, one
				}
				if one.status != 200 || other.status != 409 || other.code() != "hierarchy_cycle" {
					t.Errorf("round %d: %d %s and %d %s", i, one.status, one.raw, other.status, other.raw)
				}
			}
			w.isATree(t)
		})
	}
}

// isATree follows every account up to its root.
func (w *world) isATree(t *testing.T) {
	t.Helper()
	parents := map[string]string{}
	for _, item := range w.op.must("GET", "/v1/accounts?limit=1000", nil).body["accounts"].([]any) {
		item := item.(map[string]any)
		parent, _ := item["parent"].(string)
		parents[item["id"].(string)] = parent
	}
	for id := range parents {
		at, steps := id, 0
		for ; at != ""; steps++ {
			up, there := parents[at]
			if !there {
				t.Errorf("%s hangs below %s, which is not there", id, at)
				break
			}
			if steps > len(parents) {
				t.Errorf("%s is in a cycle", id)
				break
			}
			at = up
		}
	}
	w.inStep(t)
}

// TestParallelCreationsOfOneID: one of them wins, and the others are told so.
func TestParallelCreationsOfOneID(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			member := []obj{{"account": "globex", "roles": []string{"viewer"}}}
			for _, c := range []struct {
				path, code string
				body       func(i int) obj
			}{
				{"/v1/accounts", "account_exists", func(i int) obj { return obj{"id": "same", "name": fmt.Sprint("By ", i)} }},
				{"/v1/users", "user_exists", func(i int) obj {
					return obj{"id": "same", "email": fmt.Sprintf("by%d@example.com", i), "memberships": member}
				}},
				{"/v1/users", "email_taken", func(int) obj { return obj{"email": "same@example.com", "memberships": member} }},
				{"/v1/roles", "role_exists", func(int) obj { return obj{"key": "same", "permissions": []string{}} }},
				{"/v1/environment/clients", "client_exists", func(int) obj { return obj{"id": "same", "roles": []string{"backoffice_viewer"}} }},
			} {
				before := w.head("prod")
				won := 0
				for _, a := range atOnce(t, 16, func(i int) (answer, error) { return w.op.try("POST", c.path, c.body(i)) }) {
					if a.status == 201 {
						won++
					} else if a.code() != c.code {
						t.Errorf("%s: want %s, got %d %s", c.path, c.code, a.status, a.raw)
					}
				}
				if won != 1 || w.head("prod") != before+1 {
					t.Errorf("%s: %d creations won, with %d entries in the journal", c.path, won, w.head("prod")-before)
				}
			}
		})
	}
}

// TestA5_NoOrphans: an account is deleted or gets a child, whoever comes first.
func TestA5_NoOrphans(t *testing.T) {
	const rounds = 25
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			for i := range rounds {
				w.account(w.op, fmt.Sprintf("top-%d", i), "")
			}
			answers := atOnce(t, 2*rounds, func(i int) (answer, error) {
				top := fmt.Sprintf("top-%d", i/2)
				if i%2 == 0 {
					return w.op.try("DELETE", "/v1/accounts/"+top, nil)
				}
				return w.op.try("POST", "/v1/accounts", obj{"id": "below-" + top, "name": "Below", "parent": top})
			})
			for i := range rounds {
				deleted, created := answers[2*i], answers[2*i+1]
				switch {
				case deleted.status == 200 && created.code() == "account_not_found":
				case created.status == 201 && deleted.code() == "account_has_children":
				default:
					t.Errorf("round %d: deleted %d %s, created %d %s", i, deleted.status, deleted.raw, created.status, created.raw)
				}
			}
			w.isATree(t)
		})
	}
}

// TestWritersSeeTheirOwnWrites: 32 writers at once, each checking what it wrote
// with the token of the write; and the journal has every version once.
func TestWritersSeeTheirOwnWrites(t *testing.T) {
	const writers = 32
	for _, s := range []struct {
		shape
		writes int // of each writer
	}{{oneMachine, 8}, {manyMachines(t), 8}} {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s.shape)
			users := make([]string, writers)
			for i := range users {
				users[i] = w.newUser("initech")
			}
			var done sync.WaitGroup
			problems := make([]string, writers)
			for i, user := range users {
				done.Go(func() { problems[i] = w.writeAndCheck(user, s.writes) })
			}
			done.Wait()
			for _, p := range problems {
				if p != "" {
					t.Error(p)
				}
			}
			w.journalIsWhole(t)
			w.inStep(t)
		})
	}
}

// writeAndCheck makes a user a member of globex and ends that again, and returns what went wrong.
func (w *world) writeAndCheck(user string, writes int) string {
	for n := range writes {
		member := n%2 == 0
		method, body := "DELETE", any(nil)
		if member {
			method, body = "PUT", obj{"roles": []string{"viewer"}, "sub_account_access": true}
		}
		a, err := w.op.try(method, "/v1/accounts/globex/members/"+user, body)
		if err != nil || a.status != 200 {
			return fmt.Sprintf("%s, write %d: %v %d %s", user, n, err, a.status, a.raw)
		}
		question := obj{"subject": "user:" + user, "permission": "access", "resource": "account:globex-eu-fr"}
		seen, err := w.op.try("POST", "/v1/check", question, "Consistency-Token", a.header.Get("Consistency-Token"))
		if err != nil || seen.body["allowed"] != member {
			return fmt.Sprintf("%s, write %d is not seen with its own token: %v %d %s", user, n, err, seen.status, seen.raw)
		}
	}
	return ""
}

// journalIsWhole reads the journal in pages: every version is there, once and in order.
func (w *world) journalIsWhole(t *testing.T) {
	t.Helper()
	var versions []account.Version
	for more := true; more; {
		after := account.Version(0)
		if n := len(versions); n > 0 {
			after = versions[n-1]
		}
		page := w.op.must("GET", fmt.Sprintf("/v1/journal?limit=100&after=%d", after), nil)
		for _, e := range page.body["entries"].([]any) {
			versions = append(versions, account.Version(e.(map[string]any)["version"].(float64)))
		}
		more = page.body["more"].(bool)
	}
	for i, v := range versions {
		if v != account.Version(i+1) {
			t.Fatalf("entry %d of the journal has version %d", i+1, v)
		}
	}
	if n := account.Version(len(versions)); n != w.head("prod") {
		t.Errorf("the journal has %d entries and stands at %d", n, w.head("prod"))
	}
}

// TestW1_ListsUnderWrites: while the tree changes, no page has an account twice, and what does not change is never missing.
func TestW1_ListsUnderWrites(t *testing.T) {
	w := newWorld(t, oneMachine)
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			id := fmt.Sprintf("passing-%d", i)
			if _, err = w.op.try("POST", "/v1/accounts", obj{"id": id, "name": strings.Repeat("z", i%5) + "G", "parent": "globex"}); err == nil {
				_, err = w.op.try("DELETE", "/v1/accounts/"+id, nil)
			}
		}
		done <- err
	}()
	for range 40 {
		var ids []string
		for cursor, more := "", true; more; {
			a := w.op.must("GET", "/v1/users/owner/accounts?limit=1&cursor="+cursor, nil)
			ids = append(ids, a.list("accounts", "id")...)
			cursor, more = a.body["next_cursor"].(string)
		}
		slices.Sort(ids)
		if len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("an account is there twice: %v", ids)
		}
		for _, id := range []string{"globex", "globex-eu", "globex-eu-fr"} {
			if !slices.Contains(ids, id) {
				t.Errorf("%s is missing: %v", id, ids)
			}
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWhatIsListedCanBeRead: an account that an operator sees in a list is there for
// them at once, even if its creation is being brought into force at that moment.
func TestWhatIsListedCanBeRead(t *testing.T) {
	const accounts = 60
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			created := make(chan error, 1)
			go func() {
				for i := range accounts {
					if a, err := w.op.try("POST", "/v1/accounts", obj{"id": fmt.Sprint("listed-", i), "name": "Listed"}); err != nil || a.status != 201 {
						created <- fmt.Errorf("%w %s", err, a.raw)
						return
					}
				}
				created <- nil
			}()
			seen := map[string]bool{}
			for len(seen) < accounts+3 { // globex, initech and lobby besides
				for _, id := range w.op.must("GET", "/v1/accounts?limit=1000&roots=true", nil).list("accounts", "id") {
					if !seen[id] {
						w.op.must("GET", "/v1/accounts/"+id, nil)
					}
					seen[id] = true
				}
				select {
				case err := <-created:
					if err != nil {
						t.Fatal(err)
					}
					created <- nil
				default:
				}
			}
		})
	}
}
