package bulk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tenantry/tenantry/bench/internal/tree"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
)

// head is the version that a filled directory stands at, and newest the id of that entry.
const (
	head   account.Version = 2
	newest                 = "ent_filled"
)

// Directory makes the directory's database at dsn, an SQLite file or a PostgreSQL URL, and fills it with the world.
func Directory(ctx context.Context, dsn string, w *tree.World) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if err := begin(ctx, dsn, w, now); err != nil {
		return fmt.Errorf("begin the directory: %w", err)
	}
	write := intoSQLite
	if strings.Contains(dsn, "://") {
		write = intoPostgres
	}
	if err := write(ctx, dsn, tables(w, head, now)); err != nil {
		return fmt.Errorf("fill the directory: %w", err)
	}
	return nil
}

// begin makes tables, environment and roles by the directory's own store, in two entries.
func begin(ctx context.Context, dsn string, w *tree.World, now time.Time) (err error) {
	db, err := store.Open(ctx, dsn, store.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	made, roles := account.Change{}, []account.Change{}
	if err := w.Settings(func(e account.Entity) error {
		if e.Environment != nil {
			e.Environment.CreatedAt = now
			made.After = &e
		} else {
			roles = append(roles, account.Change{After: &e})
		}
		return nil
	}); err != nil {
		return err
	}
	entry := account.Entry{Environment: tree.Environment, At: now, Actor: account.Actor{System: true}}
	first, second := entry, entry
	first.Kind, first.Changes = account.EnvironmentCreated, []account.Change{made}
	second.Kind, second.Changes, second.ID = account.Imported, roles, newest
	if err := db.CreateEnvironment(ctx, first); err != nil {
		return err
	}
	return db.Write(ctx, tree.Environment, func(tx directory.Tx) error {
		version, err := tx.Append(ctx, second)
		if err == nil && version != head {
			err = fmt.Errorf("the journal stands at version %d, not %d", version, head)
		}
		return err
	})
}
