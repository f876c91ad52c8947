package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

const clientsPath = "/v1/environment/clients"

// credential makes a client of prod over HTTP and returns its caller.
func (w *world) credential(body obj) caller {
	w.t.Helper()
	a := w.op.must("POST", clientsPath, body)
	return caller{s: w.service, token: a.body["token"].(string)}
}

// rotate makes a new secret of a client, as the operator.
func (w *world) rotate(id string, body any) caller {
	w.t.Helper()
	a := w.op.must("POST", clientsPath+"/"+id+"/secrets", body)
	return caller{s: w.service, token: a.body["token"].(string)}
}

// TestC1_ScopesNarrowAClient: what its roles allow is not enough, for itself and in a
// user's name; what is changed counts at the next request.
func TestC1_ScopesNarrowAClient(t *testing.T) {
	w := newWorld(t, oneMachine)
	c := w.credential(obj{"id": "narrow", "roles": []string{"admin", "impersonator"}, "act_for_users": true, "scopes": []string{"check"}})
	check := obj{"subject": "user:owner", "permission": "access", "resource": "account:globex"}
	c.must("POST", "/v1/check", check)
	c.as("owner").must("POST", "/v1/check", check)
	c.as("owner").must("GET", me, nil)
	lacks := func(c caller, scope, method, path string, body any) {
		t.Helper()
		a := c.refuse("scope_missing", method, path, body)
		a.is(t, 403, "scope_missing", "")
		if got := a.header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_scope", scope="`+scope+`"`) {
			t.Errorf("%s %s: challenge %q", method, path, got)
		}
	}
	before := w.head("prod")
	for _, c := range []caller{c, c.as("owner")} {
		lacks(c, "read", "GET", "/v1/accounts/globex", nil)
		lacks(c, "write", "POST", "/v1/accounts", obj{"name": "Mine", "parent": "globex"})
		lacks(c, "admin", "GET", "/v1/journal", nil)
		lacks(c, "admin", "GET", "/v1/journal/export", nil)
		lacks(c, "admin", "GET", "/v1/journal/stream", nil)
		lacks(c, "admin", "PATCH", "/v1/environment", obj{"name": "Mine"})
		lacks(c, "admin", "PATCH", clientsPath+"/narrow", obj{"scopes": []string{"admin"}})
		lacks(c, "admin", "POST", "/v1/users/owner/impersonate", obj{"reason": "Ticket"})
	}
	if w.head("prod") != before {
		t.Error("what was refused is in the journal")
	}
	w.op.must("PATCH", clientsPath+"/narrow", obj{"scopes": []string{"read"}})
	c.must("GET", "/v1/accounts/globex", nil)
	lacks(c, "check", "POST", "/v1/check", check)
	lacks(c.as("owner"), "check", "GET", me, nil)
	w.op.must("PATCH", clientsPath+"/narrow", obj{"roles": []string{"backoffice_viewer"}, "act_for_users": false, "scopes": []string{"admin", "read"}})
	c.refuse("permission_denied", "PATCH", "/v1/environment", obj{"name": "Mine"})
	c.as("owner").refuse("may_not_act_for_users", "GET", "/v1/accounts/globex", nil)
	c.must("GET", "/v1/journal", nil)
}

// TestC2_SecretsTakeEachOthersPlace without a pause, and end when they are said to.
func TestC2_SecretsTakeEachOthersPlace(t *testing.T) {
	s, clock := clocked()
	w := newWorld(t, s)
	first := w.credential(obj{"id": "shop", "roles": []string{"admin"}})
	second := w.rotate("shop", obj{"overlap_hours": 1})
	ask := func(c caller, code string) {
		t.Helper()
		if a := c.do("GET", "/v1/environment", nil); a.code() != code {
			t.Errorf("want %q, got %d %s", code, a.status, a.raw)
		}
	}
	ask(first, "")
	ask(second, "")
	clock.move(time.Hour - time.Second)
	ask(first, "")
	clock.move(time.Second)
	ask(first, "unauthenticated")
	ask(second, "")
	third := w.rotate("shop", obj{"overlap_hours": 0})
	ask(second, "unauthenticated")
	ask(third, "")
	fourth := w.rotate("shop", nil)
	for _, id := range w.secretsOf("shop") {
		w.op.must("DELETE", clientsPath+"/shop/secrets/"+id, nil)
	}
	ask(third, "unauthenticated")
	ask(fourth, "unauthenticated")
	ask(w.rotate("shop", nil), "")
	w.op.must("DELETE", clientsPath+"/shop", nil)
	again := w.credential(obj{"id": "shop", "roles": []string{"admin"}})
	for _, c := range []caller{first, second, third, fourth} {
		ask(c, "unauthenticated")
	}
	ask(again, "")
	if n := len(w.secretsOf("shop")); n != 1 {
		t.Errorf("the new client has %d secrets", n)
	}
}

