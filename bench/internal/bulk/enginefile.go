package bulk

import (
	"context"
	"errors"
	"iter"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/engine/sqlite"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// EngineFile makes the file of an embedded engine, and fills it as Engine does, but without
// SpiceDB in between, which takes most of the time to look at every relationship.
func EngineFile(ctx context.Context, file string, w *tree.World) error {
	e, err := engine.Embedded(ctx, engine.EmbeddedConfig{File: file})
	if err != nil {
		return err
	}
	_, err = engine.ApplySchema(ctx, e.Conn(), schema.Built(), engine.Apply)
	if err := errors.Join(err, e.Close()); err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, sqlite.Config{Path: file})
	if err != nil {
		return err
	}
	return errors.Join(pour(ctx, store, w), store.Close())
}

// pour loads all relationships, in transactions.
func pour(ctx context.Context, store datastore.Datastore, w *tree.World) error {
	next, stop := iter.Pull2(relationships(w))
	defer stop()
	s := source{next: next}
	for !s.done {
		if _, err := store.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
			s.left = transaction
			_, err := tx.BulkLoad(ctx, &s)
			return err
		}, options.WithDisableRetries(true)); err != nil {
			return err
		}
	}
	return nil
}

// relationships is each as an iterator, which ends at the first error.
func relationships(w *tree.World) iter.Seq2[relation.Relationship, error] {
	return func(yield func(relation.Relationship, error) bool) {
		enough := errors.New("nobody wants more")
		err := each(w, func(r relation.Relationship) error {
			if !yield(r, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(relation.Relationship{}, err)
		}
	}
}

// source is the relationships of one transaction after the other.
type source struct {
	next    func() (relation.Relationship, error, bool)
	left    int  // in this transaction
	done    bool // there are no more
	current tuple.Relationship
}

// Next returns nil at the end of a transaction.
func (s *source) Next(context.Context) (*tuple.Relationship, error) {
	if s.left == 0 {
		return nil, nil
	}
	r, err, more := s.next()
	if !more || err != nil {
		s.done = true
		return nil, err
	}
	s.left--
	s.current = tuple.FromV1Relationship(r.Proto())
	return &s.current, nil
}
