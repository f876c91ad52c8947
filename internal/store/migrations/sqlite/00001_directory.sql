-- +goose Up

-- State: one table for each kind of entity, and two for the lists that roles and
-- memberships carry. Times are microseconds since 1970, UTC. A column named
-- version is the environment's version at the row's last change; search is the
-- folded text that queries are looked for in. References are looked at when a
-- transaction commits, so that the changes of an entry may come in any order.
--
-- No table is WITHOUT ROWID: on such a table SQLite looks for the rows that refer
-- to a deleted one among all of the environment's, whatever the index.

CREATE TABLE environments (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    sub_accounts_enabled INTEGER NOT NULL,
    default_access_mode  TEXT    NOT NULL,
    max_depth            INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL,
    head                 INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE clients (
    environment   TEXT    NOT NULL REFERENCES environments (id),
    id            TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    act_for_users INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    secret_hash   BLOB,
    PRIMARY KEY (environment, id)
) STRICT;

CREATE TABLE accounts (
    environment            TEXT    NOT NULL REFERENCES environments (id),
    id                     TEXT    NOT NULL,
    parent                 TEXT,
    name                   TEXT    NOT NULL,
    search                 TEXT    NOT NULL,
    sub_account_management INTEGER NOT NULL,
    access_mode            TEXT    NOT NULL,
    created_at             INTEGER NOT NULL,
    version                INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, parent) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX accounts_parent ON accounts (environment, parent);

CREATE TABLE users (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    search      TEXT    NOT NULL,
    blocked     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT users_email UNIQUE (environment, email)
) STRICT;

CREATE TABLE roles (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;

CREATE TABLE role_permissions (
    environment TEXT NOT NULL,
    role        TEXT NOT NULL,
    permission  TEXT NOT NULL,
    PRIMARY KEY (environment, role, permission),
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE memberships (
    environment   TEXT    NOT NULL,
    account_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    branch_access TEXT    NOT NULL,
    expires_at    INTEGER,
    created_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (environment, account_id, user_id),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, user_id) REFERENCES users (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX memberships_user ON memberships (environment, user_id, account_id);

CREATE TABLE membership_roles (
    environment TEXT NOT NULL,
    account_id  TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (environment, account_id, user_id, role),
    FOREIGN KEY (environment, account_id, user_id) REFERENCES memberships (environment, account_id, user_id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX membership_roles_role ON membership_roles (environment, role, account_id);

CREATE TABLE assignments (
    environment TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    always_on   INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, account_id, role),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX assignments_role ON assignments (environment, role);

-- The journal: how the state came to be. The other columns serve to find entries.
CREATE TABLE journal (
    environment TEXT    NOT NULL REFERENCES environments (id),
    version     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    entry       TEXT    NOT NULL,
    PRIMARY KEY (environment, version)
) STRICT;

-- The outcomes of requests with an idempotency key (id).
CREATE TABLE remembered (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    version     INTEGER NOT NULL,
    result      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;
CREATE INDEX remembered_created_at ON remembered (environment, created_at);

-- How far an engine has applied a journal, and its token of that moment.
CREATE TABLE positions (
    environment TEXT    NOT NULL REFERENCES environments (id),
    engine      TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    token       TEXT    NOT NULL,
    PRIMARY KEY (environment, engine)
) STRICT;
