package sqlite

import (
	"context"
	"errors"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
	sqlite3 "zombiezen.com/go/sqlite"
)

// deleteChunk is how many relationships are looked up and then deleted at a time.
const deleteChunk = 1000

// DeleteRelationships deletes what matches a filter, expired or not, at most as many as the limit
// says. It returns how many it deleted, and whether it stopped at the limit.
func (tx *transaction) DeleteRelationships(
	ctx context.Context, filter *v1.RelationshipFilter, opts ...options.DeleteOptionsOption,
) (uint64, bool, error) {
	matching, err := datastore.RelationshipsFilterFromPublicFilter(filter)
	if err != nil {
		return 0, false, err
	}
	most := limit(options.NewDeleteOptionsWithOptions(opts...).DeleteLimit)
	if most == 0 { // SpiceDB's way to say none
		most = -1
	}
	var n int64
	err = tx.do(ctx, func() error {
		n, err = tx.deleteMatching(ctx, matching, most)
		return err
	})
	return uint64(n), most > 0 && n == most, err //nolint:gosec // a count is not negative
}

// deleteMatching deletes what matches a filter, up to a number if that is not -1.
func (tx *transaction) deleteMatching(ctx context.Context, filter datastore.RelationshipsFilter, most int64) (int64, error) {
	var n int64
	for most < 0 || n < most {
		chunk := uint64(deleteChunk)
		if most >= 0 {
			chunk = min(chunk, uint64(most-n))
		}
		p, err := forward(tx.kinds(), filter, options.NewQueryOptionsWithOptions(
			options.WithLimit(&chunk), options.WithSkipExpiration(true), options.WithSkipCaveats(true)))
		if err != nil {
			return n, err
		}
		found, err := tx.all(ctx, &p)
		if err != nil {
			return n, err
		}
		for _, r := range found {
			if err := tx.delete(r.RelationshipReference); err != nil {
				return n, err
			}
		}
		n += int64(len(found))
		if uint64(len(found)) < chunk {
			return n, nil
		}
	}
	return n, nil
}

// all reads a plan; the transaction's connection is the caller's.
func (tx *transaction) all(ctx context.Context, p *plan) ([]tuple.Relationship, error) {
	r, err := begin(tx.conn, p, tx.number, tx.store.cfg.Now(), false, true)
	if err != nil {
		return nil, err
	}
	found, err := drain(r, nil, func() error { return over(ctx) })
	return found, errors.Join(err, r.end())
}

// delete deletes a relationship, if it is there.
func (tx *transaction) delete(r tuple.RelationshipReference) error {
	k := tx.known(r)
	if k == nil {
		return nil
	}
	there, found, err := tx.held(k, r)
	if err != nil || !found {
		return err
	}
	if err := tx.end(k, r, there); err != nil {
		return err
	}
	err = tx.conn.exec("DELETE FROM live WHERE kind = ? AND resource_id = ? AND subject_id = ?", k.id, r.Resource.ObjectID, r.Subject.ObjectID)
	if err != nil {
		return err
	}
	tx.relationships--
	op := deleted
	if there.since == tx.number {
		before, err := tx.was(k, r)
		if err != nil {
			return err
		}
		if !before {
			op = undone
		}
	}
	return tx.note(op, k, r, content{})
}

// was reports whether a relationship was there before the transaction changed it.
func (tx *transaction) was(k *kind, r tuple.RelationshipReference) (before bool, _ error) {
	err := tx.conn.query("SELECT 1 FROM past WHERE kind = ? AND resource_id = ? AND until = ? AND subject_id = ?",
		func(*sqlite3.Stmt) error {
			before = true
			return nil
		}, k.id, r.Resource.ObjectID, tx.number, r.Subject.ObjectID)
	return before, err
}
