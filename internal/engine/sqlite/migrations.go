package sqlite

import (
	"context"
	"fmt"

	sqlite3 "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks a file as a datastore's, in its header.
const applicationID = 0x54734442

// migrations bring a file from one version of the tables to the next; the package's comment
// explains them. One that was released is never changed.
func migrations() []string {
	return []string{`
CREATE TABLE store (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	unique_id TEXT NOT NULL
) STRICT;

CREATE TABLE revision (
	tx            INTEGER PRIMARY KEY,
	at            INTEGER NOT NULL,
	relationships INTEGER NOT NULL,
	metadata      BLOB
) STRICT;
CREATE INDEX revision_by_time ON revision (at);

CREATE TABLE kind (
	id               INTEGER PRIMARY KEY,
	resource_type    TEXT NOT NULL,
	relation         TEXT NOT NULL,
	subject_type     TEXT NOT NULL,
	subject_relation TEXT NOT NULL,
	UNIQUE (resource_type, relation, subject_type, subject_relation)
) STRICT;

CREATE TABLE live (
	kind        INTEGER NOT NULL,
	resource_id TEXT NOT NULL,
	subject_id  TEXT NOT NULL,
	since       INTEGER NOT NULL,
	expires_at  INTEGER,
	caveat      TEXT,
	context     BLOB,
	PRIMARY KEY (kind, resource_id, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_by_subject ON live (kind, subject_id, resource_id, since, expires_at, caveat, context);
CREATE INDEX live_by_expiry ON live (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE past (
	kind        INTEGER NOT NULL,
	resource_id TEXT NOT NULL,
	until       INTEGER NOT NULL,
	subject_id  TEXT NOT NULL,
	since       INTEGER NOT NULL,
	expires_at  INTEGER,
	caveat      TEXT,
	context     BLOB,
	PRIMARY KEY (kind, resource_id, until, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_by_subject ON past (kind, subject_id, until);
CREATE INDEX past_by_kind ON past (kind, until);
CREATE INDEX past_by_end ON past (until);

CREATE TABLE change (
	tx      INTEGER NOT NULL,
	part    INTEGER NOT NULL,
	updates BLOB NOT NULL,
	PRIMARY KEY (tx, part)
) STRICT;

CREATE TABLE document (
	category TEXT NOT NULL,
	name     TEXT NOT NULL,
	since    INTEGER NOT NULL,
	until    INTEGER NOT NULL,
	content  BLOB NOT NULL,
	PRIMARY KEY (category, name, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_by_start ON document (since);
CREATE INDEX document_by_end ON document (until);

INSERT INTO store VALUES (1, lower(
	hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' ||
	substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));
INSERT INTO revision (tx, at, relationships) VALUES (1, CAST(unixepoch('subsec') * 1e9 AS INTEGER), 0);
`}
}

// migrate brings the tables up to date. ErrNewer if they are beyond what this program knows,
// ErrNoDatabase if the file belongs to another program.
func migrate(ctx context.Context, c *sqlite3.Conn) error {
	have, err := version(c)
	if err != nil {
		return err
	}
	if have == len(migrations()) {
		return nil
	}
	return meaning(sqlitemigration.Migrate(ctx, c, sqlitemigration.Schema{AppID: applicationID, Migrations: migrations()}))
}

// version is how many migrations a file has seen; 0 for an empty file. Errors as with migrate.
func version(c *sqlite3.Conn) (int, error) {
	app, err := number(c, "PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	have, err := number(c, "PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	tables, err := number(c, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	if app != applicationID && (app != 0 || have != 0 || tables != 0) {
		return 0, fmt.Errorf("%w: it belongs to another program", ErrNoDatabase)
	}
	if have > int64(len(migrations())) {
		return 0, fmt.Errorf("%w: its tables have version %d, and this program knows %d", ErrNewer, have, len(migrations()))
	}
	return int(have), nil
}

// number runs a query that gives one integer, or none, which is 0.
func number(c *sqlite3.Conn, query string) (int64, error) {
	var n int64
	err := sqlitex.ExecuteTransient(c, query, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite3.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}})
	return n, meaning(err)
}
