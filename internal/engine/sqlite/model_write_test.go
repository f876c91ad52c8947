package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	"pgregory.net/rapid"
)

// step is a part of a transaction, done to the datastore and to the model's draft alike.
// Its errors are a refusal, which the model expects too, or a difference between the two.
type step func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, at int) error

// refusal is an error that the model says a transaction has to give.
type refusal struct{ error }

// refused is for a step that the model refuses: the datastore must do so too, and say why.
func refused[E error](what string, err error) error {
	if is, ok := errors.AsType[E](err); !ok {
		return fmt.Errorf("%s: got the error %w, want a %T", what, err, is)
	}
	return refusal{err}
}

// drawWrite draws a call of WriteRelationships.
func drawWrite(t *rapid.T, s *state) step {
	var updates []tuple.RelationshipUpdate
	for _, r := range drawRelationships(t, s.known(), 6) {
		updates = append(updates, rapid.SampledFrom([]func(tuple.Relationship) tuple.RelationshipUpdate{
			tuple.Touch, tuple.Delete, tuple.Create, tuple.Touch,
		}).Draw(t, "operation")(r))
	}
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		err := tx.WriteRelationships(ctx, slices.Clone(updates))
		for _, u := range updates {
			is, there := draft.rels[u.Relationship.RelationshipReference]
			switch {
			case u.Operation == tuple.UpdateOperationCreate && there:
				return refused[datastore.CreateRelationshipExistsError]("creating "+render(u.Relationship), err)
			case u.Operation == tuple.UpdateOperationDelete:
				delete(draft.rels, u.Relationship.RelationshipReference)
				draft.touched = draft.touched || there
			case !there || render(is.Relationship) != render(u.Relationship):
				draft.put(u.Relationship)
			}
		}
		return err
	}
}

// drawBulk draws a call of BulkLoad.
func drawBulk(t *rapid.T, s *state) step {
	var known []tuple.Relationship
	if chance(t, 4, "from the known") {
		known = s.known()
	}
	rels := drawRelationships(t, known, 10)
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		n, err := tx.BulkLoad(ctx, &source{rels: rels})
		for _, r := range rels {
			if _, there := draft.rels[r.RelationshipReference]; there {
				return refused[datastore.CreateRelationshipExistsError]("loading "+render(r), err)
			}
			draft.put(r)
		}
		if err == nil && n != uint64(len(rels)) {
			return fmt.Errorf("loaded %d of %d relationships", n, len(rels))
		}
		return err
	}
}

// source hands relationships to BulkLoad, in one piece of memory, as it may.
type source struct {
	rels []tuple.Relationship
	one  tuple.Relationship
}

func (s *source) Next(context.Context) (*tuple.Relationship, error) {
	if len(s.rels) == 0 {
		return nil, nil // the end, as the interface has it
	}
	s.one, s.rels = s.rels[0], s.rels[1:]
	return &s.one, nil
}

// drawDelete draws a call of DeleteRelationships.
func drawDelete(t *rapid.T, _ *state) step {
	filter := drawDeletion(t)
	var most *uint64
	if rapid.Bool().Draw(t, "limited") {
		n := rapid.Uint64Range(0, 5).Draw(t, "limit")
		most = &n
	}
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		n, reached, err := tx.DeleteRelationships(ctx, filter, options.WithDeleteLimit(most))
		if err != nil {
			return err
		}
		matching, err := draft.matching(filter)
		if err != nil {
			return err
		}
		want := uint64(len(matching))
		if most != nil && *most > 0 { // 0 is no limit
			want = min(want, *most)
		}
		if n != want || reached != (most != nil && *most > 0 && want == *most) {
			return fmt.Errorf("deleting %v with limit %v: %d deleted, reached %v; %d match", filter, most, n, reached, len(matching))
		}
		draft.touched = draft.touched || n > 0
		// With a limit any of those that match may go: see which are left.
		left, err := query{skipExpiration: true}.all(ctx, tx)
		if err != nil {
			return err
		}
		is := make(map[tuple.RelationshipReference]bool, len(left))
		for _, r := range left {
			is[r.RelationshipReference] = true
		}
		for _, ref := range matching {
			if !is[ref] {
				delete(draft.rels, ref)
				n--
			}
		}
		if n != 0 || len(left) != len(draft.rels) {
			return fmt.Errorf("deleting %v with limit %v: %d are left, not %d", filter, most, len(left), len(draft.rels))
		}
		return nil
	}
}

// matching is what a deletion is about, expired or not.
func (s *state) matching(filter *v1.RelationshipFilter) ([]tuple.RelationshipReference, error) {
	f, err := datastore.RelationshipsFilterFromPublicFilter(filter)
	if err != nil {
		return nil, err
	}
	var out []tuple.RelationshipReference
	for _, r := range s.answer(query{forward: f, expired: true}, time.Time{}) {
		out = append(out, r.RelationshipReference)
	}
	return out, nil
}

// drawAsk draws a question inside a transaction, which sees what was written before it.
func drawAsk(t *rapid.T, s *state) step {
	q := drawQuery(t, s.known())
	size := rapid.Uint64Range(1, 5).Draw(t, "page")
	return func(ctx context.Context, tx datastore.ReadWriteTransaction, draft *state, _ int) error {
		if err := draft.check(ctx, tx, q); err != nil {
			return fmt.Errorf("in a transaction: %w", err)
		}
		if err := nested(ctx, tx, draft, q); err != nil {
			return fmt.Errorf("in a transaction: %w", err)
		}
		if q.sort == options.Unsorted {
			return nil
		}
		if err := draft.page(ctx, tx, q, size); err != nil {
			return fmt.Errorf("in a transaction: %w", err)
		}
		return nil
	}
}

// nested asks the same again while it takes the answer.
func nested(ctx context.Context, r datastore.Reader, s *state, q query) error {
	rows, err := q.on(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	var has []tuple.Relationship
	for rel, err := range rows {
		if err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
		if has = append(has, rel); len(has) <= 2 {
			if err := s.check(ctx, r, q); err != nil {
				return fmt.Errorf("within another: %w", err)
			}
		}
	}
	alone, err := q.all(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", q, err)
	}
	if !slices.Equal(renderAll(has), renderAll(alone)) {
		return fmt.Errorf("%s: asking in between changes the answer from %q to %q", q, renderAll(alone), renderAll(has))
	}
	return nil
}

// errChanged is a caller's own reason to give a transaction up.
var errChanged = errors.New("the caller has changed their mind")

func drawGiveUp(*rapid.T, *state) step {
	return func(context.Context, datastore.ReadWriteTransaction, *state, int) error { return refusal{errChanged} }
}

// drawSteps draws the parts of a transaction.
func drawSteps(t *rapid.T, s *state) []step {
	kinds := map[string]func(*rapid.T, *state) step{
		"write": drawWrite, "load": drawBulk, "delete": drawDelete, "ask": drawAsk, "define": drawDefinition,
		"drop": drawDrop, "schema": drawSchema, "count": drawCounter, "look": drawLook,
	}
	// What comes first is drawn most often.
	names := []string{"write", "write", "load", "delete", "ask", "write", "define", "drop", "schema", "count", "ask", "delete", "look", "drop"}
	var out []step
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		out = append(out, kinds[rapid.SampledFrom(names).Draw(t, "step")](t, s))
	}
	if chance(t, 10, "give up") {
		out = append(out, drawGiveUp(t, s))
	}
	return out
}