// TestC2_SecretsOfClientsAreTheirOwn: of another client, or of another environment, they do not exist.
func TestC2_SecretsOfClientsAreTheirOwn(t *testing.T) {
	w := newWorld(t, oneMachine)
	id := w.secretsOf("op")[0]
	w.op.refuse("secret_not_found", "DELETE", clientsPath+"/delegate/secrets/"+id, nil)
	w.dev.refuse("secret_not_found", "DELETE", clientsPath+"/op/secrets/"+id, nil)
	w.dev.refuse("client_not_found", "GET", clientsPath+"/delegate/secrets", nil)
	w.dev.refuse("client_not_found", "POST", clientsPath+"/delegate/secrets", nil)
	w.dev.refuse("client_not_found", "PATCH", clientsPath+"/delegate", obj{"name": "Mine"})
	w.dev.must("POST", clientsPath+"/op/secrets", obj{"overlap_hours": 0})
	w.op.must("GET", "/v1/environment", nil) // of another environment, with the same name
	w.dev.refuse("unauthenticated", "GET", "/v1/environment", nil)
}

// TestC2_NewSecretsAreInNoAnswerButTheFirst, nor their hashes; what the log says of them is when they end.
func TestC2_NewSecretsAreInNoAnswerButTheFirst(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.credential(obj{"id": "shop", "roles": []string{"admin"}})
	shown := w.rotate("shop", nil).token
	secret := shown[strings.LastIndex(shown, ".")+1:]
	kept, err := w.Store.Credential(t.Context(), "prod", "shop")
	if err != nil || len(kept.Secrets) != 2 {
		t.Fatalf("%d secrets, %v", len(kept.Secrets), err)
	}
	for _, path := range []string{clientsPath, clientsPath + "/shop", clientsPath + "/shop/secrets", "/v1/journal?limit=1000", "/v1/journal/export"} {
		if raw := string(w.op.must("GET", path, nil).raw); strings.Contains(raw, secret) || strings.Contains(strings.ToLower(raw), "hash") {
			t.Errorf("%s tells: %.300s", path, raw)
		}
	}
	entries := w.op.log("subject=client:shop")
	if diff := cmp.Diff([]string{"client.created", "client.secret_added"}, kinds(entries)); diff != "" {
		t.Error(diff)
	}
	if got := entries[1].things(); got != "client_secret" {
		t.Errorf("the entry is about %s", got)
	}
}

// TestC2_WhenClientsWereUsedIsKept: the day can be seen at the client and at the secret.
func TestC2_WhenClientsWereUsedIsKept(t *testing.T) {
	w := newWorld(t, oneMachine)
	c := w.credential(obj{"id": "shop", "roles": []string{"admin"}})
	if a := w.op.must("GET", clientsPath+"/shop", nil); a.body["last_used_at"] != nil {
		t.Errorf("before it was used: %s", a.raw)
	}
	before := w.head("prod")
	c.must("GET", "/v1/environment", nil)
	tick, deadline := time.NewTicker(10*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for w.op.must("GET", clientsPath+"/shop", nil).body["last_used_at"] == nil {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the use is not written down")
		}
	}
	if used := w.op.must("GET", clientsPath+"/shop/secrets", nil).list("secrets", "last_used_at"); len(used) != 1 || used[0] == "" {
		t.Errorf("the secret was used %v", used)
	}
	if w.head("prod") != before {
		t.Error("uses are in the journal")
	}
}

// TestE4_AClientThatMayNotImpersonateAnyMore has no session that goes on, nor one that comes back.
func TestE4_AClientThatMayNotImpersonateAnyMore(t *testing.T) {
	w := newWorld(t, oneMachine)
	session, _ := w.impersonate(w.support, "owner")
	session.must("GET", me, nil)
	w.op.must("PATCH", clientsPath+"/support", obj{"roles": []account.PortalRole{account.BackofficeEditor, account.Impersonator}})
	session.must("GET", me, nil)
	w.op.must("PATCH", clientsPath+"/support", obj{"roles": []account.PortalRole{account.BackofficeEditor}})
	session.refuse("unauthenticated", "GET", me, nil)
	w.op.must("PATCH", clientsPath+"/support", obj{"roles": []account.PortalRole{account.BackofficeEditor, account.Impersonator}})
	session.refuse("unauthenticated", "GET", me, nil)
	w.impersonate(w.support, "owner")
}
