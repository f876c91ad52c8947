-- +goose Up

-- What the log is looked up by (L1). Both tables only repeat what the journal
-- holds, and are filled with each entry.

CREATE INDEX journal_actor ON journal (environment, actor, version);
CREATE INDEX journal_kind ON journal (environment, kind, version);
CREATE INDEX journal_at ON journal (environment, at, version);

-- What each entry concerns: account.Entry.Concerns.
CREATE TABLE journal_concerns (
    environment TEXT COLLATE "C" NOT NULL,
    type        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    version     BIGINT           NOT NULL,
    PRIMARY KEY (environment, type, id, version)
);

-- The lives of accounts: an id may be used again after its account was deleted,
-- and whoever has it then must not read what went before. Born and ended are
-- versions; ended is null while the account lives. Parent is the present or the
-- last one, '' for a root account.
CREATE TABLE journal_lives (
    environment TEXT COLLATE "C" NOT NULL,
    account_id  TEXT COLLATE "C" NOT NULL,
    born        BIGINT           NOT NULL,
    ended       BIGINT,
    parent      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, account_id, born)
);
CREATE INDEX journal_lives_parent ON journal_lives (environment, parent, account_id, born, ended);

INSERT INTO journal_concerns (environment, type, id, version)
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
    ('impersonation', 'id', 'impersonation'), ('impersonation', 'user', 'user'), ('impersonation', 'operator', 'client')),
parsed AS (
    SELECT environment, version, CAST(entry AS JSON) AS entry FROM journal),
things AS (
    SELECT p.environment, p.version, e.key AS entity, e.value
    FROM parsed p
    CROSS JOIN LATERAL json_array_elements(CASE json_typeof(p.entry -> 'changes') WHEN 'array' THEN p.entry -> 'changes' ELSE '[]' END) AS c
    CROSS JOIN LATERAL json_each(c) AS side
    CROSS JOIN LATERAL json_each(side.value) AS e
    UNION ALL
    SELECT p.environment, p.version, 'actor', p.entry -> 'actor' FROM parsed p),
said AS (
    SELECT t.environment, n.type, x.value AS id, t.version
    FROM things t JOIN names n ON n.entity = t.entity
    CROSS JOIN LATERAL json_array_elements_text(
        CASE json_typeof(t.value -> n.field) WHEN 'array' THEN t.value -> n.field
            WHEN 'string' THEN json_build_array(t.value -> n.field) ELSE '[]' END) AS x
    UNION ALL
    SELECT t.environment, a.key, a.value, t.version
    FROM things t CROSS JOIN LATERAL json_each_text(t.value) AS a
    WHERE t.entity = 'actor' AND a.key IN ('impersonation', 'invitation'))
SELECT DISTINCT environment, type, id, version FROM said WHERE id <> '';

INSERT INTO journal_lives (environment, account_id, born, ended, parent)
WITH parsed AS (
    SELECT environment, version, CAST(entry AS JSON) AS entry FROM journal),
events AS (
    SELECT p.environment, COALESCE(c.value #>> '{before,account,id}', c.value #>> '{after,account,id}') AS id, p.version, c.place,
        c.value #>> '{after,account,id}' IS NULL AS gone, COALESCE(c.value #>> '{before,account,parent}', '') AS parent
    FROM parsed p
    CROSS JOIN LATERAL json_array_elements(CASE json_typeof(p.entry -> 'changes') WHEN 'array' THEN p.entry -> 'changes' ELSE '[]' END)
        WITH ORDINALITY AS c (value, place)
    WHERE (c.value #>> '{before,account,id}' IS NULL) <> (c.value #>> '{after,account,id}' IS NULL)),
lives AS (
    SELECT environment, id, version, gone, LEAD(version) OVER w AS ended, LEAD(parent) OVER w AS last_parent
    FROM events WINDOW w AS (PARTITION BY environment, id ORDER BY version, place))
SELECT l.environment, l.id, l.version, l.ended, CASE WHEN l.ended IS NULL THEN COALESCE(a.parent, '') ELSE l.last_parent END
FROM lives l LEFT JOIN accounts a ON a.environment = l.environment AND a.id = l.id
WHERE NOT l.gone;
