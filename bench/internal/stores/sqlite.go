package stores

import (
	"context"
	"log/slog"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/tenantry/tenantry/internal/engine/sqlite"
)

func openSQLite(ctx context.Context, at string, log *slog.Logger) (datastore.Datastore, error) {
	return sqlite.Open(ctx, sqlite.Config{Path: at, Quantum: Quantum, Log: log})
}
