package relay_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
)

func TestReconcileFindsAndRepairsDrift(t *testing.T) {
	w := setUp(t)
	r := w.run(relay.Config{})
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	w.globex("ada", "bob")
	w.inForce(r, w.append(creates(account.User{ID: "cy", Email: "cy@globex.example", CreatedAt: time.Now()}), creates(member("cy", &later))))
	w.mustNotDrift(r)

	missing := relation.Relationship{Key: relation.Key{
		Resource: relation.In("prod", relation.TypeAssignment, "globex/admin"), Relation: "member", Subject: relation.UserObject("prod", "ada"),
	}}
	extra := missing
	extra.Subject = relation.UserObject("prod", "mallory")
	wrong := missing
	wrong.Subject = relation.UserObject("prod", "cy")
	w.change(v1.RelationshipUpdate_OPERATION_DELETE, missing)
	w.change(v1.RelationshipUpdate_OPERATION_TOUCH, extra)
	w.change(v1.RelationshipUpdate_OPERATION_TOUCH, wrong) // without its expiry

	found, err := r.Reconcile(t.Context(), "prod", true, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := found.Drift
	if len(d.Missing) != 1 || len(d.Extra) != 1 || len(d.Wrong) != 1 || d.Missing[0] != missing || d.Extra[0] != extra || d.Wrong[0].Expires != later.Unix() {
		t.Fatalf("drift: %+v", d)
	}
	repaired, err := r.Reconcile(t.Context(), "prod", false, nil)
	if err != nil || !repaired.Repaired {
		t.Fatalf("repair: %v %+v", err, repaired)
	}
	w.mustNotDrift(r)
}

func TestReconcileWhileWritesGoOn(t *testing.T) {
	w := setUp(t)
	r := w.run(relay.Config{})
	w.inForce(r, w.globex("ada"))
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				w.inForce(r, w.append(small(i)))
			}
		}
	})
	for range 20 {
		w.mustNotDrift(r)
	}
	close(stop)
	writing.Wait()
}

func TestAnEngineThatLostEverythingIsFilledAgain(t *testing.T) {
	w := setUp(t)
	first := w.run(relay.Config{})
	w.inForce(first, w.globex("ada"))
	w.wipe()
	w.inForce(first, w.append(small(1)))
	w.mustNotDrift(first)
}

func TestADirectoryOlderThanItsEngineIsNoticed(t *testing.T) {
	w := setUp(t)
	w.change(v1.RelationshipUpdate_OPERATION_TOUCH, relation.Relationship{Key: relation.Key{
		Resource: relation.EnvironmentObject("prod"), Relation: "applied", Subject: relation.In("prod", relation.TypeVersion, "99-ent_of_a_lost_day"),
	}})
	r := w.run(relay.Config{StoppedWait: 10 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for fault.From(r.Ready()).Code != "relay_stopped" {
		if ctx.Err() != nil {
			t.Fatal("the relay went on")
		}
		short, done := context.WithTimeout(ctx, 10*time.Millisecond)
		_, _ = r.Wait(short, "prod", 1)
		done()
	}
	if _, err := r.Reconcile(ctx, "prod", false, nil); err != nil {
		t.Fatal(err)
	}
	w.inForce(r, 1)
	w.mustNotDrift(r)
}

func TestAnIdleEngineIsWatched(t *testing.T) {
	w := setUp(t)
	r := w.run(relay.Config{LookAgain: 5 * time.Millisecond})
	w.inForce(r, w.globex("ada"))
	w.wipe()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		result, err := r.Reconcile(ctx, "prod", true, nil)
		if err != nil {
			t.Fatal(err)
		}
		if result.Held > 0 && result.Drift.Empty() && !result.Unplaced {
			return
		}
	}
}

func TestReconcileDoesNotUndoAnEntryThatIsBeingApplied(t *testing.T) {
	w := setUp(t)
	w.atOnce = 4
	r := w.run(relay.Config{})
	users := make([]account.UserID, 40)
	for i := range users {
		users[i] = account.UserID("u" + strconv.Itoa(i))
	}
	w.inForce(r, w.globex(users...))
	stop := make(chan struct{})
	var reconciling sync.WaitGroup
	other := w.run(relay.Config{})
	for _, by := range []*relay.Relay{r, other} {
		reconciling.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				result, err := by.Reconcile(context.Background(), "prod", i%2 == 0, nil)
				if fault.From(err).Code == "reconcile_overtaken" {
					continue
				}
				if err != nil {
					t.Errorf("reconcile: %v", err)
					return
				}
				if !result.Drift.Empty() {
					t.Errorf("at version %d: drift that is none: %+v", result.Version, result.Drift)
					return
				}
			}
		})
	}
	for range 15 {
		var changes []account.Change
		for _, u := range users {
			changes = append(changes, account.Change{Before: account.Of(member(u, nil))})
		}
		w.append(changes...)
		for i := range changes {
			changes[i] = account.Change{After: changes[i].Before}
		}
		w.inForce(r, w.append(changes...))
	}
	close(stop)
	reconciling.Wait()
	w.mustNotDrift(r)
}

