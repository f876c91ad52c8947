-- +goose Up

-- State: one table for each kind of entity, and two for the lists that roles and
-- memberships carry. Times are microseconds since 1970, UTC. A column named
-- version is the environment's version at the row's last change; search is the
-- folded text that queries are looked for in. References are looked at when a
-- transaction commits, so that the changes of an entry may come in any order.
--
-- What is compared or ordered is COLLATE "C": by its bytes, as SQLite does.

CREATE TABLE environments (
    id                   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name                 TEXT             NOT NULL,
    sub_accounts_enabled BOOLEAN          NOT NULL,
    default_access_mode  TEXT COLLATE "C" NOT NULL,
    max_depth            BIGINT           NOT NULL,
    created_at           BIGINT           NOT NULL,
    version              BIGINT           NOT NULL,
    head                 BIGINT           NOT NULL DEFAULT 0
);

CREATE TABLE clients (
    environment   TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id            TEXT COLLATE "C" NOT NULL,
    name          TEXT             NOT NULL,
    roles         TEXT             NOT NULL,
    act_for_users BOOLEAN          NOT NULL,
    created_at    BIGINT           NOT NULL,
    version       BIGINT           NOT NULL,
    secret_hash   BYTEA,
    PRIMARY KEY (environment, id)
);

CREATE TABLE accounts (
    environment            TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id                     TEXT COLLATE "C" NOT NULL,
    parent                 TEXT COLLATE "C",
    name                   TEXT             NOT NULL,
    search                 TEXT             NOT NULL,
    sub_account_management BOOLEAN          NOT NULL,
    access_mode            TEXT COLLATE "C" NOT NULL,
    created_at             BIGINT           NOT NULL,
    version                BIGINT           NOT NULL,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, parent) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX accounts_parent ON accounts (environment, parent);

CREATE TABLE users (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id          TEXT COLLATE "C" NOT NULL,
    email       TEXT COLLATE "C" NOT NULL,
    name        TEXT             NOT NULL,
    search      TEXT             NOT NULL,
    blocked     BOOLEAN          NOT NULL,
    created_at  BIGINT           NOT NULL,
    version     BIGINT           NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT users_email UNIQUE (environment, email)
);

CREATE TABLE roles (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT             NOT NULL,
    account_id  TEXT COLLATE "C" NOT NULL,
    version     BIGINT           NOT NULL,
    PRIMARY KEY (environment, id)
);

CREATE TABLE role_permissions (
    environment TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    permission  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, role, permission),
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE memberships (
    environment   TEXT COLLATE "C" NOT NULL,
    account_id    TEXT COLLATE "C" NOT NULL,
    user_id       TEXT COLLATE "C" NOT NULL,
    branch_access TEXT COLLATE "C" NOT NULL,
    expires_at    BIGINT,
    created_at    BIGINT           NOT NULL,
    version       BIGINT           NOT NULL,
    PRIMARY KEY (environment, account_id, user_id),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, user_id) REFERENCES users (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX memberships_user ON memberships (environment, user_id, account_id);

CREATE TABLE membership_roles (
    environment TEXT COLLATE "C" NOT NULL,
    account_id  TEXT COLLATE "C" NOT NULL,
    user_id     TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, account_id, user_id, role),
    FOREIGN KEY (environment, account_id, user_id) REFERENCES memberships (environment, account_id, user_id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX membership_roles_role ON membership_roles (environment, role, account_id);

CREATE TABLE assignments (
    environment TEXT COLLATE "C" NOT NULL,
    account_id  TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    always_on   BOOLEAN          NOT NULL,
    version     BIGINT           NOT NULL,
    PRIMARY KEY (environment, account_id, role),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX assignments_role ON assignments (environment, role);

-- The journal: how the state came to be. The other columns serve to find entries.
CREATE TABLE journal (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    version     BIGINT           NOT NULL,
    at          BIGINT           NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    entry       TEXT             NOT NULL,
    PRIMARY KEY (environment, version)
);

-- The outcomes of requests with an idempotency key (id).
CREATE TABLE remembered (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id          TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA            NOT NULL,
    version     BIGINT           NOT NULL,
    result      BYTEA            NOT NULL,
    created_at  BIGINT           NOT NULL,
    PRIMARY KEY (environment, id)
);
CREATE INDEX remembered_created_at ON remembered (environment, created_at);

-- How far an engine has applied a journal, and its token of that moment.
CREATE TABLE positions (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    engine      TEXT COLLATE "C" NOT NULL,
    version     BIGINT           NOT NULL,
    token       TEXT             NOT NULL,
    PRIMARY KEY (environment, engine)
);
