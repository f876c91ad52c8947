package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/tenantry/tenantry/internal/account"
)

// File returns the path of the SQLite file that dsn names, "" if it names a database of another kind.
func File(dsn string) (string, error) {
	if isPostgres(dsn) {
		return "", nil
	}
	return sqlitePath(dsn)
}

// pagesAtOnce is how many pages Backup copies before it looks whether it shall go on.
const pagesAtOnce = 256

// Backup copies the SQLite database that dsn names, as it is at one moment, into
// the new file to, and returns the version of every environment in the copy.
// Others may go on writing meanwhile, and wait for nothing; the original's tables
// are left at their version. progress, unless nil, is told how many pages of how many are done.
//
// Errors: Invalid faults (invalid_database, database_missing); ctx's; those of the file system and of SQLite.
func Backup(ctx context.Context, dsn, to string, progress func(done, total int)) (_ map[account.EnvironmentID]account.Version, err error) {
	path, err := File(dsn)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, invalidDSN("only an SQLite database can be copied")
	}
	if err := exists(path); err != nil {
		return nil, err
	}
	if to, err = filepath.Abs(to); err != nil {
		return nil, fmt.Errorf("store: find the place of the copy: %w", err)
	}
	file, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: create the copy: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("store: create the copy: %w", err)
	}
	pool, err := sqlitePool(path, Config{}.withDefaults().BusyTimeout, "_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: open the database to copy: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return snapshot(ctx, conn, to, progress)
}

// snapshot copies what one transaction of the connection sees. The transaction
// is what keeps the copy from starting over with every write of others.
func snapshot(ctx context.Context, conn *sql.Conn, to string, progress func(done, total int)) (map[account.EnvironmentID]account.Version, error) {
	s := &session{dialect: sqliteDialect(), run: conn}
	if _, err := s.exec(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	versions, err := heads(ctx, s)
	if err == nil {
		err = conn.Raw(func(driver any) error { return copyPages(ctx, driver, to, progress) })
	}
	_, endErr := s.exec(context.WithoutCancel(ctx), "ROLLBACK") // it has only read
	if err := errors.Join(err, endErr); err != nil {
		return nil, fmt.Errorf("store: copy the database: %w", err)
	}
	return versions, nil
}

// copyPages copies all pages that the connection sees into the empty file to.
func copyPages(ctx context.Context, driver any, to string, progress func(done, total int)) error {
	source, ok := driver.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !ok {
		return fmt.Errorf("the database driver %T cannot make copies", driver)
	}
	target := url.URL{Scheme: "file", Path: filepath.ToSlash(to)}
	b, err := source.NewBackup(target.String())
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if more, err = b.Step(pagesAtOnce); err == nil && progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
		if err == nil {
			err = ctx.Err()
		}
	}
	return errors.Join(err, b.Finish())
}
