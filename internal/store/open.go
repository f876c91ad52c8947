package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/memo"
)

// Config tunes a DB. The zero value is good for production.
type Config struct {
	Connections int              // at most, to read with, and on PostgreSQL as many again to write with; 0 is 16
	MustExist   bool             // refuse an SQLite file that is not there, rather than create it
	BusyTimeout time.Duration    // how long SQLite waits for another process's lock; 0 is 10 seconds
	Now         func() time.Time // the clock that idempotency keys age by; nil is time.Now
}

func (cfg Config) withDefaults() Config {
	if cfg.Connections <= 0 {
		cfg.Connections = 16
	}
	if cfg.BusyTimeout <= 0 {
		cfg.BusyTimeout = 10 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// DB is the directory's database. It is safe for concurrent use.
type DB struct {
	dialect *dialect
	writer  *sql.DB // on SQLite a single connection
	reader  *sql.DB
	brief   *sql.DB // for writes that wait for no environment's lock; on SQLite it is the writer
	gates   gates   // one write of an environment at a time takes a connection
	turns   turns   // of the environments whose letters are claimed
	now     func() time.Time

	often *prepared // reads what every request needs; nil on PostgreSQL
	watch *watch    // of the SQLite file; nil on PostgreSQL
	lists *memo.Memory[listsKey, directory.AllowLists]
}

var _ directory.Store = (*DB)(nil)

// Open opens the database that dsn names and brings its tables up to date.
//
// dsn is a URL (postgres://…), or the path of an SQLite file, with or without
// "sqlite:" before it. The file, readable by its owner only, and the folder it
// is in are created if missing, unless cfg.MustExist. Two processes may open the
// same database at once.
//
// Errors: an Invalid fault (invalid_database) for a dsn that can never work, or
// (database_missing) for a file that must exist and does not; a
// Conflict fault (database_too_new) if a newer Tenantry has changed the tables;
// Unavailable (database_unavailable) if the database cannot be reached now.
func Open(ctx context.Context, dsn string, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	open := openSQLite
	if isPostgres(dsn) {
		open = openPostgres
	}
	db, err := open(dsn, cfg)
	if err != nil {
		return nil, err
	}
	db.lists = memo.New[listsKey, directory.AllowLists](maxLists)
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(db.outside().fail(ctx, err), db.Close())
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func invalidDSN(text string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "invalid_database", text, args...)
}

// Ping returns nil if the database answers and holds the directory's tables.
func (db *DB) Ping(ctx context.Context) error {
	_, err := one(ctx, db.outside(), nil, scanValue[int], `SELECT COUNT(*) FROM (SELECT 1 AS one FROM environments LIMIT 1) AS e`)
	return err
}

// Close closes all connections, waiting for statements under way.
func (db *DB) Close() error {
	var err error
	if db.watch != nil {
		err = errors.Join(db.watch.close(), db.often.Close())
	}
	err = errors.Join(err, db.reader.Close(), db.writer.Close())
	if db.brief != db.writer {
		err = errors.Join(err, db.brief.Close())
	}
	return err
}

// outside is a session outside of any transaction; each of its statements sees a snapshot of its own.
func (db *DB) outside() *session {
	return &session{dialect: db.dialect, run: db.reader}
}

// everyTime is outside for the few statements that every request may need.
func (db *DB) everyTime() *session {
	if db.often == nil {
		return db.outside()
	}
	return &session{dialect: db.dialect, run: db.often}
}
