package sqlite

import (
	"context"
	"errors"

	"github.com/authzed/spicedb/pkg/datastore"
)

// Statistics tells how much there is: the number of relationships, those included that have
// expired and were not collected yet, and the object types.
func (d *Datastore) Statistics(ctx context.Context) (datastore.Stats, error) {
	if err := d.refresh(ctx); err != nil {
		return datastore.Stats{}, err
	}
	head := d.head.get()
	types, err := d.objectTypes(ctx, head.revision)
	if err != nil {
		return datastore.Stats{}, err
	}
	return datastore.Stats{
		UniqueID:                   d.uniqueID,
		EstimatedRelationshipCount: uint64(max(0, head.relationships)),
		ObjectTypeStatistics:       datastore.ComputeObjectTypeStats(types),
	}, nil
}

// objectTypes gives the object definitions: those of the schema, or else those that were written
// one by one.
func (d *Datastore) objectTypes(ctx context.Context, at Revision) ([]datastore.RevisionedNamespace, error) {
	r := d.SnapshotReader(at)
	schema, err := r.ReadStoredSchema(ctx)
	if errors.Is(err, datastore.ErrSchemaNotFound) {
		return r.LegacyListAllNamespaces(ctx)
	}
	if err != nil {
		return nil, err
	}
	var out []datastore.RevisionedNamespace
	for _, definition := range schema.Get().GetV1().GetNamespaceDefinitions() {
		out = append(out, datastore.RevisionedNamespace{Definition: definition, LastWrittenRevision: at})
	}
	return out, nil
}
