package schemacheck

import (
	"context"
	"sync"

	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/development"
)

// RememberDefinitions makes checks in a world, whose schema does not change any
// more, decode each definition once. SpiceDB's store in memory decodes it anew for
// every step of every check, which was more than half of the time that assertions took.
func RememberDefinitions(world *development.DevContext) {
	world.DataLayer = &rememberingLayer{DataLayer: world.DataLayer}
	world.Ctx = datalayer.ContextWithDataLayer(world.Ctx, world.DataLayer)
}

type rememberingLayer struct {
	datalayer.DataLayer
	definitions sync.Map // of a name, datastore.RevisionedTypeDefinition
}

// SnapshotReader reads at a revision; the definitions are those of the first read.
func (l *rememberingLayer) SnapshotReader(at datastore.Revision, hash datalayer.SchemaHash) datalayer.RevisionedReader {
	return rememberingReader{l.DataLayer.SnapshotReader(at, hash), l}
}

// ReadWriteTx writes; the definitions are those of the first read.
func (l *rememberingLayer) ReadWriteTx(ctx context.Context, do datalayer.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	return l.DataLayer.ReadWriteTx(ctx, func(ctx context.Context, tx datalayer.ReadWriteTransaction) error {
		return do(ctx, rememberingTx{tx, l})
	}, opts...)
}

type rememberingTx struct {
	datalayer.ReadWriteTransaction
	layer *rememberingLayer
}

// ReadSchema returns a reader that looks into what is remembered first.
func (t rememberingTx) ReadSchema(ctx context.Context) (datalayer.SchemaReader, error) {
	return rememberingReader{t.ReadWriteTransaction, t.layer}.ReadSchema(ctx)
}

type rememberingReader struct {
	datalayer.RevisionedReader
	layer *rememberingLayer
}

// ReadSchema returns a reader that looks into what is remembered first.
func (r rememberingReader) ReadSchema(ctx context.Context) (datalayer.SchemaReader, error) {
	schema, err := r.RevisionedReader.ReadSchema(ctx)
	if err != nil {
		return nil, err
	}
	return rememberingSchema{schema, r.layer}, nil
}

type rememberingSchema struct {
	datalayer.SchemaReader
	layer *rememberingLayer
}

// LookupTypeDefByName returns a definition.
func (s rememberingSchema) LookupTypeDefByName(ctx context.Context, name string) (datastore.RevisionedTypeDefinition, bool, error) {
	if known, ok := s.layer.definitions.Load(name); ok {
		return known.(datastore.RevisionedTypeDefinition), true, nil
	}
	found, ok, err := s.SchemaReader.LookupTypeDefByName(ctx, name)
	if err == nil && ok {
		s.layer.definitions.Store(name, found)
	}
	return found, ok, err
}

// LookupTypeDefinitionsByNames returns the definitions that there are of some names.
func (s rememberingSchema) LookupTypeDefinitionsByNames(ctx context.Context, names []string) (map[string]datastore.TypeDefinition, error) {
	found := make(map[string]datastore.TypeDefinition, len(names))
	for _, name := range names {
		definition, ok, err := s.LookupTypeDefByName(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			found[name] = definition.Definition
		}
	}
	return found, nil
}
