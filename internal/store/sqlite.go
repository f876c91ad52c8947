package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// openSQLite opens the file with one connection to write and several to read.
// A transaction of the writer takes the file's write lock at its beginning, so
// that it never finds out later that it has read what another has changed since.
func openSQLite(dsn string, cfg Config) (*DB, error) {
	path, err := sqlitePath(dsn)
	if err != nil {
		return nil, err
	}
	if cfg.MustExist {
		err = exists(path)
	} else {
		err = createPrivate(path)
	}
	if err != nil {
		return nil, err
	}
	writer, err := sqlitePool(path, cfg.BusyTimeout, "_txlock=immediate", "_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	writer.SetMaxIdleConns(1)
	reader, err := sqlitePool(path, cfg.BusyTimeout, "_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxOpenConns(cfg.Connections)
	reader.SetMaxIdleConns(cfg.Connections)
	return &DB{dialect: sqliteDialect(), writer: writer, reader: reader, brief: writer, now: cfg.Now, often: newPrepared(reader), watch: &watch{path: path}}, nil
}

func sqliteDialect() *dialect {
	return &dialect{
		words:     strings.NewReplacer("@rows", "json_each", "@texts", "json_each", "@position", "instr"),
		rowNumber: "rowid",
		reading:   &sql.TxOptions{ReadOnly: true},
		classify:  classifySQLite,
	}
}

// sqlitePath returns the absolute path that dsn names.
func sqlitePath(dsn string) (string, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	scheme, _, isURL := strings.Cut(path, "://")
	switch {
	case path == "":
		return "", invalidDSN("the address of the database is empty; give the path of a file or postgres://…")
	case strings.Contains(path, ":memory:"):
		return "", invalidDSN("a database in memory would forget the directory; give the path of a file")
	case isURL:
		return "", invalidDSN("%s is no kind of database that can be used; give the path of a file or postgres://…", account.Quote(scheme+"://"))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("store: find the database file: %w", err)
	}
	return abs, nil
}

// exists returns an Invalid fault (database_missing) unless the file is there.
func exists(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Invalid, "database_missing",
			"there is no database at %s: name the right place with --data or --database, or make one with tenantry environment create", path)
	}
	if err != nil {
		return fmt.Errorf("store: look for the database file: %w", err)
	}
	return nil
}

// createPrivate creates the file and its folder, for the owner's eyes only. SQLite
// gives the files that it adds beside the database the same permissions.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("store: create the folder of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: create the database file: %w", err)
	}
	return f.Close()
}

// sqlitePool returns a pool whose connections have the options; nothing is opened yet.
func sqlitePool(path string, busy time.Duration, options ...string) (*sql.DB, error) {
	options = append(options,
		fmt.Sprintf("_busy_timeout=%d", busy.Milliseconds()),
		"_journal_mode=WAL", "_synchronous=FULL", "_dqs=0", "_defensive=1", "_pragma=cache_size(-16384)")
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: strings.Join(options, "&")}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, fmt.Errorf("store: open the database file: %w", err)
	}
	return sql.OpenDB(connector), nil
}

func classifySQLite(err error) failure {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return otherFailure
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return takenKey
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return takenValue
	}
	switch e.Code() & 0xff { // the primary code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return away
	}
	return otherFailure
}
