package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestModelConcurrently lets writers, readers, a watch and a collector loose on a datastore at
// once. From the revisions that the writers were told it then makes the history anew, one after
// the other, and everything that anybody has read must be a state of that history.
func TestModelConcurrently(t *testing.T) {
	ds, err := opened(t, sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b := &bustle{ds: ds, told: make(map[sqlite.Revision]changes), progress: make(chan struct{}, 1)}

	var writing, others sync.WaitGroup
	done := make(chan struct{})
	for n := range uint64(3) {
		writing.Go(func() { b.fail(b.write(ctx, rand.New(rand.NewPCG(n, 1)), fmt.Sprint("w", n), 150)) })
		others.Go(func() { b.fail(b.read(ctx, rand.New(rand.NewPCG(n, 2)), done)) })
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	caughtUp := make(chan struct{})
	others.Go(func() { b.fail(b.watch(watching, done, caughtUp)) })
	others.Go(func() { b.fail(b.collect(ctx, done)) })
	writing.Wait()
	close(done)
	select {
	case <-caughtUp:
	case <-ctx.Done():
	}
	stop()
	others.Wait()
	if err := errors.Join(b.errs...); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d transactions, %d reads, %d of them too late", len(b.written), len(b.seen), b.late.Load())
	b.verify(t)
}

// bustle is what happens at once, and what came of it.
type bustle struct {
	ds      *sqlite.Datastore
	floor   atomic.Int64 // what the collector was last told
	watched atomic.Int64 // up to where the watch has been told
	late    atomic.Int64 // reads of what was collected

	progress chan struct{} // of the watch

	mu      sync.Mutex
	errs    []error
	written []writing
	seen    []sight
	told    map[sqlite.Revision]changes
}

// writing is a transaction that was acknowledged.
type writing struct {
	at      sqlite.Revision
	updates []tuple.RelationshipUpdate
}

// sight is what somebody has read.
type sight struct {
	at  sqlite.Revision
	has string
}

func (b *bustle) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

// write makes transactions, some of which fail, and reads what it has written.
func (b *bustle) write(ctx context.Context, dice *rand.Rand, name string, n int) error {
	for i := range n {
		mine := tuple.MustParse(fmt.Sprintf("doc:%s#viewer@user:%d", name, i))
		updates := []tuple.RelationshipUpdate{tuple.Touch(mine)}
		for _, id := range dice.Perm(8)[:dice.IntN(4)] {
			r := tuple.MustParse(fmt.Sprintf("doc:shared#viewer@user:%d[week:{\"n\":%d}]", id, dice.IntN(3)))
			updates = append(updates, []tuple.RelationshipUpdate{tuple.Touch(r), tuple.Touch(r), tuple.Delete(r)}[dice.IntN(3)])
		}
		giveUp := dice.IntN(5) == 0
		at, err := b.ds.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			if err := tx.WriteRelationships(ctx, updates); err != nil {
				return err
			}
			if giveUp {
				return errChanged
			}
			return nil
		}, options.WithDisableRetries(dice.IntN(5) == 0))
		if giveUp {
			if !errors.Is(err, errChanged) {
				return fmt.Errorf("a transaction that its caller gave up: %w", err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		b.mu.Lock()
		b.written = append(b.written, writing{at: at.(sqlite.Revision), updates: updates})
		b.mu.Unlock()
		head, err := b.ds.HeadRevision(ctx)
		if err != nil || head.Revision.LessThan(at) {
			return fmt.Errorf("after %v was acknowledged, the head is %v: %w", at, head.Revision, err)
		}
		one := query{forward: datastore.RelationshipsFilter{OptionalResourceIds: []string{name}}}
		for _, when := range []datastore.Revision{at, head.Revision} {
			got, err := one.all(ctx, b.ds.SnapshotReader(when))
			if !b.tooLate(when, err) && (err != nil || !slices.Contains(renderAll(got), render(mine))) {
				return fmt.Errorf("at %v, what %v wrote is missing among %d: %w", when, at, len(got), err)
			}
		}
	}
	return nil
}

// read reads everything, at the head or a little before.
func (b *bustle) read(ctx context.Context, dice *rand.Rand, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		head, err := b.ds.HeadRevision(ctx)
		if err != nil {
			return err
		}
		at := max(1, head.Revision.(sqlite.Revision)-sqlite.Revision(dice.IntN(2)*dice.IntN(50)))
		q := query{sort: []options.SortOrder{options.Unsorted, options.ByResource, options.BySubject}[dice.IntN(3)]}
		got, err := q.all(ctx, b.ds.SnapshotReader(at))
		if b.tooLate(at, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading at %v: %w", at, err)
		}
		has := renderAll(got)
		slices.Sort(has)
		b.mu.Lock()
		b.seen = append(b.seen, sight{at: at, has: strings.Join(has, "\n")})
		b.mu.Unlock()
	}
}

// tooLate reports whether a read failed because its revision has been collected.
func (b *bustle) tooLate(at datastore.Revision, err error) bool {
	if !errors.As(err, &datastore.InvalidRevisionError{}) || !at.LessThan(sqlite.Revision(b.floor.Load())) {
		return false
	}
	b.late.Add(1)
	return true
}

// collect collects what is a little older than the head, of what the watch has told.
func (b *bustle) collect(ctx context.Context, done <-chan struct{}) error {
	gc, err := b.ds.BuildGarbageCollector(ctx)
	if err != nil {
		return err
	}
	defer gc.Close()
	for {
		select {
		case <-done:
			return nil
		case <-b.progress:
		}
		head, err := b.ds.HeadRevision(ctx)
		if err != nil {
			return err
		}
		to := min(head.Revision.(sqlite.Revision)-20, sqlite.Revision(b.watched.Load()))
		if int64(to) <= b.floor.Load() {
			continue
		}
		b.floor.Store(int64(to))
		if _, err := gc.DeleteBeforeTx(ctx, to); err != nil {
			return fmt.Errorf("collecting before %v: %w", to, err)
		}
	}
}

// watch watches from the beginning until it has been told of the last revision.
func (b *bustle) watch(ctx context.Context, done <-chan struct{}, caughtUp chan<- struct{}) error {
	events, errs := b.ds.Watch(ctx, first, datastore.WatchOptions{
		Content:                 datastore.WatchRelationships | datastore.WatchCheckpoints,
		WatchBufferWriteTimeout: patience,
	})
	last, once := first, sync.Once{}
	for event := range events {
		at := event.Revision.(sqlite.Revision)
		if at < last || at == last && !event.IsCheckpoint {
			return fmt.Errorf("the watch tells of %v after %v", at, last)
		}
		last = at
		if event.IsCheckpoint {
			b.watched.Store(int64(at))
			select {
			case b.progress <- struct{}{}:
			default:
			}
			select {
			case <-done:
				if head, err := b.ds.HeadRevision(ctx); err == nil && !last.LessThan(head.Revision) {
					once.Do(func() { close(caughtUp) })
				}
			default:
			}
			continue
		}
		var c changes
		if err := c.add(event, datastore.EmitWhenCheckpointedStrategy); err != nil {
			return err
		}
		b.told[at] = c
	}
	if err := <-errs; !errors.As(err, &datastore.WatchCanceledError{}) {
		return fmt.Errorf("watching: %w", err)
	}
	return nil
}

// verify makes the history anew.
func (b *bustle) verify(t *testing.T) {
	slices.SortFunc(b.written, func(x, y writing) int { return int(x.at - y.at) })
	m := &model{}
	m.commit(first, newState(), nil)
	for i, w := range b.written {
		if i > 0 && b.written[i-1].at == w.at {
			t.Fatalf("%v was given to two transactions", w.at)
		}
		draft := m.head().state.draft()
		for _, u := range w.updates {
			ref := u.Relationship.RelationshipReference
			switch is, there := draft.rels[ref]; {
			case u.Operation == tuple.UpdateOperationDelete:
				delete(draft.rels, ref)
			case !there || render(is.Relationship) != render(u.Relationship):
				draft.put(u.Relationship)
			}
		}
		m.commit(w.at, draft, nil)
		if d := cmp.Diff(m.head().changes, b.told[w.at], cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("of %v the watch tells: -want +got:\n%s", w.at, d)
		}
		delete(b.told, w.at)
	}
	if len(b.told) > 0 {
		t.Errorf("the watch tells of transactions that were not acknowledged: %v", b.told)
	}
	for _, s := range b.seen {
		// The state at a revision is that of the newest transaction up to it.
		i, exact := slices.BinarySearchFunc(m.history, s.at, func(m moment, at sqlite.Revision) int {
			return int(m.revision.(sqlite.Revision) - at)
		})
		if !exact {
			i--
		}
		want := renderAll(m.history[i].state.known())
		slices.Sort(want)
		if d := cmp.Diff(want, strings.FieldsFunc(s.has, func(r rune) bool { return r == '\n' }), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("at %v was read: -want +got:\n%s", s.at, d)
		}
	}
}
