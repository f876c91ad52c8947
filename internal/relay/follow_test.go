package relay_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/relay"
)

// mark is the relationship that says where the engine stands, by the mark's text.
func mark(text string) relation.Relationship {
	return relation.Relationship{Key: relation.Key{
		Resource: relation.EnvironmentObject("prod"), Relation: "applied", Subject: relation.In("prod", relation.TypeVersion, text),
	}}
}

// markAt is the text of the mark of an entry.
func (w *workbench) markAt(version account.Version) string {
	w.t.Helper()
	var text string
	err := w.store.Read(w.t.Context(), "prod", func(r directory.Reader) error {
		entries, err := r.Entries(w.t.Context(), version-1, 1)
		if err == nil {
			text = fmt.Sprintf("%d-%s", version, entries[0].ID)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// TestWhoLooksOnlyFollows: it waits until another relay has filled the engine, sees
// every entry that it applies, and writes nothing: not even positions.
func TestWhoLooksOnlyFollows(t *testing.T) {
	w := setUp(t)
	w.wrap = func(e relay.Engine) relay.Engine { return kept{e} }
	r := w.run(relay.Config{LookOnly: true, Poll: 5 * time.Millisecond})
	first := w.globex("ada")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	short, done := context.WithTimeout(ctx, 300*time.Millisecond)
	defer done()
	if err := r.Settled(short); fault.From(err).Code != "engine_preparing" {
		t.Errorf("before anybody has filled the engine: %v", err)
	}
	if result, err := w.run(relay.Config{LookOnly: true}).Reconcile(ctx, "prod", true, nil); err != nil || result.Held != 0 {
		t.Errorf("an empty engine holds %d relationships: %v", result.Held, err)
	}
	w.wrap = nil
	writer := w.run(relay.Config{Poll: 5 * time.Millisecond})
	w.inForce(writer, first)
	if err := r.Settled(ctx); err != nil {
		t.Error(err)
	}
	for i := range 20 {
		last := w.append(small(i))
		if p := w.inForce(r, last); p.Version != last || p.Token == "" {
			t.Fatalf("version %d: %+v", last, p)
		}
		if got := r.Reached("prod"); got != last {
			t.Fatalf("version %d: reached %d", last, got)
		}
	}
	w.mustNotDrift(r)
	if version, token, err := w.store.Position(ctx, "prod", w.engine.Name()); err != nil || version != 0 || token != "" {
		t.Errorf("who only looks has kept the position %d %q: %v", version, token, err)
	}
	if err := r.Ready(); err != nil {
		t.Error(err)
	}
}

// kept is an engine whose positions are worth keeping.
type kept struct{ relay.Engine }

func (kept) Durable() bool { return true }

// TestWhoIsAloneTakesOverAtOnce what a process that is gone has left half done.
func TestWhoIsAloneTakesOverAtOnce(t *testing.T) {
	w := setUp(t)
	first := w.globex("ada")
	w.inForce(w.run(relay.Config{}), first)
	w.change(v1.RelationshipUpdate_OPERATION_DELETE, mark(w.markAt(first)))
	w.change(v1.RelationshipUpdate_OPERATION_TOUCH, mark(w.markAt(first)+"-relay_gone_1_0"))
	next := w.run(relay.Config{Alone: true, TakeOver: time.Hour})
	w.inForce(next, w.append(small(1)))
	w.mustNotDrift(next)
}

// TestTokensOfALostHistoryAreForgotten: an engine that was restored from a backup
// comes to the same versions again, with other tokens.
func TestTokensOfALostHistoryAreForgotten(t *testing.T) {
	w := setUp(t)
	last := w.globex("ada")
	w.inForce(w.run(relay.Config{}), last)
	// what a server noted that had gone on after the backup
	if err := w.store.SavePosition(t.Context(), "prod", w.engine.Name(), last+5, "lost"); err != nil {
		t.Fatal(err)
	}
	w.wrap = func(e relay.Engine) relay.Engine { return kept{e} }
	w.inForce(w.run(relay.Config{}), last)
	if version, token, err := w.store.Position(t.Context(), "prod", w.engine.Name()); err != nil || version != last || token == "lost" || token == "" {
		t.Errorf("the position kept is %d with the token %q: %v", version, token, err)
	}
}
