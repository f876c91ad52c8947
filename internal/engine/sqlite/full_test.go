package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// fewPages is the limit of a small file, manyPages that of one with room.
func fewPages() int64 { return int64(sized(400, 120)) }

const manyPages = 4000

func TestFull_TheLimitOfTheFile(t *testing.T) {
	path := fresh(t)
	d := mustOpen(t, sqlite.Config{Path: path, MaxPages: fewPages()})
	f := fill(t, d)
	f.holds(d)
	f.refuses(d)
	mustClose(t, d)
	intact(t, path)

	d = mustOpen(t, sqlite.Config{Path: path, MaxPages: fewPages()}) // and so after a restart
	f.holds(d)
	f.refuses(d)
	mustClose(t, d)

	d = running(t, sqlite.Config{Path: path, MaxPages: manyPages})
	f.holds(d)
	f.goesOn(d)
	intact(t, path)
}

func TestFull_CollectionMakesRoom(t *testing.T) {
	path := fresh(t)
	d := running(t, sqlite.Config{Path: path, MaxPages: fewPages(), GCWindow: time.Nanosecond, GCInterval: time.Hour})
	for i := range sized(20, 6) { // what the collection will find
		name := fmt.Sprintf("waste-%d", i)
		mustUpdate(t, d, group("waste", name, 100)...)
		updates := group("waste", name, 100)
		for i := range updates {
			updates[i].Operation = tuple.UpdateOperationDelete
		}
		mustUpdate(t, d, updates...)
	}
	f := fill(t, d)
	f.refuses(d)
	if err := datastore.RunGarbageCollection(soon(t), d, time.Nanosecond); err != nil {
		t.Fatalf("collecting while the file is full: %v", err)
	}
	f.goesOn(d)
	f.holdsAtHead(d)
	intact(t, path)
}

// A transaction that is too large takes nobody down with it.
func TestFull_OneTooLargeAmongSmallOnes(t *testing.T) {
	path := fresh(t)
	d := running(t, sqlite.Config{Path: path, MaxPages: fewPages()})
	ctx, large := soon(t), sized(100_000, 10_000)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 50 {
				if _, err := update(ctx, d, group("group", fmt.Sprintf("small-%d-%d-n2", w, i), 2)...); err != nil && !errors.Is(err, sqlite.ErrFull) {
					t.Errorf("a small write: %v", err)
				}
			}
		})
	}
	for i := range 3 {
		writers.Go(func() {
			_, err := d.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
				_, err := tx.BulkLoad(ctx, &handful{rest: group("group", fmt.Sprintf("large-%d-n%d", i, large), large)})
				return err
			})
			isFull(t, err)
		})
	}
	writers.Wait()
	found := count(t, d, mustHead(t, d), "group")
	for name, n := range found {
		if n != size(name) {
			t.Errorf("%s is half there: %d", name, n)
		}
	}
	if n := len(found); n > 200 {
		t.Errorf("%d groups; 200 small ones were written", n)
	}
	mustUpdate(t, d, group("group", "after-n2", 2)...)
	intact(t, path)
}

// filled is a datastore that was written to until it was full.
type filled struct {
	t      testing.TB
	mu     sync.Mutex
	acked  map[string]sqlite.Revision // groups
	failed map[string]error
	head   sqlite.Revision
}

// fill lets eight writers write until each has been refused.
func fill(t testing.TB, d *sqlite.Datastore) *filled {
	t.Helper()
	f := &filled{t: t, acked: map[string]sqlite.Revision{}, failed: map[string]error{}}
	ctx := soon(t)
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("w%d-%d-n%d", w, i, 10+w*20)
				revision, err := update(ctx, d, group("group", name, size(name))...)
				f.mu.Lock()
				if err == nil {
					f.acked[name] = revision.(sqlite.Revision)
				} else {
					f.failed[name] = err
				}
				f.mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	writers.Wait()
	if len(f.acked) < 10 {
		t.Fatalf("only %d writes before it was full: %v", len(f.acked), f.failed)
	}
	for _, err := range f.failed {
		isFull(t, err)
	}
	f.head = slices.Max(slices.Collect(maps.Values(f.acked)))
	t.Logf("%d writes, then full", len(f.acked))
	return f
}

// isFull wants the error that says so, to programs, to SpiceDB's callers and to people.
func isFull(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, sqlite.ErrFull) {
		t.Errorf("the refusal is %v, want ErrFull", err)
	}
	if code := status.Code(err); code != codes.ResourceExhausted {
		t.Errorf("the refusal has the code %s, want ResourceExhausted", code)
	}
}

// holds checks the content, at the head, and at revisions from before it was full.
func (f *filled) holds(d *sqlite.Datastore) {
	f.t.Helper()
	f.holdsAtHead(d)
	if head := mustHead(f.t, d); !head.Equal(f.head) {
		f.t.Errorf("the head is %s; the last acknowledged write has %d", head, f.head)
	}
	checked := 0
	for name, at := range f.acked {
		if checked++; checked > sized(20, 3) {
			break
		}
		if err := d.CheckRevision(soon(f.t), at); err != nil {
			f.t.Errorf("revision %d: %v", at, err)
		}
		there := count(f.t, d, at, "group")
		for other, since := range f.acked {
			want := 0
			if since <= at {
				want = size(other)
			}
			if there[other] != want {
				f.t.Fatalf("at revision %d of %s, %s of revision %d has %d relationships", at, name, other, since, there[other])
			}
		}
	}
	told := 0
	follow(f.t, d, 1, f.head, func(c datastore.RevisionChanges) {
		told++
		if name := c.RelationshipChanges[0].Relationship.Resource.ObjectID; f.acked[name] != c.Revision || len(c.RelationshipChanges) != size(name) {
			f.t.Errorf("the watch tells of %d changes of %s at %s", len(c.RelationshipChanges), name, c.Revision)
		}
	})
	if told != len(f.acked) {
		f.t.Errorf("the watch tells of %d transactions, %d were acknowledged", told, len(f.acked))
	}
}

// holdsAtHead checks that all that was acknowledged is there, and nothing of what was refused.
func (f *filled) holdsAtHead(d *sqlite.Datastore) {
	f.t.Helper()
	there := count(f.t, d, mustHead(f.t, d), "group")
	for name := range f.acked {
		if there[name] != size(name) {
			f.t.Errorf("%s was acknowledged and has %d relationships", name, there[name])
		}
	}
	for name := range f.failed {
		if there[name] != 0 {
			f.t.Errorf("%s was refused and has %d relationships", name, there[name])
		}
	}
}

// refuses checks that a full datastore refuses another large write, at once, and reads.
func (f *filled) refuses(d *sqlite.Datastore) {
	f.t.Helper()
	name := "more-n5000"
	_, err := update(soon(f.t), d, group("group", name, size(name))...)
	isFull(f.t, err)
	f.failed[name] = err
	f.holdsAtHead(d)
}

// goesOn checks that there is room again: what was refused is written now.
func (f *filled) goesOn(d *sqlite.Datastore) {
	f.t.Helper()
	for name := range f.failed {
		if size(name) > 1000 {
			continue
		}
		revision, err := update(soon(f.t), d, group("group", name, size(name))...)
		if err != nil {
			f.t.Fatalf("there is room again, and a write: %v", err)
		}
		if !revision.GreaterThan(f.head) {
			f.t.Errorf("the write has revision %s after %d", revision, f.head)
		}
		f.head = revision.(sqlite.Revision)
		f.acked[name] = f.head
		delete(f.failed, name)
	}
	f.holdsAtHead(d)
}
