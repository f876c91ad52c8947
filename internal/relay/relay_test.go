package relay_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// workbench is a directory and an engine with a relay, or several, between them.
type workbench struct {
	t      *testing.T
	store  *store.DB
	engine *engine.Engine
	atOnce int // updates in one call; 0 is what the engine takes
}

// inSmallParts is an engine that takes few updates in one call.
type inSmallParts struct {
	*engine.Engine
	atOnce int
}

func (e inSmallParts) MaxUpdates() int { return e.atOnce }

func setUp(t *testing.T) *workbench {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "directory.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Embedded(ctx, engine.EmbeddedConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := engine.ApplySchema(ctx, e.Conn(), schema.Built(), engine.Refuse); err != nil {
		t.Fatal(err)
	}
	w := &workbench{t: t, store: db, engine: e}
	err = db.CreateEnvironment(ctx, account.Entry{
		Environment: "prod", At: time.Now(), Kind: account.EnvironmentCreated,
		Changes: []account.Change{{After: account.Of(account.Environment{ID: "prod", Name: "prod", SubAccountsEnabled: true, DefaultAccessMode: account.DefaultOff, MaxDepth: 8})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type snapshots struct{ *store.DB }

func (s snapshots) Snapshot(ctx context.Context, env account.EnvironmentID, fn func(account.Entity) error) (account.Version, error) {
	var version account.Version
	err := s.Read(ctx, env, func(r directory.Reader) error {
		var err error
		if version, err = r.Head(ctx); err != nil {
			return err
		}
		return r.Entities(ctx, fn)
	})
	return version, err
}

// run starts a relay; it ends with the test.
func (w *workbench) run(cfg relay.Config) *relay.Relay {
	w.t.Helper()
	catalogue, err := schema.Default()
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	var e relay.Engine = w.engine
	if w.atOnce > 0 {
		e = inSmallParts{w.engine, w.atOnce}
	}
	r := relay.New(snapshots{w.store}, e, relation.NewProjector(catalogue), cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("relay: %v", err)
		}
	})
	return r
}

// append adds an entry to the journal.
func (w *workbench) append(changes ...account.Change) account.Version {
	w.t.Helper()
	var version account.Version
	err := w.store.Write(w.t.Context(), "prod", func(tx directory.Tx) error {
		var err error
		version, err = tx.Append(w.t.Context(), account.Entry{Environment: "prod", At: time.Now(), Kind: account.Imported, Changes: changes})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return version
}

func creates[T account.Account | account.Role | account.User | account.Membership | account.Assignment](v T) account.Change {
	return account.Change{After: account.Of(v)}
}

func (w *workbench) inForce(r *relay.Relay, version account.Version) relay.Position {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	p, err := r.Wait(ctx, "prod", version)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// change writes straight into the engine, past the relay.
func (w *workbench) change(op v1.RelationshipUpdate_Operation, r relation.Relationship) {
	w.t.Helper()
	_, err := v1.NewPermissionsServiceClient(w.engine.Conn()).WriteRelationships(w.t.Context(), &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: op, Relationship: r.Proto()}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// wipe takes everything out of the engine, its mark last.
func (w *workbench) wipe() {
	w.t.Helper()
	for _, kind := range []string{relation.TypeAccount, relation.TypeAssignment, relation.TypeRole, relation.TypeEnvironment} {
		_, err := v1.NewPermissionsServiceClient(w.engine.Conn()).DeleteRelationships(w.t.Context(), &v1.DeleteRelationshipsRequest{
			RelationshipFilter: &v1.RelationshipFilter{ResourceType: kind},
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *workbench) mustNotDrift(r *relay.Relay) {
	w.t.Helper()
	result, err := r.Reconcile(w.t.Context(), "prod", true, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if !result.Drift.Empty() {
		w.t.Fatalf("drift at version %d: %+v", result.Version, result.Drift)
	}
}

func small(i int) account.Change {
	return creates(account.Account{ID: account.ID(fmt.Sprintf("a%d", i)), Name: "small", AccessMode: account.DefaultOff, CreatedAt: time.Now()})
}

func member(user account.UserID, expires *time.Time) account.Membership {
	return account.Membership{Account: "globex", User: user, Roles: []account.RoleKey{"admin"}, ExpiresAt: expires, CreatedAt: time.Now()}
}

func (w *workbench) globex(users ...account.UserID) account.Version {
	changes := []account.Change{
		creates(account.Role{Key: "admin", Permissions: []account.PermissionKey{"fe.secure.read.users"}}),
		creates(account.Account{ID: "globex", Name: "Globex", AccessMode: account.DefaultOff, CreatedAt: time.Now()}),
		creates(account.Assignment{Account: "globex", Role: "admin"}),
	}
	for _, u := range users {
		changes = append(changes, creates(account.User{ID: u, Email: string(u) + "@globex.example", CreatedAt: time.Now()}), creates(member(u, nil)))
	}
	return w.append(changes...)
}

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

func TestAnEngineThatLostEverythingIsFilledAgain(t *testing.T) {
	w := setUp(t)
	first := w.run(relay.Config{})
	w.inForce(first, w.globex("ada"))
	w.wipe()
	w.inForce(first, w.append(small(1)))
	w.mustNotDrift(first)
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

// An engine that loses everything while nobody writes is noticed and filled again.
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

// A large entry that revokes, applied in many calls while reconciliations go
// on: none of them gives back what it took away.
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

// Two relays that find the engine empty, while revocations are written: one of
// them fills it, and nothing that was revoked comes back.
func TestTwoRelaysFillAnEmptyEngine(t *testing.T) {
	for range 5 {
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
}

// A write in several calls whose writer is gone is completed by another relay.
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

// An engine that stands at this journal's version by another history is not
// taken for this journal's: the relay stops, and reconcile puts it right.
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
