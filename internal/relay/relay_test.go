package relay_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relay"
)

func TestEntriesComeIntoForceInOrder(t *testing.T) {
	w := setUp(t)
	var mu sync.Mutex
	var order []account.Version
	r := w.run(relay.Config{OnStep: func(step relay.Step, version account.Version) {
		if step == relay.AfterSave {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, version)
		}
	}})
	last := account.Version(0)
	for i := range 200 {
		last = w.append(small(i))
	}
	p := w.inForce(r, last)
	if p.Version != last || p.Token == "" {
		t.Errorf("position %+v, want version %d with a token", p, last)
	}
	mu.Lock()
	defer mu.Unlock()
	for i := 1; i < len(order); i++ {
		if order[i] != order[i-1]+1 {
			t.Fatalf("version %d came after %d", order[i], order[i-1])
		}
	}
	version, _, err := w.store.Position(t.Context(), "prod", w.engine.Name())
	if err != nil || version != 0 {
		t.Errorf("position %d (%v) is kept of an engine that ends with the process", version, err)
	}
	w.mustNotDrift(r)
}

func TestLargeEntryIsAppliedInParts(t *testing.T) {
	w := setUp(t)
	r := w.run(relay.Config{})
	users := make([]account.UserID, 2500)
	for i := range users {
		users[i] = account.UserID("u" + strconv.Itoa(i))
	}
	w.inForce(r, w.globex(users...))
	w.mustNotDrift(r)
}

func TestTwoRelaysApplyEachEntryOnce(t *testing.T) {
	w := setUp(t)
	var mu sync.Mutex
	applied := map[account.Version]int{}
	count := func(step relay.Step, version account.Version) {
		if step == relay.AfterWrite {
			mu.Lock()
			defer mu.Unlock()
			applied[version]++
		}
	}
	a := w.run(relay.Config{OnStep: count, Poll: time.Millisecond})
	b := w.run(relay.Config{OnStep: count, Poll: time.Millisecond})
	last := account.Version(0)
	for i := range 100 {
		last = w.append(small(i))
	}
	w.inForce(a, last)
	w.inForce(b, last)
	w.mustNotDrift(a)
	mu.Lock()
	defer mu.Unlock()
	for version, n := range applied {
		if n != 1 {
			t.Errorf("version %d was applied %d times", version, n)
		}
	}
}

func TestAnEntryThatCannotBeAppliedStopsTheRelayLoudly(t *testing.T) {
	w := setUp(t)
	r := w.run(relay.Config{StoppedWait: time.Hour})
	good := w.globex("ada")
	w.inForce(r, good)
	if err := r.Ready(); err != nil {
		t.Fatalf("before: %v", err)
	}
	bad := w.append(creates(account.Role{Key: "gone", Permissions: []account.PermissionKey{"shop.was.removed"}}))
	w.append(small(1))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if f := fault.From(r.Ready()); f.Code == "relay_stopped" {
			break
		}
		short, done := context.WithTimeout(ctx, 10*time.Millisecond)
		_, err := r.Wait(short, "prod", bad)
		done()
		if err == nil {
			t.Fatal("an entry that cannot be applied is in force")
		}
		if ctx.Err() != nil {
			t.Fatal("the relay did not say that it stopped")
		}
	}
	for _, s := range r.Status() {
		if s.Position.Version != good || !s.Stopped || s.Err == nil {
			t.Errorf("status %+v, want it stopped at %d", s, good)
		}
	}
}
