package engine

import (
	"context"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
)

// serialised is a datastore that takes one write transaction at a time.
//
// SpiceDB's memory datastore numbers a transaction before it waits for its turn, so
// that of two at once the one to finish last can bear the smaller number. Readers, who
// go by the numbers, then miss it: the write was acknowledged and does not show.
type serialised struct {
	datastore.Datastore
	turn chan struct{}
}

func serialise(d datastore.Datastore) datastore.Datastore {
	return &serialised{Datastore: d, turn: make(chan struct{}, 1)}
}

// ReadWriteTx waits for its turn, or for the end of ctx, and passes the transaction on.
func (s *serialised) ReadWriteTx(
	ctx context.Context, fn datastore.TxUserFunc, opts ...options.RWTOptionsOption,
) (datastore.Revision, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return datastore.NoRevision, context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	return s.Datastore.ReadWriteTx(ctx, fn, opts...)
}

// Unwrap lets SpiceDB find the optional capabilities of the datastore underneath.
func (s *serialised) Unwrap() datastore.Datastore { return s.Datastore }
