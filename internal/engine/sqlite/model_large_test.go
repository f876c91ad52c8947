package sqlite_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

// TestModelLarge compares with the model where a result, a list of ids, a transaction or a
// history is longer than what is read, asked, written or told in one piece.
func TestModelLarge(t *testing.T) {
	ds, err := opened(t, sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	m := &model{}
	m.commit(first, newState(), nil)
	// do runs a transaction, on the datastore and on the model.
	do := func(change func(context.Context, datastore.ReadWriteTransaction, *state) error) {
		t.Helper()
		draft := m.head().state.draft()
		at, err := ds.ReadWriteTx(t.Context(), func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			return change(ctx, tx, draft)
		})
		if err != nil {
			t.Fatal(err)
		}
		m.commit(at, draft, nil)
	}

	const folders, documents = 40, 40
	do(func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state) error {
		var all []tuple.Relationship
		for f := range folders {
			for d := range documents {
				for _, kind := range []string{"doc:d%d#viewer@user:u%d", "doc:d%d#viewer@team:t%d#member", "folder:folder-with-a-rather-long-name-%d#view@user:u%d"} {
					r := tuple.MustParse(fmt.Sprintf(kind, d, f))
					all = append(all, r)
					draft.put(r)
				}
			}
		}
		n, err := tx.BulkLoad(ctx, &source{rels: all})
		if err == nil && n != uint64(len(all)) {
			err = fmt.Errorf("loaded %d of %d", n, len(all))
		}
		return err
	})
	// Many small transactions, each with an end and a beginning. What ends later sorts before.
	for i := range 250 {
		do(func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state) error {
			gone := tuple.MustParse(fmt.Sprintf("doc:d%d#viewer@user:u%d", 18-i%8, 49-i/8))
			there := tuple.MustParse(fmt.Sprintf("doc:d%d#viewer@user:new%d", i%documents, i))
			delete(draft.rels, gone.RelationshipReference)
			draft.put(there)
			return tx.WriteRelationships(ctx, []tuple.RelationshipUpdate{tuple.Delete(gone), tuple.Touch(there)})
		})
	}
	do(func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state) error {
		most := uint64(1300)
		n, reached, err := tx.DeleteRelationships(ctx, &v1.RelationshipFilter{ResourceType: "folder"}, options.WithDeleteLimit(&most))
		if err != nil || n != most || !reached {
			return fmt.Errorf("deleted %d, reached %v: %w", n, reached, err)
		}
		left, err := query{forward: datastore.RelationshipsFilter{OptionalResourceType: "folder"}}.all(ctx, tx)
		if err != nil || len(left) != folders*documents-int(most) {
			return fmt.Errorf("%d are left: %w", len(left), err)
		}
		filter := datastore.RelationshipsFilter{OptionalResourceType: "folder"}
		for _, r := range draft.answer(query{forward: filter}, time.Now()) {
			delete(draft.rels, r.RelationshipReference)
		}
		for _, r := range left {
			draft.rels[r.RelationshipReference] = m.head().state.rels[r.RelationshipReference]
		}
		return nil
	})

	for _, i := range []int{len(m.history) / 2, len(m.history) - 1} {
		t.Run(fmt.Sprintf("revision %d of %d", i, len(m.history)), func(t *testing.T) {
			moment := m.history[i]
			reader := ds.SnapshotReader(moment.revision)
			for _, q := range large() {
				if err := moment.state.check(t.Context(), reader, q); err != nil {
					t.Error(err)
				}
				if q.sort == options.Unsorted {
					if err := nested(t.Context(), reader, moment.state, q); err != nil {
						t.Error(err)
					}
				} else if err := moment.state.page(t.Context(), reader, q, 700); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, how := range []datastore.EmissionStrategy{datastore.EmitWhenCheckpointedStrategy, datastore.EmitImmediatelyStrategy} {
		for _, from := range []int{0, 1, len(m.history) - 2} {
			if err := m.checkWatch(t.Context(), ds, from, how); err != nil {
				t.Error(err)
			}
		}
	}
}

// large are questions with many answers, or with many ids, in every order.
func large() []query {
	var resources, subjects []string
	for i := range 1100 {
		resources = append(resources, fmt.Sprintf("d%d", i*7%1100))
		subjects = append(subjects, fmt.Sprintf("u%d", i*11%1100), fmt.Sprintf("new%d", i))
	}
	limit := uint64(1000)
	questions := []query{
		{},
		{limit: &limit},
		{forward: datastore.RelationshipsFilter{OptionalResourceType: "doc", OptionalResourceRelation: "viewer"}},
		{forward: datastore.RelationshipsFilter{OptionalResourceIds: resources}},
		{forward: datastore.RelationshipsFilter{OptionalResourceIds: resources, OptionalSubjectsSelectors: []datastore.SubjectsSelector{
			{OptionalSubjectType: "user", OptionalSubjectIds: subjects[:4]}, {OptionalSubjectType: "team"},
		}}},
		{reverse: &datastore.SubjectsFilter{SubjectType: "user"}},
		{reverse: &datastore.SubjectsFilter{SubjectType: "user", OptionalSubjectIds: subjects}, limit: &limit},
		{
			reverse:  &datastore.SubjectsFilter{SubjectType: "user", OptionalSubjectIds: subjects},
			resource: &options.ResourceRelation{Namespace: "doc", Relation: "viewer"},
		},
	}
	var out []query
	for _, order := range []options.SortOrder{options.Unsorted, options.ByResource, options.BySubject, options.ChooseEfficient} {
		for _, q := range questions {
			q.sort = order
			out = append(out, q)
		}
	}
	return out
}
