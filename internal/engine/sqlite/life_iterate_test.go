package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// load fills a resource type with n relationships in groups of 100, in one transaction.
func load(t testing.TB, d datastore.Datastore, kind string, n int) datastore.Revision {
	t.Helper()
	revision, err := d.ReadWriteTx(lasting(t, 5*time.Minute), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		loaded, err := tx.BulkLoad(ctx, &many{kind: kind, n: n})
		if err == nil && loaded != uint64(n) {
			err = fmt.Errorf("%d of %d loaded", loaded, n)
		}
		return err
	})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return revision
}

// many hands a bulk load n relationships.
type many struct {
	kind    string
	next, n int
	last    tuple.Relationship
}

func (m *many) Next(context.Context) (*tuple.Relationship, error) {
	if m.next == m.n {
		return nil, nil //nolint:nilnil // the interface's way to say the end
	}
	m.last = tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: m.kind, ObjectID: fmt.Sprintf("%07d", m.next/100), Relation: "part"},
		Subject:  tuple.ObjectAndRelation{ObjectType: "thing", ObjectID: fmt.Sprintf("%02d", m.next%100), Relation: tuple.Ellipsis},
	}}
	m.next++
	return &m.last, nil
}

// pull starts a query whose rows are taken one at a time.
func pull(t testing.TB, d datastore.Datastore, at datastore.Revision, kind string) (next func() (tuple.Relationship, error, bool), stop func()) {
	t.Helper()
	found, err := scan(soon(t), d, at, kind)
	if err != nil {
		t.Fatal(err)
	}
	return iter.Pull2(iter.Seq2[tuple.Relationship, error](found))
}

// TestLife_MoreQueriesThanConnections holds many half-read queries, more than there are
// connections, and expects that everything else goes on, and that each query then ends with what
// was there at its own revision.
func TestLife_MoreQueriesThanConnections(t *testing.T) {
	queries, rows, few := sized(200, 80), sized(5000, 1000), sized(30, 10)
	path := fresh(t)
	d := running(t, sqlite.Config{Path: path, Readers: 4})
	load(t, d, "group", rows)
	type held struct {
		next func() (tuple.Relationship, error, bool)
		stop func()
		rows int
		want int
	}
	all := make([]*held, queries)
	for i := range all {
		// One more relationship at each revision.
		at := mustUpdate(t, d, tuple.Touch(tuple.MustParse(fmt.Sprintf("group:extra#part@thing:%d", i))))
		h := &held{want: rows + i + 1}
		h.next, h.stop = pull(t, d, at, "group")
		defer h.stop()
		for range rows / 2 {
			if _, err, ok := h.next(); err != nil || !ok {
				t.Fatalf("query %d ends at row %d: %v", i, h.rows, err)
			}
			h.rows++
		}
		all[i] = h
	}
	for i := range rows / 100 { // meanwhile: writes, reads, deletions of what the queries have yet to read
		at := mustUpdate(t, d, group("other", fmt.Sprintf("%d-n10", i), 10)...)
		if n := partsOf(t, d, at, "other", fmt.Sprintf("%d-n10", i)); n != 10 {
			t.Errorf("%d relationships, want 10", n)
		}
		updates := group("group", fmt.Sprintf("%07d", i), 0)
		for s := range 100 {
			updates = append(updates, tuple.Delete(tuple.MustParse(fmt.Sprintf("group:%07d#part@thing:%02d", i, s))))
		}
		mustUpdate(t, d, updates...)
	}
	foreign(t, path, "PRAGMA wal_checkpoint(PASSIVE)")
	if err := datastore.RunGarbageCollection(soon(t), d, time.Hour); err != nil {
		t.Errorf("a collection: %v", err)
	}
	for i, h := range all[:few] { // the rest are left as they are
		for {
			_, err, ok := h.next()
			if err != nil {
				t.Fatalf("query %d at row %d: %v", i, h.rows, err)
			}
			if !ok {
				break
			}
			h.rows++
		}
		if h.rows != h.want {
			t.Errorf("query %d gives %d rows, want %d", i, h.rows, h.want)
		}
	}
	if n := len(count(t, d, mustHead(t, d), "group")); n != 1 {
		t.Errorf("%d groups are left, want only the extra one", n)
	}
}

func TestLife_ACancelledQueryEnds(t *testing.T) {
	d, groups := running(t, sqlite.Config{Path: fresh(t)}), sized(1000, 100)
	at := load(t, d, "group", groups*100)
	for _, after := range []int{0, 1, 150, 5000} {
		ctx, cancel := context.WithCancel(soon(t))
		found, err := scan(ctx, d, at, "group")
		if err != nil {
			t.Fatal(err)
		}
		rows, ended := 0, error(nil)
		if after == 0 {
			cancel()
		}
		for _, err := range found {
			if err != nil {
				ended = err
				break
			}
			if rows++; rows == after {
				cancel()
			}
		}
		cancel()
		if !errors.Is(ended, context.Canceled) {
			t.Errorf("cancelled after %d rows, it ends after %d with %v", after, rows, ended)
		}
	}
	if n := len(count(t, d, at, "group")); n != groups {
		t.Errorf("afterwards there are %d groups, want %d", n, groups)
	}
}

// A query that is given up halfway gives its connection back, each time.
func TestLife_AbandonedQueriesLeaveNothing(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t), Readers: 2})
	at := load(t, d, "group", 5000)
	for i := range sized(300, 30) {
		found, err := scan(soon(t), d, at, "group")
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, err := range found {
			if err != nil {
				t.Fatal(err)
			}
			if rows++; rows > i*170%5000 {
				break
			}
		}
	}
	mustUpdate(t, d, group("other", "a-n3", 3)...)
}

// A caller may query, or write, while it goes through the rows of a query.
func TestLife_QueriesWithinQueries(t *testing.T) {
	d := running(t, sqlite.Config{Path: fresh(t), Readers: 2})
	at := load(t, d, "group", 1000)
	var nested func(depth int) int
	nested = func(depth int) (n int) {
		err := each(soon(t), d, at, "group", func(tuple.Relationship) {
			if n++; depth < 20 && n == 1 {
				n += nested(depth + 1)
			}
			if depth == 20 && n%100 == 0 {
				mustUpdate(t, d, group("other", fmt.Sprintf("%d-n3", n), 3)...)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := nested(0); n != 21*1000 {
		t.Errorf("%d rows, want 21 times 1000", n)
	}
	if found := count(t, d, mustHead(t, d), "other"); len(found) != 10 {
		t.Errorf("%d writes were made on the way, want 10", len(found))
	}
}
