-- +goose Up

-- What the log is looked up by (L1). Both tables only repeat what the journal
-- holds, and are filled with each entry.

CREATE INDEX journal_actor ON journal (environment, actor, version);
CREATE INDEX journal_kind ON journal (environment, kind, version);
CREATE INDEX journal_at ON journal (environment, at, version);

-- What each entry concerns: account.Entry.Concerns. Nothing refers to these rows,
-- and they refer to nothing, so WITHOUT ROWID does no harm here.
CREATE TABLE journal_concerns (
    environment TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, type, id, version)
) STRICT, WITHOUT ROWID;

-- The lives of accounts: an id may be used again after its account was deleted,
-- and whoever has it then must not read what went before. Born and ended are
-- versions; ended is null while the account lives. Parent is the present or the
-- last one, '' for a root account.
CREATE TABLE journal_lives (
    environment TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    born        INTEGER NOT NULL,
    ended       INTEGER,
    parent      TEXT    NOT NULL,
    PRIMARY KEY (environment, account_id, born)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_lives_parent ON journal_lives (environment, parent, account_id, born, ended);

INSERT OR IGNORE INTO journal_concerns (environment, type, id, version)
WITH names (entity, field, type) AS (VALUES
    ('environment', 'id', 'environment'),
    ('client', 'id', 'client'),
    ('account', 'id', 'account'), ('account', 'plan', 'plan'),
    ('user', 'id', 'user'),
    ('role', 'key', 'role'), ('role', 'account', 'account'),
    ('membership', 'account', 'account'), ('membership', 'user', 'user'), ('membership', 'roles', 'role'),
    ('assignment', 'account', 'account'), ('assignment', 'role', 'role'),
    ('feature', 'key', 'feature'),
    ('plan', 'key', 'plan'), ('plan', 'features', 'feature'),
    ('feature_switch', 'account', 'account'), ('feature_switch', 'feature', 'feature'),
    ('invitation', 'id', 'invitation'), ('invitation', 'account', 'account'), ('invitation', 'roles', 'role'),
    ('api_token', 'id', 'api_token'), ('api_token', 'account', 'account'), ('api_token', 'roles', 'role'),
    ('impersonation', 'id', 'impersonation'), ('impersonation', 'user', 'user'), ('impersonation', 'operator', 'client'))
SELECT j.environment, n.type, x.value, j.version
FROM journal j, json_each(j.entry, '$.changes') AS c, json_each(c.value) AS side, json_each(side.value) AS e
JOIN names n ON n.entity = e.key, json_each(e.value, '$.' || n.field) AS x
WHERE x.value <> '';

INSERT OR IGNORE INTO journal_concerns (environment, type, id, version)
SELECT j.environment, a.key, a.value, j.version
FROM journal j, json_each(j.entry, '$.actor') AS a
WHERE a.key IN ('impersonation', 'invitation') AND a.value <> '';

INSERT INTO journal_lives (environment, account_id, born, ended, parent)
WITH events (environment, id, version, place, gone, parent) AS (
    SELECT j.environment, COALESCE(c.value ->> '$.before.account.id', c.value ->> '$.after.account.id'), j.version, c.key,
        c.value ->> '$.after.account.id' IS NULL, COALESCE(c.value ->> '$.before.account.parent', '')
    FROM journal j, json_each(j.entry, '$.changes') AS c
    WHERE (c.value ->> '$.before.account.id' IS NULL) <> (c.value ->> '$.after.account.id' IS NULL)),
lives AS (
    SELECT environment, id, version, gone, LEAD(version) OVER w AS ended, LEAD(parent) OVER w AS last_parent
    FROM events WINDOW w AS (PARTITION BY environment, id ORDER BY version, place))
SELECT l.environment, l.id, l.version, l.ended, CASE WHEN l.ended IS NULL THEN COALESCE(a.parent, '') ELSE l.last_parent END
FROM lives l LEFT JOIN accounts a ON a.environment = l.environment AND a.id = l.id
WHERE NOT l.gone;
