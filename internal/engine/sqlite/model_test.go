package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestModel does random things to a datastore and to a naive model of it, which keeps every
// revision as a full copy, and compares what can be asked of both: at every revision that can
// still be read, inside transactions, by watching, before and after a restart.
func TestModel(t *testing.T) {
	directory, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := &world{path: filepath.Join(directory, strconv.Itoa(n))}
		w.open(t)
		defer w.close(t)
		w.commit(first, newState(), nil)

		t.Repeat(map[string]func(*rapid.T){
			"":             w.agree,
			"transact":     w.transact,
			"transact too": w.transact,
			"ask":          w.ask,
			"page":         w.page,
			"watch":        w.watch,
			"collect":      w.collect,
			"reopen":       w.reopen,
		})
	})
}

// world is a datastore and its model.
type world struct {
	model
	path string
	ds   *sqlite.Datastore
}

func (w *world) open(t *rapid.T) {
	ds, err := sqlite.Open(context.Background(), sqlite.Config{Path: w.path, Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	w.ds = ds
}

func (w *world) close(t *rapid.T) {
	if err := w.ds.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// reopen ends the datastore and starts it again on the same file.
func (w *world) reopen(t *rapid.T) {
	if !chance(t, 4, "really") {
		t.Skip("it takes a while")
	}
	w.close(t)
	w.open(t)
}

// agree compares what is cheap to compare: which revision is the head, which can be read.
func (w *world) agree(t *rapid.T) {
	for what, get := range map[string]func(context.Context) (datastore.RevisionWithSchemaHash, error){
		"head": w.ds.HeadRevision, "optimized": w.ds.OptimizedRevision,
	} {
		switch is, err := get(t.Context()); {
		case err != nil:
			t.Fatalf("the %s revision: %v", what, err)
		case !is.Revision.Equal(w.head().revision):
			t.Fatalf("the %s revision is %v, not %v", what, is.Revision, w.head().revision)
		case is.SchemaHash != w.head().state.hash():
			t.Fatalf("the schema's hash is %q, not %q", is.SchemaHash, w.head().state.hash())
		}
	}
	switch is, err := w.ds.Statistics(t.Context()); {
	case err != nil:
		t.Fatalf("statistics: %v", err)
	case is.EstimatedRelationshipCount != uint64(len(w.head().state.rels)),
		w.head().state.schema == nil && len(is.ObjectTypeStatistics) != len(w.head().state.types):
		t.Fatalf("the statistics are %+v, of %d relationships and %d types", is, len(w.head().state.rels), len(w.head().state.types))
	}
	for i, m := range w.history {
		err := w.ds.CheckRevision(t.Context(), m.revision)
		switch {
		case i >= w.oldest && err != nil:
			t.Fatalf("revision %v, the head being %v: %v", m.revision, w.head().revision, err)
		case i < w.oldest && !errors.As(err, &datastore.InvalidRevisionError{}):
			t.Fatalf("revision %v is gone, but says %v", m.revision, err)
		}
		again, err := w.ds.RevisionFromString(m.revision.String())
		if err != nil || !again.Equal(m.revision) {
			t.Fatalf("revision %v reads as %v: %v", m.revision, again, err)
		}
	}
	w.invalid(t, w.head().revision.(sqlite.Revision)+1)
	if w.oldest > 0 {
		w.invalid(t, w.history[rapid.IntRange(0, w.oldest-1).Draw(t, "gone")].revision)
	}
}

// invalid expects that a revision can neither be read nor be watched.
func (w *world) invalid(t *rapid.T, r datastore.Revision) {
	reader := w.ds.SnapshotReader(r)
	_, watching := watched(t.Context(), w.ds, r, r, datastore.EmitWhenCheckpointedStrategy)
	_, querying := query{}.all(t.Context(), reader)
	_, definitions := reader.LegacyListAllNamespaces(t.Context())
	_, stored := reader.ReadStoredSchema(t.Context())
	_, counters := reader.LookupCounters(t.Context())
	for what, err := range map[string]error{
		"checking": w.ds.CheckRevision(t.Context(), r), "querying": querying, "definitions": definitions,
		"schema": stored, "counters": counters, "watching": watching,
	} {
		if !errors.As(err, &datastore.InvalidRevisionError{}) {
			t.Fatalf("%s at %v, when %v to %v can be read: %v", what, r, w.history[w.oldest].revision, w.head().revision, err)
		}
	}
}

// transact does the same to the datastore and to a draft, and keeps the draft if all went well.
func (w *world) transact(t *rapid.T) {
	before := w.head()
	steps := drawSteps(t, before.state)
	var opts []options.RWTOptionsOption
	var metadata *structpb.Struct
	if chance(t, 4, "with metadata") {
		metadata = &structpb.Struct{Fields: map[string]*structpb.Value{"by": structpb.NewStringValue("ada")}}
		opts = append(opts, options.WithMetadata(metadata))
	}
	wrongHash := chance(t, 15, "with a wrong hash")
	switch {
	case wrongHash:
		opts = append(opts, options.WithSchemaHashPrecondition("of no schema"))
	case before.state.hash() != "" && rapid.Bool().Draw(t, "with the hash"):
		opts = append(opts, options.WithSchemaHashPrecondition(before.state.hash()))
	}

	var draft *state
	at, err := w.ds.ReadWriteTx(t.Context(), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		draft = before.state.draft()
		for _, step := range steps {
			if err := step(ctx, tx, draft, len(w.history)); err != nil {
				return err
			}
		}
		return nil
	}, opts...)

	var expected refusal
	switch {
	case wrongHash:
		if draft != nil || err == nil || before.state.schema != nil && !errors.Is(err, datastore.ErrSchemaHashPreconditionFailed) {
			t.Fatalf("with the hash of another schema: %v", err)
		}
	case errors.As(err, &expected):
	case err != nil:
		t.Fatalf("transaction: %v", err)
	case !draft.touched:
		if !at.Equal(before.revision) {
			t.Fatalf("nothing was written, and the revision went from %v to %v", before.revision, at)
		}
	case !at.GreaterThan(before.revision):
		t.Fatalf("the revision went from %v to %v", before.revision, at)
	default:
		w.commit(at, draft, metadata)
	}
}

// moment draws a revision that can be read.
func (w *world) moment(t *rapid.T) int {
	back := rapid.IntRange(0, len(w.history)-1-w.oldest).Draw(t, "revisions back")
	return len(w.history) - 1 - back
}

// ask asks questions at some revision.
func (w *world) ask(t *rapid.T) {
	m := w.history[w.moment(t)]
	reader := w.ds.SnapshotReader(m.revision)
	for range 4 {
		q := drawQuery(t, m.state.known())
		if err := m.state.check(t.Context(), reader, q); err != nil {
			t.Fatalf("at %v, the head being %v: %v", m.revision, w.head().revision, err)
		}
		if chance(t, 4, "nested") {
			if err := nested(t.Context(), reader, m.state, q); err != nil {
				t.Fatalf("at %v, the head being %v: %v", m.revision, w.head().revision, err)
			}
		}
		if chance(t, 6, "abandoned") {
			if err := abandon(t.Context(), reader, q, rapid.IntRange(1, 3).Draw(t, "rows")); err != nil {
				t.Fatalf("at %v: %v", m.revision, err)
			}
		}
	}
	aimless := query{after: &tuple.Relationship{RelationshipReference: drawReference(t, m.state.known())}}
	if _, err := aimless.all(t.Context(), reader); !errors.Is(err, datastore.ErrCursorsWithoutSorting) {
		t.Fatalf("a cursor without an order: %v", err)
	}
	written := func(at any) datastore.Revision {
		if i, place := at.(int); place {
			return w.history[i].revision
		}
		return at.(datastore.Revision)
	}
	if err := m.state.checkDefinitions(t.Context(), reader, written); err != nil {
		t.Fatalf("at %v, the head being %v: %v", m.revision, w.head().revision, err)
	}
}

// page reads a sorted result in pages.
func (w *world) page(t *rapid.T) {
	m := w.history[w.moment(t)]
	q := drawQuery(t, m.state.known())
	if q.sort == options.Unsorted {
		q.sort = options.ByResource
	}
	size := rapid.Uint64Range(1, 5).Draw(t, "page")
	if err := m.state.page(t.Context(), w.ds.SnapshotReader(m.revision), q, size); err != nil {
		t.Fatalf("at %v, the head being %v: %v", m.revision, w.head().revision, err)
	}
}

// watch watches from some revision to the head.
func (w *world) watch(t *rapid.T) {
	how := rapid.SampledFrom([]datastore.EmissionStrategy{
		datastore.EmitWhenCheckpointedStrategy, datastore.EmitImmediatelyStrategy,
	}).Draw(t, "emission")
	if err := w.checkWatch(t.Context(), w.ds, w.moment(t), how); err != nil {
		t.Fatal(err)
	}
}

// collect forgets the revisions before some revision, and sometimes what has long expired.
func (w *world) collect(t *rapid.T) {
	gc, err := w.ds.BuildGarbageCollector(t.Context())
	if err != nil {
		t.Fatalf("building a collector: %v", err)
	}
	defer gc.Close()
	if ok, err := gc.LockForGCRun(t.Context()); err != nil || !ok {
		t.Fatalf("locking: %v, %v", ok, err)
	}
	defer func() {
		if err := gc.UnlockAfterGCRun(); err != nil {
			t.Errorf("unlocking: %v", err)
		}
	}()
	if err := w.forget(t, gc); err != nil {
		t.Fatal(err)
	}
}

func (w *world) forget(t *rapid.T, gc datastore.GarbageCollector) error {
	to := w.moment(t)
	if _, err := gc.DeleteBeforeTx(t.Context(), w.history[to].revision); err != nil {
		return fmt.Errorf("collecting before %v: %w", w.history[to].revision, err)
	}
	w.oldest = to
	if !chance(t, 3, "the expired too") {
		return nil
	}
	n, err := gc.DeleteExpiredRels(t.Context())
	if want := w.expire(time.Now()); err != nil || n != want {
		return fmt.Errorf("collecting %d of %d relationships that have expired: %w", n, want, err)
	}
	return nil
}

// expire takes what has expired out of the newest state, and out of older ones if it is the same
// there, for a collection makes no revision.
func (m *model) expire(now time.Time) (n int64) {
	for ref, r := range m.head().state.rels {
		if r.OptionalExpiration == nil || r.OptionalExpiration.After(now) {
			continue
		}
		n++
		for _, moment := range m.history {
			if moment.state.rels[ref].writing == r.writing {
				delete(moment.state.rels, ref)
			}
		}
	}
	return n
}
