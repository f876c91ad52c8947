package stores

import (
	"context"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
)

// oneWriter lets one write transaction at a time into SpiceDB's memory datastore, which
// loses acknowledged writes otherwise; Tenantry guards it in the same way.
type oneWriter struct {
	datastore.Datastore
	turn chan struct{}
}

// ReadWriteTx waits for its turn, or for the end of ctx.
func (o oneWriter) ReadWriteTx(ctx context.Context, fn datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return datastore.NoRevision, context.Cause(ctx)
	}
	defer func() { <-o.turn }()
	return o.Datastore.ReadWriteTx(ctx, fn, opts...)
}

// Unwrap lets SpiceDB find the optional capabilities of the datastore underneath.
func (o oneWriter) Unwrap() datastore.Datastore { return o.Datastore }
