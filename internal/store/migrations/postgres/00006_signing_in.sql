-- +goose Up

-- Who is calling: secrets of clients, operators who sign in, providers and the
-- identities that they vouch for. The conventions are those of the first migration.

-- Lists of networks and scopes are texts, with spaces in between.
ALTER TABLE environments ADD COLUMN ip_allow_list TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN exchange_only BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE environments ADD COLUMN keys_rotated_at BIGINT;
ALTER TABLE environments ADD COLUMN keys_revoked_at BIGINT;
ALTER TABLE accounts ADD COLUMN ip_allow_list TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN scopes TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The hash and the last use are no part of the journal.
CREATE TABLE client_secrets (
    environment TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    expires_at   BIGINT,
    created_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    hash         BYTEA,
    last_used_at BIGINT,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, client) REFERENCES clients (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX client_secrets_client ON client_secrets (environment, client, id);
INSERT INTO client_secrets (environment, id, client, created_at, version, hash)
    SELECT environment, id, id, created_at, version, secret_hash FROM clients WHERE secret_hash IS NOT NULL;
ALTER TABLE clients DROP COLUMN secret_hash;

CREATE TABLE operators (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    created_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT operators_email UNIQUE (environment, email),
    CONSTRAINT operators_subject UNIQUE (environment, issuer, subject)
);

CREATE TABLE issuers (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    audiences TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    link_by_email BOOLEAN NOT NULL,
    email_domains TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT issuers_url UNIQUE (environment, url)
);

CREATE TABLE identities (
    environment TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT identities_subject UNIQUE (environment, issuer, subject),
    FOREIGN KEY (environment, user_id) REFERENCES users (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX identities_user ON identities (environment, user_id, id);
