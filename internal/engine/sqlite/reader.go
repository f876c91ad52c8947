package sqlite

import (
	"context"

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
		var p plan
		err := r.tx.do(ctx, func() (err error) {
			p, err = make(r.tx.kinds())
			return err
		})
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
		s := scan{store: d, plan: &p, at: at}
		if err := s.begin(ctx); err != nil {
			yield(tuple.Relationship{}, err)
			return
		}
		defer s.end()
		for {
			for i := range s.page {
				if !yield(s.page[i], nil) {
					return
				}
			}
			if !s.more {
				return
			}
			if err := s.next(ctx); err != nil {
				yield(tuple.Relationship{}, err)
				return
			}
		}
	}
}

// scan hands over a plan's rows by the page.
type scan struct {
	store *Datastore
	plan  *plan
	at    Revision

	lease *lease // nil when all was read
	rows  *rows
	page  []tuple.Relationship
	more  bool // there may be another page
}

// begin reads the first page. If there are more, it parks or, if it cannot, reads them too.
func (s *scan) begin(ctx context.Context) error {
	l, err := s.store.readers.get(ctx)
	if err != nil {
		return err
	}
	s.lease = l
	l.do(func() {
		if s.rows, s.page, err = s.store.first(l.conn, s.plan, s.at); err != nil {
			return
		}
		s.page, s.more, err = fill(s.rows, s.page)
		if err == nil && s.more && !l.park() {
			s.page, err = drain(s.rows, s.page, func() error { return s.store.goOn(ctx) })
			s.more = false
		}
	})
	if err != nil || !s.more {
		s.end()
	}
	return err
}

// next reads another page.
func (s *scan) next(ctx context.Context) error {
	if err := s.store.goOn(ctx); err != nil {
		return err
	}
	var err error
	s.lease.do(func() { s.page, s.more, err = fill(s.rows, s.page[:0]) })
	if !s.more {
		s.end()
	}
	return err
}

// end gives the connection back. It may be called again.
func (s *scan) end() {
	if s.lease == nil {
		return
	}
	if s.rows != nil {
		s.lease.do(func() { _ = s.rows.end() }) // a read transaction has nothing to lose
	}
	s.lease.put()
	s.lease = nil
}

// first begins reading a plan and takes its first row, if there is one.
//
// What was deleted or changed since a revision lies in the past, and a reader of the head need
// not look there. Whether a commit came in between is known once the first row is read: until
// then the reader's state of the file was still open, and from then on it is fixed.
func (d *Datastore) first(c *conn, p *plan, at Revision) (*rows, []tuple.Relationship, error) {
	history := d.head.ending.Load() > int64(at)
	for {
		r, err := begin(c, p, at, d.cfg.Now(), history, false)
		if err != nil {
			return nil, nil, err
		}
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
		if !more {
			return r, nil, nil
		}
		return r, append(make([]tuple.Relationship, 0, 4), rel), nil
	}
}

// fill reads up to a page; more says whether it is full.
func fill(r *rows, buffer []tuple.Relationship) (_ []tuple.Relationship, more bool, _ error) {
	for len(buffer) < page {
		rel, more, err := r.next()
		if err != nil || !more {
			return buffer, false, err
		}
		buffer = append(buffer, rel)
	}
	return buffer, true, nil
}

// drain reads all that is left; goOn is asked after every page.
func drain(r *rows, buffer []tuple.Relationship, goOn func() error) ([]tuple.Relationship, error) {
	for {
		rel, more, err := r.next()
		if err != nil || !more {
			return buffer, err
		}
		buffer = append(buffer, rel)
		if len(buffer)%page == 0 {
			if err := goOn(); err != nil {
				return buffer, err
			}
		}
	}
}
