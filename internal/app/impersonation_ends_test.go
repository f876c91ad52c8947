package app_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestE4_ImpersonationEnds by whoever may end it, and with everything that it stands on.
func TestE4_ImpersonationEnds(t *testing.T) {
	w := newWorld(t, oneMachine)
	boss := w.client("prod", "boss", true, account.Impersonator, account.BackofficeViewer)
	over := func(what string, c caller) {
		t.Helper()
		if a := c.do("GET", me, nil); a.code() != "unauthenticated" {
			t.Errorf("%s: %d %s", what, a.status, a.raw)
		}
	}
	begin := func(user string) (caller, string) {
		t.Helper()
		c, id := w.impersonate(boss, user)
		c.must("GET", me, nil)
		return c, "/v1/impersonations/" + id
	}

	c, path := begin("owner")
	w.support.refuse("permission_denied", "DELETE", path, nil)     // another impersonator
	w.as("owner").refuse("permission_denied", "DELETE", path, nil) // the user
	boss.as("owner").refuse("permission_denied", "DELETE", path, nil)
	other, _ := begin("viewer")
	other.refuse("permission_denied", "DELETE", path, nil) // another session of the same operator
	boss.must("DELETE", path, nil)
	over("ended by the operator", c)
	boss.refuse("impersonation_not_found", "DELETE", "/v1/impersonations/imp_x", nil)
	other.refuse("permission_denied", "DELETE", "/v1/impersonations/imp_x", nil)
	w.op.refuse("impersonation_not_found", "DELETE", path, nil)
	c, path = begin("owner")
	w.op.must("DELETE", path, nil)
	over("ended by an editor", c)

	// U5: a block ends it at once, and what the block ended stays ended
	c, _ = begin("viewer")
	w.op.must("POST", "/v1/users/viewer/block", nil)
	over("the user is blocked", c)
	w.op.must("POST", "/v1/users/viewer/unblock", nil)
	over("the user was blocked", c)

	user := w.newUser("lobby")
	c, _ = begin(user)
	w.op.must("DELETE", "/v1/users/"+user, nil)
	over("the user is deleted", c)
	w.user(w.op, user, []obj{{"account": "lobby", "roles": []string{"viewer"}}})
	over("another user has the id", c)

	leaver, place := w.fresh("user"), w.newAccount("")
	w.user(w.op, leaver, []obj{{"account": place, "roles": []string{"viewer"}}})
	c, _ = begin(leaver)
	w.op.must("DELETE", "/v1/accounts/"+place+"?delete_users=true", nil)
	w.user(w.op, leaver, []obj{{"account": "lobby", "roles": []string{"viewer"}}})
	over("the user went with an account", c)

	c, _ = begin("owner")
	w.op.must("DELETE", "/v1/environment/clients/boss", nil)
	over("the operator is revoked", c)
	boss = w.client("prod", "boss", true, account.Impersonator, account.BackofficeViewer)
	over("another operator has the id", c)
	boss.must("GET", "/v1/impersonations", nil)
}

// TestU5_BlockedUsersAreOutAtTheNextRequest: with tokens that were issued before.
func TestU5_BlockedUsersAreOutAtTheNextRequest(t *testing.T) {
	w := newWorld(t, oneMachine)
	for range 10 {
		user := w.newUser("globex-eu")
		session, _ := w.impersonate(w.support, user)
		acting := w.as(user)
		session.must("GET", me, nil)
		acting.must("GET", me, nil)
		w.op.must("POST", "/v1/users/"+user+"/block", nil)
		acting.refuse("user_blocked", "GET", me, nil)
		session.refuse("unauthenticated", "GET", me, nil)
		w.support.refuse("user_blocked", "POST", "/v1/users/"+user+"/impersonate", obj{"reason": "Ticket"})
	}
}

// TestE4_RunningImpersonationsAreListed: in pages, for who may view the back office; and are not too many.
func TestE4_RunningImpersonationsAreListed(t *testing.T) {
	w := newWorld(t, oneMachine)
	var begun []string
	for range directory.MaxSessions {
		_, id := w.impersonate(w.support, "owner")
		begun = append(begun, id)
	}
	own := begun[0]
	w.support.refuse("too_many_impersonations", "POST", "/v1/users/owner/impersonate", obj{"reason": "Ticket"})
	boss := w.client("prod", "boss", false, account.Impersonator, account.BackofficeViewer)
	_, id := w.impersonate(boss, "viewer")
	begun = append(begun, id)
	slices.Sort(begun)
	var listed []string
	for cursor := ""; ; {
		a := boss.must("GET", "/v1/impersonations?limit=20&cursor="+cursor, nil)
		listed = append(listed, a.list("impersonations", "id")...)
		if a.body["total"] != float64(len(begun)) {
			t.Errorf("total: %v", a.body["total"])
		}
		next, more := a.body["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	if diff := cmp.Diff(begun, listed); diff != "" {
		t.Error(diff)
	}
	w.support.must("DELETE", "/v1/impersonations/"+own, nil)
	if got := w.dev.must("GET", "/v1/impersonations", nil); got.body["total"] != float64(0) {
		t.Errorf("dev sees %s", got.raw)
	}
}

// TestE4_SessionsSurviveARestart: the key is kept, and so are those who act.
func TestE4_SessionsSurviveARestart(t *testing.T) {
	config := oneMachine.make(t)
	config.PublicURL = "https://tenantry.example" // its own address is another one after the restart
	var token, robot string
	t.Run("before", func(t *testing.T) {
		s := oneMachine
		s.make = func(testing.TB) app.Config { return config }
		w := newWorld(t, s)
		session, _ := w.impersonate(w.support, "owner")
		token, robot = session.token, w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}}).token
		caller{s: w.service, token: robot}.must("GET", me, nil)
	})
	s := start(t, config)
	caller{s: s, token: token}.must("GET", me, nil)
	caller{s: s, token: robot}.must("GET", me, nil)
}
