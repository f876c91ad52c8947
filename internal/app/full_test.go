package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

// TestTheEnginesDiskIsFull: what is written is recorded and says that it is not in
// force, checks go on, readiness says why, and with room again all comes into force.
func TestTheEnginesDiskIsFull(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.EnginePages = 100
	cfg.ApplyWait, cfg.FreshWait = 300*time.Millisecond, 300*time.Millisecond
	var head account.Version
	t.Run("full", func(t *testing.T) {
		s := start(t, cfg)
		prepare(t, s.App)
		op := s.client("prod", "op", false, account.PortalAdmin)
		op.must("POST", "/v1/roles", obj{"key": "viewer", "permissions": []string{readSubAccounts}})
		op.must("POST", "/v1/users", obj{"id": "ada", "email": "ada@home.example", "memberships": []obj{{"account": "root", "roles": []string{"viewer"}}}})

		req := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
		applied := true
		for i := 0; applied; i++ {
			if i == 20_000 {
				t.Fatal("the engine is never full")
			}
			result, err := s.Directory.CreateAccount(t.Context(), req, directory.NewAccount{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "A", Parent: "root"})
			if err != nil {
				t.Fatal(err)
			}
			applied, head = result.Applied, result.Version
		}
		t.Logf("full at version %d", head)
		if !op.allowed("user:ada", "access", "account:root") || op.allowed("user:bob", "access", "account:root") {
			t.Error("checks should go on")
		}
		eventually(t, "a readiness that says why", func() bool {
			a := op.do("GET", "/readyz", nil)
			return a.status == 503 && strings.Contains(string(a.raw), "engine_full")
		})
		// whoever needs what is recorded to be in force is told
		op.refuse("engine_full", "POST", "/v1/accounts", obj{"id": "refused", "name": "Refused"})
		token := []string{"Consistency-Token", string(account.TokenAt("prod", head))}
		op.refuse("engine_full", "POST", "/v1/check", obj{"subject": "user:ada", "permission": "has_feature", "resource": "account:root"}, token...)
		// the index has it all the same
		a := op.must("POST", "/v1/check", obj{"subject": "user:ada", "permission": "access", "resource": "account:root"}, token...)
		if a.body["answered_by"] != "index" || a.body["allowed"] != true {
			t.Errorf("a check of what is recorded: %s", a.raw)
		}
		if now := s.head("prod"); now != head {
			t.Errorf("a write that was refused is recorded: version %d after %d", now, head)
		}
	})
	cfg.EnginePages = 0
	n := opened(t, cfg, func(a *app.App) {
		inStep(t, a, "prod")
		if reached := a.Relay.Reached("prod"); reached != head {
			t.Errorf("with room again version %d is in force, want %d", reached, head)
		}
	})
	if n != 0 {
		t.Errorf("the engine was filled anew %d times", n)
	}
}
