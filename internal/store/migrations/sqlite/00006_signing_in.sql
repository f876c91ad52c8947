-- +goose Up

-- Who is calling: secrets of clients, operators who sign in, providers and the
-- identities that they vouch for. The conventions are those of the first migration.

-- Lists of networks and scopes are texts, with spaces in between.
ALTER TABLE environments ADD COLUMN ip_allow_list TEXT NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN exchange_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN keys_rotated_at INTEGER;
ALTER TABLE environments ADD COLUMN keys_revoked_at INTEGER;
ALTER TABLE accounts ADD COLUMN ip_allow_list TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN scopes TEXT NOT NULL DEFAULT '';

-- The hash and the last use are no part of the journal.
CREATE TABLE client_secrets (
    environment  TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    client       TEXT    NOT NULL,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    hash         BLOB,
    last_used_at INTEGER,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, client) REFERENCES clients (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX client_secrets_client ON client_secrets (environment, client, id);
INSERT INTO client_secrets (environment, id, client, created_at, version, hash)
    SELECT environment, id, id, created_at, version, secret_hash FROM clients WHERE secret_hash IS NOT NULL;
ALTER TABLE clients DROP COLUMN secret_hash;

CREATE TABLE operators (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    roles       TEXT    NOT NULL,
    issuer      TEXT,
    subject     TEXT,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT operators_email UNIQUE (environment, email),
    CONSTRAINT operators_subject UNIQUE (environment, issuer, subject)
) STRICT;

CREATE TABLE issuers (
    environment   TEXT    NOT NULL REFERENCES environments (id),
    id            TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    audiences     TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,
    link_by_email INTEGER NOT NULL,
    email_domains TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT issuers_url UNIQUE (environment, url)
) STRICT;

CREATE TABLE identities (
    environment TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT identities_subject UNIQUE (environment, issuer, subject),
    FOREIGN KEY (environment, user_id) REFERENCES users (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX identities_user ON identities (environment, user_id, id);
