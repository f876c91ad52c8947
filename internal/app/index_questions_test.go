package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
)

// TestIndex_SaysWhatTheEngineSays asks every name that checks take, on accounts and the environment, for every kind of
// subject, of the service with its index and of its engine alone.
func TestIndex_SaysWhatTheEngineSays(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.indexed()
	long := strings.Repeat("L", 64)
	w.account(w.op, long, "globex-eu-fr")
	w.user(w.op, "same", []obj{{"account": long, "roles": []string{"manager"}, "sub_account_access": true}})
	w.client("prod", "same", true, account.EntitlementsEditor) // another kind of the same id
	w.giveToken("globex", "same", account.GrantedAccess, nil, "admin")
	w.user(w.op, long, []obj{{"account": "lobby", "roles": []string{"viewer", "greeter"}, "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}})
	w.op.must("PATCH", "/v1/accounts/globex-eu", obj{"sub_account_management": false})
	subjects := []string{
		"user:owner", "user:viewer", "user:banned", "user:euadmin", "user:clerk", "user:outsider", "user:same", "user:" + long, "user:op", "user:nobody",
		"api_token:same", "api_token:owner", "api_token:nobody", "operator:same", "operator:op", "operator:support", "operator:delegate", "operator:owner", "operator:nobody",
	}
	for i, role := range account.PortalRoles()[1:5] {
		id := fmt.Sprint("officer", i)
		w.client("prod", account.ClientID(id), false, role)
		subjects = append(subjects, "operator:"+id)
	}
	names := []string{
		"access", "create_sub_account", "update_account", "delete_account", "move_account", "delegate_sub_account_management", "set_sub_account_management",
		"environment", "assignment", "parent", "sub_account_management", "has_feature", "plan_feature", "nonsense",
	}
	for _, p := range w.Directory.Catalogue().Permissions {
		names = append(names, p.Relation, string(p.Key))
	}
	b := newTellers(t, w.service, time.Now)
	for _, s := range subjects {
		for _, name := range names {
			var questions []access.Question
			for _, id := range []string{"globex", "globex-eu", "globex-eu-fr", "initech", "lobby", "nowhere", long} {
				questions = append(questions, access.Question{Subject: s, Permission: name, Resource: "account:" + id})
			}
			b.same(t, questions)
		}
		for _, name := range []string{
			"manage_security", "edit_backoffice", "view_backoffice", "edit_entitlements", "view_entitlements", "impersonate", "act_for_users",
			"blocked", "admin", "delegate", "sub_accounts_enabled", "applied", "read_users",
		} {
			b.same(t, []access.Question{{Subject: s, Permission: name, Resource: "environment:prod"}})
		}
	}
	b.wereBoth(t)
}

// same asks questions of both, and compares all but the words of faults.
func (b *tellers) same(t *testing.T, questions []access.Question) {
	t.Helper()
	system := account.Actor{Environment: "prod", System: true}
	mixed, err := b.mixed.Check(t.Context(), system, questions, 0)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := b.engine.Check(t.Context(), system, questions, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.note(string(mixed.By))
	b.note(string(engine.By))
	for i, m := range mixed.Items {
		if e := engine.Items[i]; m.Allowed != e.Allowed || m.Conditional != e.Conditional || (m.Err == nil) != (e.Err == nil) {
			t.Errorf("%+v: %+v by the %s; the engine alone says %+v", questions[i], m, mixed.By, e)
		}
	}
}

// TestIndex_KnowingMoreKeepsNobodyFromTheEngine: while the engine is behind what the index knows, questions
// that only the engine answers are answered as of what it has, as without the index.
func TestIndex_KnowingMoreKeepsNobodyFromTheEngine(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.ApplyWait = 100 * time.Millisecond
	relay := holdRelay(&cfg)
	w := furnished(t, cfg)
	w.op.must("POST", "/v1/features", obj{"key": "reports", "name": "Reports"})
	w.indexed()
	relay.hold()
	defer relay.release()
	if a := w.op.do("PATCH", "/v1/accounts/initech", obj{"name": "Recorded"}); a.status != 202 {
		t.Fatalf("a change that is not in force is answered with %d %s", a.status, a.raw)
	}
	eventually(t, "the index has it", func() bool {
		got := w.op.must("GET", "/v1/users/outsider/accounts", nil)
		return got.list("accounts", "name")[0] == "Recorded" && got.body["answered_by"] == "index"
	})
	for permission, by := range map[string]string{"feature:reports": "engine", "sub_account_management": "engine", "access": "index"} {
		if got, _ := w.op.answeredBy("user:owner", permission, "account:globex"); got != by {
			t.Errorf("%s is answered by %s; want %s", permission, got, by)
		}
	}
	w.op.must("GET", "/v1/users/owner/accounts?permission=feature:reports", nil)
}
