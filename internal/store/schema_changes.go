package store

import (
	"context"
	"database/sql"
	"time"
)

// SchemaChange is a change of the engine's schema, as the deployment's record of them has it.
type SchemaChange struct {
	ID          int64
	BegunAt     time.Time
	Actor       string // who: a name of the operating system, or one that was given
	Cause       string // the command that did it
	FromDigest  string // "" if there was no schema
	ToDigest    string
	Differences string // JSON
	Before      string // the whole text; "" if there was no schema
	After       string
	Deleted     int        // relationships that the new schema had no place for
	Outcome     string     // "" while it is under way, or after it was broken off
	EndedAt     *time.Time // nil as long as Outcome is ""
}

// BeginSchemaChange writes a change down before it is made, and returns its id. ID, BegunAt, Outcome and EndedAt are not taken.
func (db *DB) BeginSchemaChange(ctx context.Context, c SchemaChange) (id int64, err error) {
	err = db.write(ctx, db.writer, func(s *session) (err error) {
		id, err = one(ctx, s, nil, scanValue[int64],
			`INSERT INTO schema_changes (begun_at, actor, cause, from_digest, to_digest, differences, text_before, text_after)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			db.now().UnixMicro(), c.Actor, c.Cause, c.FromDigest, c.ToDigest, c.Differences, c.Before, c.After)
		return err
	})
	return id, err
}

// NoteDeleted writes down how many relationships a change that is under way has deleted so far.
func (db *DB) NoteDeleted(ctx context.Context, id int64, deleted int) error {
	return db.write(ctx, db.writer, func(s *session) error {
		_, err := s.exec(ctx, `UPDATE schema_changes SET deleted = ? WHERE id = ?`, deleted, id)
		return err
	})
}

// EndSchemaChange completes a change with what came of it, and with the number of relationships deleted.
func (db *DB) EndSchemaChange(ctx context.Context, id int64, outcome string, deleted int) error {
	return db.write(ctx, db.writer, func(s *session) error {
		_, err := s.exec(ctx, `UPDATE schema_changes SET outcome = ?, deleted = ?, ended_at = ? WHERE id = ?`,
			outcome, deleted, db.now().UnixMicro(), id)
		return err
	})
}

const schemaChangeColumns = `SELECT id, begun_at, actor, cause, from_digest, to_digest, differences, text_before, text_after, deleted, outcome, ended_at
	FROM schema_changes`

// SchemaChanges returns up to n changes, the latest first, before the one with an id unless that is 0.
func (db *DB) SchemaChanges(ctx context.Context, before int64, n int) ([]SchemaChange, error) {
	return list(ctx, db.outside(), scanSchemaChange, schemaChangeColumns+` WHERE CAST(? AS BIGINT) = 0 OR id < ? ORDER BY id DESC LIMIT ?`, before, before, n)
}

// OpenSchemaChanges returns up to n changes without an outcome, the latest first.
func (db *DB) OpenSchemaChanges(ctx context.Context, n int) ([]SchemaChange, error) {
	return list(ctx, db.outside(), scanSchemaChange, schemaChangeColumns+` WHERE outcome = '' ORDER BY id DESC LIMIT ?`, n)
}

func scanSchemaChange(r row) (c SchemaChange, err error) {
	var begun int64
	var ended sql.NullInt64
	err = r.Scan(&c.ID, &begun, &c.Actor, &c.Cause, &c.FromDigest, &c.ToDigest, &c.Differences, &c.Before, &c.After, &c.Deleted, &c.Outcome, &ended)
	c.BegunAt, c.EndedAt = timeOf(begun), timeOrNil(ended)
	return c, err
}
