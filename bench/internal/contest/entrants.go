package contest

import (
	"context"
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/peer/arrays"
	"github.com/tenantry/tenantry/bench/internal/peer/fga"
	"github.com/tenantry/tenantry/bench/internal/peer/indexed"
	"github.com/tenantry/tenantry/bench/internal/peer/litesql"
	"github.com/tenantry/tenantry/bench/internal/peer/pgsql"
	"github.com/tenantry/tenantry/bench/internal/peer/service"
	"github.com/tenantry/tenantry/bench/internal/peer/spice"
	"github.com/tenantry/tenantry/bench/internal/postgres"
	"github.com/tenantry/tenantry/bench/internal/programs"
)

// The names of the systems, in the order of the tables.
const (
	Tenantry        = "tenantry"
	TenantryOff     = "tenantry-off"
	Cluster         = "cluster"
	ClusterOff      = "cluster-off"
	Index           = "index"
	SpiceDB         = "spicedb"
	OpenFGA         = "openfga"
	OpenFGARaised   = "openfga-raised"
	Recursive       = "sql"
	Ltree           = "ltree"
	SQLite          = "sqlite"
	ArraysOverHTTP  = "arrays-http"
	ArraysInProcess = "arrays"
)

// Titles are the systems' names for people.
func Titles() map[string]string {
	return map[string]string{
		Tenantry: "Tenantry, index on", TenantryOff: "Tenantry, index off",
		Cluster: "Tenantry cluster, index on", ClusterOff: "Tenantry cluster, index off", Index: "Tenantry's index, in process",
		SpiceDB: "SpiceDB", OpenFGA: "OpenFGA", OpenFGARaised: "OpenFGA, limits raised",
		Recursive: "recursive SQL", Ltree: "ltree", SQLite: "SQLite, in process",
		ArraysOverHTTP: "arrays over HTTP", ArraysInProcess: "arrays, in process",
	}
}

// Names returns the names of all systems, in the order of the tables.
func Names() []string {
	return []string{
		Tenantry, TenantryOff, Cluster, ClusterOff, SpiceDB, OpenFGA, OpenFGARaised, Recursive, Ltree, SQLite, ArraysOverHTTP, Index, ArraysInProcess,
	}
}

// Field makes the systems of one contest after the other.
type Field struct {
	names    []string
	binaries map[string]string
	postgres *postgres.Server
}

// NewField builds the servers that the named systems need, into folder.
func NewField(ctx context.Context, names []string, folder string, pg *postgres.Server) (*Field, error) {
	f := &Field{binaries: map[string]string{}, postgres: pg}
	for _, p := range []struct {
		program programs.Program
		needed  []string
	}{
		{programs.Tenantry(), []string{Tenantry, TenantryOff, Cluster, ClusterOff}},
		{programs.SpiceDB(), []string{Cluster, ClusterOff, SpiceDB}},
		{programs.OpenFGA(), []string{OpenFGA, OpenFGARaised}},
	} {
		if !slices.ContainsFunc(p.needed, func(name string) bool { return slices.Contains(names, name) }) {
			continue
		}
		path, err := programs.Build(ctx, p.program, folder)
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", p.program.Name, err)
		}
		f.binaries[p.program.Name] = path
	}
	for _, name := range Names() {
		if slices.Contains(names, name) {
			f.names = append(f.names, name)
		}
	}
	return f, nil
}

// Enter returns new systems for one contest, those of the names that the field has.
func (f *Field) Enter(dir string, names []string) []Contestant {
	tenantry, spicedb := f.binaries["tenantry"], f.binaries["spicedb"]
	source := spice.NewSource(spicedb, f.postgres)
	embedded, cluster := service.Embedded(tenantry, dir), service.Cluster(tenantry, dir, source, f.postgres)
	openfga := fga.NewDatabase(f.binaries["openfga"], f.postgres)
	all := map[string]func() peer.System{
		Tenantry:        func() peer.System { return service.New(embedded, service.On) },
		TenantryOff:     func() peer.System { return service.New(embedded, service.Off) },
		Cluster:         func() peer.System { return service.New(cluster, service.On) },
		ClusterOff:      func() peer.System { return service.New(cluster, service.Off) },
		SpiceDB:         func() peer.System { return spice.New(source) },
		OpenFGA:         func() peer.System { return fga.New(openfga) },
		OpenFGARaised:   func() peer.System { return fga.Raised(openfga) },
		Recursive:       func() peer.System { return pgsql.Recursive(f.postgres) },
		Ltree:           func() peer.System { return pgsql.Ltree(f.postgres) },
		SQLite:          func() peer.System { return litesql.New(dir) },
		ArraysOverHTTP:  func() peer.System { return arrays.NewRemote() },
		Index:           func() peer.System { return indexed.New() },
		ArraysInProcess: func() peer.System { return arrays.New() },
	}
	var out []Contestant
	for _, name := range f.names {
		if slices.Contains(names, name) {
			out = append(out, Contestant{Name: name, Title: Titles()[name], System: all[name]()})
		}
	}
	return out
}
