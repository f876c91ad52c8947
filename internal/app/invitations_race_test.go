package app_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
)

// TestI1_OnlyOneAcceptsALink, however many try at once; and a withdrawal comes before or after, never between.
func TestI1_OnlyOneAcceptsALink(t *testing.T) {
	w := newInviting(t, oneMachine)
	at := func(n int, send func(i int) answer) (won int, others map[string]int) {
		others = map[string]int{}
		answers := make([]answer, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { answers[i] = send(i) })
		}
		all.Wait()
		for _, a := range answers {
			if a.status == 200 {
				won++
			} else {
				others[a.code()]++
			}
		}
		return won, others
	}
	const atOnce = 12 // fewer than one address may have under way without a credential
	for round := range 3 {
		email := fmt.Sprintf("many%d@new.example", round)
		_, token := w.invite("globex-eu", offer(email))
		before := w.head("prod")
		won, others := at(atOnce, func(int) answer {
			a, err := w.nobody().try("POST", "/v1/invitations/accept", obj{"token": token})
			if err != nil {
				t.Error(err)
			}
			return a
		})
		if won != 1 || others["invitation_invalid"] != atOnce-1 || w.head("prod") != before+1 {
			t.Errorf("%d of %d have accepted, others: %v, %d entries", won, atOnce, others, w.head("prod")-before)
		}
		if users := w.op.must("GET", "/v1/users?q="+email, nil); users.body["total"] != 1.0 {
			t.Errorf("users: %s", users.raw)
		}
	}
	for round := range 8 {
		email := fmt.Sprintf("race%d@new.example", round)
		path, token := w.invite("globex-eu", offer(email))
		won, others := at(2, func(i int) answer {
			c, method, body := w.nobody(), "POST", any(obj{"token": token})
			target := "/v1/invitations/accept"
			if i == 1 {
				c, method, target, body = w.op, "DELETE", path, nil
			}
			a, err := c.try(method, target, body)
			if err != nil {
				t.Error(err)
			}
			return a
		})
		accepted := w.op.must("GET", "/v1/users?q="+email, nil).body["total"] == 1.0
		if won != 1 || accepted != (others["invitation_not_found"] == 1) {
			t.Errorf("round %d: %d have won, accepted %t, others: %v", round, won, accepted, others)
		}
	}
}

// TestI1_ReplicasSendEachLetterOnce: several servers on one directory share its queue.
func TestI1_ReplicasSendEachLetterOnce(t *testing.T) {
	mail := mailServer(t)
	file := databaseFile(t)
	first := start(t, app.Config{DataDir: t.TempDir(), Database: file, Mail: through(mail)})
	second := start(t, app.Config{DataDir: t.TempDir(), Database: file, Mail: through(mail)})
	first.environment("prod")
	op := first.client("prod", "op", false, account.PortalAdmin)
	op.must("PATCH", "/v1/environment", obj{"invitation_url": acceptPage})
	op.must("POST", "/v1/roles", obj{"key": "viewer", "permissions": []string{readUsers}})
	op.must("POST", "/v1/accounts", obj{"id": "home", "name": "Home"})
	const n = 20
	for i := range n {
		if i%2 == 1 {
			op.s = second
		} else {
			op.s = first
		}
		op.must("POST", invitations("home"), offer(fmt.Sprintf("p%d@new.example", i)))
	}
	mail.Await(n)
	eventually(t, "an empty queue", func() bool {
		waiting, err := first.Store.LettersWaiting(t.Context())
		return err == nil && waiting == 0
	})
	to := map[string]int{}
	for _, l := range mail.Letters() {
		to[l.To[0]]++
	}
	if len(to) != n || len(mail.Letters()) != n {
		t.Errorf("%d letters to %d addresses: %v", len(mail.Letters()), len(to), to)
	}
}
