package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

// steps collects the versions that came into force, in the order in which they did.
type steps struct {
	mu    sync.Mutex
	order []account.Version
}

func (s *steps) note(step relay.Step, version account.Version) {
	if step == relay.AfterSave {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.order = append(s.order, version)
	}
}

func (s *steps) versions() []account.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// eventually waits for a condition, asked again and again until a deadline.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain for: " + what)
		case <-tick.C:
		}
	}
}

// TestSpiceDBStopsInTheMiddleOfWrites: while SpiceDB is away no write is a plain
// success, no question for it is answered, the index goes on, and when it returns all that was recorded comes
// into force, in order.
func TestSpiceDBStopsInTheMiddleOfWrites(t *testing.T) {
	spice := testspice.Start(t, testpg.Database(t))
	var applied steps
	s := start(t, app.Config{
		Database: testpg.Database(t), Remote: remote(spice),
		ApplyWait: 300 * time.Millisecond, FreshWait: 300 * time.Millisecond, OnStep: applied.note,
	})
	s.environment("prod")
	op := s.client("prod", "op", false, account.PortalAdmin)
	op.must("POST", "/v1/accounts", obj{"id": "root", "name": "Root", "sub_account_management": true})

	// writers over HTTP, while SpiceDB is killed under them
	type outcome struct {
		id     string
		status int
		plain  bool // said to be in force
	}
	outcomes := make(chan outcome, 400)
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("h%d-%d", w, i)
				a, err := op.try("POST", "/v1/accounts", obj{"id": id, "name": id, "parent": "root"})
				if err != nil {
					t.Errorf("the server should always answer: %v", err)
					return
				}
				outcomes <- outcome{id, a.status, a.body["applied"] == true}
			}
		})
	}
	eventually(t, "some writes", func() bool { return len(outcomes) > 10 })
	spice.Kill()
	before := len(outcomes)
	eventually(t, "writes while SpiceDB is away", func() bool { return len(outcomes) >= before+8 })
	close(stop)
	writers.Wait()

	// away for certain: what only the engine answers fails closed, the index goes on, writes that are recorded say that they are not in force
	if a := op.do("POST", "/v1/check", obj{"subject": "user:ada", "permission": "has_feature", "resource": "account:root"}); a.status != 503 {
		t.Errorf("a check by the engine while SpiceDB is away: %d %s", a.status, a.raw)
	}
	if a := op.do("POST", "/v1/check", obj{"subject": "operator:op", "permission": "access", "resource": "account:root"}); a.status != 200 || a.body["answered_by"] != "index" || a.body["allowed"] != true {
		t.Errorf("a check by the index while SpiceDB is away: %d %s", a.status, a.raw)
	}
	if a := op.do("GET", "/readyz", nil); a.status != 503 {
		t.Errorf("readyz while SpiceDB is away: %d %s", a.status, a.raw)
	}
	if a := op.do("GET", "/healthz", nil); a.status != 200 {
		t.Errorf("healthz while SpiceDB is away: %d", a.status)
	}
	system := directory.Request{Actor: account.Actor{Environment: "prod", System: true}}
	for i := range 5 {
		result, err := s.Directory.CreateAccount(t.Context(), system, directory.NewAccount{ID: account.ID(fmt.Sprintf("away%d", i)), Name: "away", Parent: "root"})
		if err != nil || result.Applied {
			t.Errorf("a write while SpiceDB is away: applied %t, %v", result.Applied, err)
		}
	}

	spice.Restart()
	head, err := s.Store.Head(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Relay.InForce(ctx, "prod", head); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readiness", func() bool { return op.do("GET", "/readyz", nil).status == 200 })

	counts := map[int]int{}
	close(outcomes)
	for o := range outcomes {
		counts[o.status]++
		exists := op.do("GET", "/v1/accounts/"+o.id, nil).status == 200
		switch {
		case o.status == 201 && !o.plain, o.status == 202 && o.plain:
			t.Errorf("%s: status %d says applied %t", o.id, o.status, o.plain)
		case (o.status == 201 || o.status == 202) && !exists:
			t.Errorf("%s was acknowledged with %d and is lost", o.id, o.status)
		case o.status != 201 && o.status != 202 && o.status != 503:
			t.Errorf("%s: status %d", o.id, o.status)
		}
	}
	t.Logf("answers by status: %v", counts)
	if order := applied.versions(); !slices.IsSorted(order) || len(slices.Compact(order)) != len(order) {
		t.Errorf("versions came into force in the order %v", order)
	}
	if kept, token, err := s.Store.Position(ctx, "prod", s.Engine.Name()); err != nil || kept != head || token == "" {
		t.Errorf("the kept position is %d with token %q (%v), want %d", kept, token, err, head)
	}
	result, err := s.Relay.Reconcile(ctx, "prod", true, nil)
	if err != nil || !result.Drift.Empty() {
		t.Errorf("afterwards: %v %+v", err, result.Drift)
	}
}

