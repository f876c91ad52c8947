package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tenantry/tenantry/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the tables up to date. Processes that start together take
// turns: on PostgreSQL by an advisory lock; on SQLite each migration is a
// transaction that holds the file, and who comes second tries again and finds it done.
func (db *DB) migrate(ctx context.Context) error {
	folder, kind, attempts := "migrations/sqlite", goose.DialectSQLite3, 5
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithTableName("tenantry_migrations")}
	if db.dialect.numbered {
		folder, kind, attempts = "migrations/postgres", goose.DialectPostgres, 1
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // tries every second, for five minutes
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(kind, db.writer, files, options...)
	if err != nil {
		return err
	}
	for range attempts {
		if _, err = provider.Up(ctx); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("bring the tables up to date: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > known {
		return fault.New(fault.Conflict, "database_too_new",
			"the database is at version %d of its tables, and this Tenantry knows up to %d: use the newer Tenantry that changed it", current, known)
	}
	return nil
}
