// Package stores opens the datastores that are compared, and runs one and the same embedded SpiceDB on any of them.
package stores

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/authzed/spicedb/pkg/cmd"
	dsconfig "github.com/authzed/spicedb/pkg/cmd/datastore"
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/tenantry/tenantry/bench/internal/wire"
)

// Quantum is how long reads without a wish for freshness share a revision, on every store.
const Quantum = time.Second

// Open opens a store; at is SQLite's file, or the URL of a migrated PostgreSQL database.
func Open(ctx context.Context, kind wire.Kind, at string, log *slog.Logger) (datastore.Datastore, error) {
	switch kind {
	case wire.SQLite:
		return openSQLite(ctx, at, log)
	case wire.Postgres:
		return dsconfig.NewDatastore(ctx, shared(dsconfig.PostgresEngine), dsconfig.WithURI(at))
	case wire.Memory:
		store, err := dsconfig.NewDatastore(ctx, shared(dsconfig.MemoryEngine))
		if err != nil {
			return nil, err
		}
		return oneWriter{Datastore: store, turn: make(chan struct{}, 1)}, nil
	default:
		return nil, fmt.Errorf("there is no store %q", kind)
	}
}

// shared are the settings of SpiceDB's own datastores: its defaults but for the quantum.
func shared(engine string) dsconfig.ConfigOption {
	cfg := dsconfig.NewConfigWithOptionsAndDefaults(dsconfig.WithEngine(engine), dsconfig.WithRevisionQuantization(Quantum))
	return cfg.ToOption()
}

// Migrate prepares an empty PostgreSQL database with SpiceDB's own migrations.
func Migrate(ctx context.Context, url string) error {
	migrate := cmd.NewMigrateCommand("spicedb")
	cmd.RegisterMigrateFlags(migrate)
	migrate.PreRunE = nil // sets up the whole process: limits, logs, a look for newer releases
	migrate.SilenceErrors, migrate.SilenceUsage = true, true
	migrate.SetArgs([]string{"head", "--datastore-engine=postgres", "--datastore-conn-uri=" + url})
	return migrate.ExecuteContext(ctx)
}
