-- +goose Up

-- What API tokens and issued tokens keep. The conventions are those of the first migration.

-- When the token was used last, to the minute or so; no part of the journal.
ALTER TABLE api_tokens ADD COLUMN last_used_at INTEGER;

-- With which issued tokens are signed; the newest of an environment signs.
CREATE TABLE signing_keys (
    id          TEXT    NOT NULL PRIMARY KEY,
    environment TEXT    NOT NULL REFERENCES environments (id),
    private_key BLOB    NOT NULL, -- PKCS #8, DER: the one secret that is not a hash
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX signing_keys_environment ON signing_keys (environment, created_at, id);