func TestTwoRelaysFillAnEmptyEngine(t *testing.T) {
	for i := range 5 { // each in a test of its own, so that its relays end with it
		t.Run(strconv.Itoa(i), twoRelaysFillAnEmptyEngine)
	}
}

func twoRelaysFillAnEmptyEngine(t *testing.T) {
	w := setUp(t)
	w.atOnce = 4
	users := make([]account.UserID, 60)
	for i := range users {
		users[i] = account.UserID("u" + strconv.Itoa(i))
	}
	w.globex(users...)
	cfg := relay.Config{TakeOver: 200 * time.Millisecond, Poll: time.Millisecond}
	a, b := w.run(cfg), w.run(cfg)
	last := account.Version(0)
	for _, u := range users {
		last = w.append(account.Change{Before: account.Of(member(u, nil))})
	}
	w.inForce(a, last)
	w.inForce(b, last)
	w.mustNotDrift(a)
}

func TestAnAbandonedWriteIsTakenOver(t *testing.T) {
	w := setUp(t)
	first := w.globex("ada")
	r := w.run(relay.Config{})
	w.inForce(r, first)
	var mark string
	err := w.store.Read(t.Context(), "prod", func(rd directory.Reader) error {
		entries, err := rd.Entries(t.Context(), first-1, 1)
		mark = fmt.Sprintf("%d-%s", first, entries[0].ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(mark string) relation.Relationship {
		return relation.Relationship{Key: relation.Key{Resource: relation.EnvironmentObject("prod"), Relation: "applied", Subject: relation.In("prod", relation.TypeVersion, mark)}}
	}
	w.change(v1.RelationshipUpdate_OPERATION_DELETE, at(mark))
	w.change(v1.RelationshipUpdate_OPERATION_TOUCH, at(mark+"-relay_gone_1_0"))
	w.change(v1.RelationshipUpdate_OPERATION_DELETE, relation.Relationship{Key: relation.Key{
		Resource: relation.In("prod", relation.TypeAssignment, "globex/admin"), Relation: "member", Subject: relation.UserObject("prod", "ada"),
	}})
	next := w.run(relay.Config{TakeOver: 50 * time.Millisecond, LookAgain: 10 * time.Millisecond})
	w.inForce(next, w.append(small(1)))
	w.mustNotDrift(next)
}

func TestAnEngineOfAnotherHistoryIsNoticed(t *testing.T) {
	w := setUp(t)
	w.inForce(w.run(relay.Config{}), w.globex("ada", "mallory"))
	other := setUp(t) // same environment, same versions, other entries
	other.globex("ada")
	other.engine = w.engine
	r := other.run(relay.Config{StoppedWait: 10 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := r.Wait(ctx, "prod", 1); err == nil {
		t.Fatal("the relay takes the other history for its own")
	}
	if code := fault.From(r.Ready()).Code; code != "relay_stopped" {
		t.Fatalf("readiness says %q", code)
	}
	result, err := r.Reconcile(t.Context(), "prod", false, nil)
	if err != nil || !result.Unplaced || len(result.Drift.Extra) != 1 {
		t.Fatalf("%v %+v", err, result)
	}
	other.inForce(r, 2)
	other.mustNotDrift(r)
}
