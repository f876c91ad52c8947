package sqlite

import (
	"context"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
)

// page is how many rows are read before the first is handed over; most results are shorter, and
// then the connection is free again.
const page = 256

// reader reads the store at one revision. A transaction reads through one as well, on its own
// connection and with what it has written.
type reader struct {
	store *Datastore
	at    Revision
	err   error        // why it cannot read
	tx    *transaction // nil outside of one
}

// SnapshotReader reads at a revision. If that cannot be read, the reader's methods say so.
func (d *Datastore) SnapshotReader(revision datastore.Revision) datastore.Reader {
	r, ok := revision.(Revision)
	if !ok {
		return &reader{store: d, err: unknown(revision)}
	}
	return &reader{store: d, at: r}
}

// QueryRelationships reads relationships that match a filter. Without an order they come in any;
// ByResource is by resource type, id, relation, subject type, id, relation, bytewise; BySubject
// by the subject's parts first. Cursors need an order (ErrCursorsWithoutSorting).
func (r *reader) QueryRelationships(
	ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption,
) (datastore.RelationshipIterator, error) {
	return r.plan(ctx, func(k *kinds) (plan, error) {
		return forward(k, filter, options.NewQueryOptionsWithOptions(opts...))
	})
}

// ReverseQueryRelationships reads relationships to subjects; otherwise as QueryRelationships.
func (r *reader) ReverseQueryRelationships(
	ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption,
) (datastore.RelationshipIterator, error) {
	return r.plan(ctx, func(k *kinds) (plan, error) {
		return reverse(k, filter, options.NewReverseQueryOptionsWithOptions(opts...))
	})
}

func (r *reader) plan(ctx context.Context, make func(*kinds) (plan, error)) (datastore.RelationshipIterator, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.tx != nil {
		p, err := make(r.tx.kinds())
		return r.tx.iterate(ctx, p), err
	}
	if err := r.store.reach(ctx, r.at); err != nil {
		return nil, err
	}
	p, err := make(r.store.kinds.Load())
	return r.store.iterate(ctx, p, r.at), err
}

// iterate reads a plan when it is ranged over.
func (d *Datastore) iterate(ctx context.Context, p plan, at Revision) datastore.RelationshipIterator {
	return func(yield func(tuple.Relationship, error) bool) {
		if len(p.arms) == 0 {
			return
		}
		l, err := d.readers.get(ctx)
		if err != nil {
			yield(tuple.Relationship{}, err)
			return
		}
		held := true
		release := func() {
			if held {
				held = false
				l.put()
			}
		}
		defer release()
		r, first, err := d.first(l.conn, &p, at)
		if err != nil {
			yield(tuple.Relationship{}, err)
			return
		}
		defer func() {
			if held {
				_ = r.end() // a read transaction has nothing to lose
			}
		}()

		buffer, more, err := fill(ctx, r, first)
		if err == nil && more && !l.park() {
			more = false
			buffer, err = drain(ctx, r, buffer)
		}
		if err == nil && !more {
			err = r.end()
			release()
		}
		for i := range buffer {
			if !yield(buffer[i], nil) {
				return
			}
		}
		for err == nil && more {
			var rel tuple.Relationship
			if rel, more, err = r.next(); err == nil && more && !yield(rel, nil) {
				return
			}
			if err == nil && ctx.Err() != nil {
				err = ended(ctx)
			}
		}
		if err != nil {
			yield(tuple.Relationship{}, err)
		}
	}
}

// first begins reading a plan and takes its first row, if there is one.
//
// What was deleted or changed since a revision lies in the past, and a reader of the head need
// not look there. Whether a commit came in between is known once the first row is read: until
// then the reader's state of the file was still open, and from then on it is fixed.
func (d *Datastore) first(c *conn, p *plan, at Revision) (*rows, []tuple.Relationship, error) {
	history := d.head.ending.Load() > int64(at)
	for {
		r, err := begin(c, p, at, time.Now(), history, false)
		if err != nil {
			return nil, nil, err
		}
		buffer := make([]tuple.Relationship, 0, 8)
		rel, more, err := r.next()
		if err != nil {
			_ = r.end() // the first error counts
			return nil, nil, err
		}
		if err := d.complete(c, at); err != nil {
			_ = r.end() // the first error counts
			return nil, nil, err
		}
		if !history && d.head.ending.Load() > int64(at) {
			if err := r.end(); err != nil {
				return nil, nil, err
			}
			history = true
			continue
		}
		if more {
			buffer = append(buffer, rel)
		}
		return r, buffer, nil
	}
}

// fill reads up to a page; more says whether it is full.
func fill(ctx context.Context, r *rows, buffer []tuple.Relationship) (_ []tuple.Relationship, more bool, _ error) {
	if len(buffer) == 0 {
		return buffer, false, nil
	}
	for len(buffer) < page {
		rel, more, err := r.next()
		if err != nil || !more {
			return buffer, false, err
		}
		buffer = append(buffer, rel)
	}
	return buffer, true, context.Cause(ctx)
}

// drain reads all that is left.
func drain(ctx context.Context, r *rows, buffer []tuple.Relationship) ([]tuple.Relationship, error) {
	for {
		rel, more, err := r.next()
		if err != nil || !more {
			return buffer, err
		}
		buffer = append(buffer, rel)
		if len(buffer)%page == 0 && ctx.Err() != nil {
			return buffer, ended(ctx)
		}
	}
}
