package scenario

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
	"github.com/tenantry/tenantry/schema"
)

// Model is what scenarios are run against: a catalogue of permissions and the schema built from it. It does not change.
type Model struct {
	catalogue *schema.Catalogue
	schema    *zed.Schema
	text      string
}

// NewModel builds the schema from the built-in catalogue, the permissions that an
// application adds, and its definitions. Errors are those of [schema.Parse] and [schemacheck.Build].
func NewModel(permissions, definitions []schema.Source) (*Model, error) {
	catalogue, err := schema.Parse(permissions...)
	if err != nil {
		return nil, err
	}
	text, err := schemacheck.Build(catalogue, definitions...)
	if err != nil {
		return nil, err
	}
	compiled, problems := zed.Compile(context.Background(), zed.File(finding.NewSource("tenantry.zed", text)))
	if len(problems) > 0 {
		return nil, fault.New(fault.Invalid, "invalid_schema", "%s", problems[0])
	}
	return &Model{catalogue: catalogue, schema: compiled, text: text}, nil
}

// everything returns the keys of all permissions of the catalogue.
func (m *Model) everything() []account.PermissionKey {
	keys := make([]account.PermissionKey, len(m.catalogue.Permissions))
	for i, p := range m.catalogue.Permissions {
		keys[i] = p.Key
	}
	return keys
}

// permissionNames returns all by which a permission of the catalogue can be named.
func (m *Model) permissionNames() []string {
	var names []string
	for _, p := range m.catalogue.Permissions {
		names = append(names, string(p.Key), p.Relation)
		for _, a := range p.Aliases {
			names = append(names, string(a))
		}
	}
	return names
}

// open is how sentences name the permission to open an account (W2).
const open = "open"

// right returns the name in the schema of what may be done with an object of a type; false if there is no such thing.
func (m *Model) right(objectType, name string) (string, bool) {
	if objectType == relation.TypeAccount {
		if name == open {
			return "access", true
		}
		if p, ok := m.catalogue.Lookup(name); ok {
			return p.Relation, true
		}
	}
	return name, m.schema.Relation(objectType, name) != nil
}

// rights returns all names that right takes for a type.
func (m *Model) rights(objectType string) []string {
	var names []string
	if objectType == relation.TypeAccount {
		names = append(m.permissionNames(), open)
	}
	if d := m.schema.Definition(objectType); d != nil {
		for _, r := range d.Relations {
			names = append(names, r.Name)
		}
	}
	return names
}

// types returns the names of all definitions.
func (m *Model) types() []string {
	names := make([]string, len(m.schema.Definitions))
	for i, d := range m.schema.Definitions {
		names[i] = d.Name
	}
	return names
}