// TestSpiceDBIsAwayAtTheStart: the server starts, says that it is not ready, and is when SpiceDB comes.
func TestSpiceDBIsAwayAtTheStart(t *testing.T) {
	spice := testspice.Start(t, testpg.Database(t))
	spice.Kill()
	s := start(t, app.Config{Database: testpg.Database(t), Remote: remote(spice), ApplyWait: 100 * time.Millisecond})
	s.environment("prod")
	op := s.client("prod", "op", false, account.PortalAdmin)
	if a := op.do("GET", "/readyz", nil); a.status != 503 {
		t.Errorf("readyz: %d %s", a.status, a.raw)
	}
	spice.Restart()
	eventually(t, "readiness", func() bool { return op.do("GET", "/readyz", nil).status == 200 })
	op.must("POST", "/v1/accounts", obj{"id": "root", "name": "Root"})
}

// TestReplicasSeeEachOthersWrites: a write through one replica is seen through
// the other at once by who sends its consistency token along.
func TestReplicasSeeEachOthersWrites(t *testing.T) {
	spice := testspice.Start(t, testpg.Database(t))
	database := testpg.Database(t)
	a := start(t, app.Config{Database: database, Remote: remote(spice)})
	b := start(t, app.Config{Database: database, Remote: remote(spice)})
	a.environment("prod")
	one := a.client("prod", "op", false, account.PortalAdmin)
	other := one
	other.s = b
	one.must("POST", "/v1/roles", obj{"key": "viewer", "permissions": []string{"fe.secure.read.users"}})
	one.must("POST", "/v1/accounts", obj{"id": "home", "name": "Home"})
	one.must("POST", "/v1/accounts", obj{"id": "acme", "name": "Acme"})
	one.must("POST", "/v1/users", obj{"id": "ada", "email": "ada@home.example", "memberships": []obj{{"account": "home", "roles": []string{"viewer"}}}})
	for i := range 50 {
		writer, reader := one, other
		if i%2 == 1 {
			writer, reader = other, one
		}
		token := writer.must("PUT", "/v1/accounts/acme/members/ada", obj{"roles": []string{"viewer"}}).header.Get("Consistency-Token")
		if !reader.allowed("user:ada", "access", "account:acme", "Consistency-Token", token) {
			t.Fatalf("round %d: the other replica does not see the grant", i)
		}
		token = writer.must("DELETE", "/v1/accounts/acme/members/ada", nil).header.Get("Consistency-Token")
		if reader.allowed("user:ada", "access", "account:acme", "Consistency-Token", token) {
			t.Fatalf("round %d: the other replica does not see the revocation", i)
		}
	}
}

// TestAForgedTokenIsRefused: a version that was never written is an error at once, not a wait.
func TestAForgedTokenIsRefused(t *testing.T) {
	s := start(t, oneMachine.make(t))
	s.environment("prod")
	op := s.client("prod", "op", false, account.PortalAdmin)
	question := obj{"subject": "user:ada", "permission": "access", "resource": "account:root"}
	for _, token := range []string{string(account.TokenAt("prod", 1<<40)), string(account.TokenAt("dev", 1)), "tc1.x", "17", strings.Repeat("a", 4000)} {
		op.refuse("invalid_consistency_token", "POST", "/v1/check", question, "Consistency-Token", token)
	}
}
