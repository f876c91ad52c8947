package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"google.golang.org/protobuf/proto"
)

// message is what a document of a definition holds.
type message[M any] interface {
	*M
	proto.Message
	UnmarshalVT(b []byte) error
}

// decode reads a document that holds a message.
func decode[M any, P message[M]](d document) (P, error) {
	m := P(new(M))
	if err := m.UnmarshalVT(d.content); err != nil {
		return nil, fmt.Errorf("reading %q: %w: %w", d.name, ErrCorrupt, err)
	}
	return m, nil
}

// definitions gives the definitions of a category, all of them or those with certain names.
func definitions[M any, P interface {
	message[M]
	datastore.SchemaDefinition
}](ctx context.Context, r *reader, of category, names []string) ([]datastore.RevisionedDefinition[P], error) {
	out := []datastore.RevisionedDefinition[P]{}
	make := func(d document) (any, error) { return decode[M, P](d) }
	take := func(m any, since Revision) {
		out = append(out, datastore.RevisionedDefinition[P]{Definition: m.(P), LastWrittenRevision: since}) //nolint:forcetypeassert // made above
	}
	if names == nil {
		return out, r.made(ctx, of, nil, make, take)
	}
	for _, name := range names {
		if err := r.made(ctx, of, &name, make, take); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LegacyReadNamespaceByName reads an object definition; a NamespaceNotFoundError if there is none.
func (r *reader) LegacyReadNamespaceByName(ctx context.Context, name string) (*core.NamespaceDefinition, datastore.Revision, error) {
	found, err := definitions[core.NamespaceDefinition](ctx, r, namespaces, []string{name})
	switch {
	case err != nil:
		return nil, datastore.NoRevision, err
	case len(found) == 0:
		return nil, datastore.NoRevision, datastore.NewNamespaceNotFoundErr(name)
	}
	return found[0].Definition, found[0].LastWrittenRevision, nil
}

// LegacyListAllNamespaces reads all object definitions, by name.
func (r *reader) LegacyListAllNamespaces(ctx context.Context) ([]datastore.RevisionedNamespace, error) {
	return definitions[core.NamespaceDefinition](ctx, r, namespaces, nil)
}

// LegacyLookupNamespacesWithNames reads those of some object definitions that there are.
func (r *reader) LegacyLookupNamespacesWithNames(ctx context.Context, names []string) ([]datastore.RevisionedNamespace, error) {
	return definitions[core.NamespaceDefinition](ctx, r, namespaces, notNil(names))
}

// LegacyReadCaveatByName reads a caveat; a CaveatNameNotFoundError if there is none.
func (r *reader) LegacyReadCaveatByName(ctx context.Context, name string) (*core.CaveatDefinition, datastore.Revision, error) {
	found, err := definitions[core.CaveatDefinition](ctx, r, caveats, []string{name})
	switch {
	case err != nil:
		return nil, datastore.NoRevision, err
	case len(found) == 0:
		return nil, datastore.NoRevision, datastore.NewCaveatNameNotFoundErr(name)
	}
	return found[0].Definition, found[0].LastWrittenRevision, nil
}

// LegacyListAllCaveats reads all caveats, by name.
func (r *reader) LegacyListAllCaveats(ctx context.Context) ([]datastore.RevisionedCaveat, error) {
	return definitions[core.CaveatDefinition](ctx, r, caveats, nil)
}

// LegacyLookupCaveatsWithNames reads those of some caveats that there are.
func (r *reader) LegacyLookupCaveatsWithNames(ctx context.Context, names []string) ([]datastore.RevisionedCaveat, error) {
	return definitions[core.CaveatDefinition](ctx, r, caveats, notNil(names))
}

func notNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// ReadStoredSchema reads the schema; ErrSchemaNotFound if none was written.
func (r *reader) ReadStoredSchema(ctx context.Context) (schema *datastore.ReadOnlyStoredSchema, _ error) {
	err := r.made(ctx, schemas, new(string), func(d document) (any, error) {
		s, err := decode[core.StoredSchema](d)
		return datastore.NewReadOnlyStoredSchemaWithSize(s, len(d.content)), err
	}, func(m any, _ Revision) {
		schema, _ = m.(*datastore.ReadOnlyStoredSchema)
	})
	if err == nil && schema == nil {
		err = datastore.ErrSchemaNotFound
	}
	return schema, err
}

// readSchema reads the schema as of a revision; nil if there is none.
func readSchema(c *conn, at Revision) (*core.StoredSchema, error) {
	found, err := documents(c, schemas, at, new(string))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return decode[core.StoredSchema](found[0])
}

// LegacyWriteNamespaces writes object definitions.
func (tx *transaction) LegacyWriteNamespaces(ctx context.Context, definitions ...*core.NamespaceDefinition) error {
	return write(ctx, tx, namespaces, definitions)
}

// LegacyWriteCaveats writes caveats.
func (tx *transaction) LegacyWriteCaveats(ctx context.Context, definitions []*core.CaveatDefinition) error {
	return write(ctx, tx, caveats, definitions)
}

func write[M interface {
	proto.Message
	GetName() string
}](ctx context.Context, tx *transaction, of category, definitions []M) error {
	return tx.do(ctx, func() error {
		for i, d := range definitions {
			if slices.ContainsFunc(definitions[:i], func(other M) bool { return other.GetName() == d.GetName() }) {
				return fmt.Errorf("%s %q is given twice", of, d.GetName())
			}
			content, err := stable(d)
			if err != nil {
				return err
			}
			if err := tx.put(of, d.GetName(), content); err != nil {
				return err
			}
		}
		return nil
	})
}

// stable writes a message so that equal ones give equal bytes. What is empty is not nil.
func stable(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte{}, m)
}

// LegacyDeleteNamespaces deletes object definitions and, if asked, their relationships;
// a NamespaceNotFoundError if one is not there.
func (tx *transaction) LegacyDeleteNamespaces(ctx context.Context, names []string, option datastore.DeleteNamespacesRelationshipsOption) error {
	return tx.do(ctx, func() error {
		for _, name := range names {
			found, err := tx.remove(namespaces, name)
			if err != nil {
				return err
			}
			if !found {
				return datastore.NewNamespaceNotFoundErr(name)
			}
			if option != datastore.DeleteNamespacesAndRelationships {
				continue
			}
			if _, err := tx.deleteMatching(ctx, datastore.RelationshipsFilter{OptionalResourceType: name}, -1); err != nil {
				return err
			}
		}
		return nil
	})
}

// LegacyDeleteCaveats deletes caveats. Those that are not there are no error.
func (tx *transaction) LegacyDeleteCaveats(ctx context.Context, names []string) error {
	return tx.do(ctx, func() error {
		for _, name := range names {
			if _, err := tx.remove(caveats, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteStoredSchema writes the schema. Its hash becomes that of the revision.
func (tx *transaction) WriteStoredSchema(ctx context.Context, schema *core.StoredSchema) error {
	return tx.do(ctx, func() error {
		content, err := stable(schema)
		if err != nil {
			return err
		}
		tx.schemaHash = schema.GetV1().GetSchemaHash()
		return tx.put(schemas, "", content)
	})
}
