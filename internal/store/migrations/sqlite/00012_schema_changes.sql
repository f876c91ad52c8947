-- +goose Up

-- What was done to the engine's schema. A row is written before the engine is, and
-- completed after: one without an outcome is of a change that was broken off, or is under way.
-- It belongs to the deployment, to no environment.
CREATE TABLE schema_changes (
    id INTEGER PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    cause TEXT NOT NULL,
    from_digest TEXT NOT NULL,
    to_digest TEXT NOT NULL,
    differences TEXT NOT NULL,
    text_before TEXT NOT NULL,
    text_after TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',
    ended_at INTEGER
) STRICT;
