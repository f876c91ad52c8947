-- +goose Up

-- What the rules of features, invitations, API tokens and impersonation keep.
-- The conventions are those of the first migration.

ALTER TABLE environments ADD COLUMN invitation_url TEXT NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN invitation_hours INTEGER NOT NULL DEFAULT 168;
ALTER TABLE environments ADD COLUMN token_minutes INTEGER NOT NULL DEFAULT 15;
ALTER TABLE accounts ADD COLUMN plan TEXT NOT NULL DEFAULT '';
CREATE INDEX accounts_plan ON accounts (environment, plan, id) WHERE plan <> '';

CREATE TABLE features (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    permission  TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;

CREATE TABLE plans (
    environment TEXT    NOT NULL REFERENCES environments (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;

CREATE TABLE plan_features (
    environment TEXT NOT NULL,
    plan        TEXT NOT NULL,
    feature     TEXT NOT NULL,
    PRIMARY KEY (environment, plan, feature),
    FOREIGN KEY (environment, plan) REFERENCES plans (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, feature) REFERENCES features (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX plan_features_feature ON plan_features (environment, feature, plan);

-- A feature switched on or off (is_on) at an account: there alone, or in its branch.
CREATE TABLE feature_switches (
    environment TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    feature     TEXT    NOT NULL,
    branch      INTEGER NOT NULL,
    is_on       INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, account_id, feature, branch),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, feature) REFERENCES features (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX feature_switches_feature ON feature_switches (environment, feature, account_id);

CREATE TABLE api_tokens (
    environment   TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    account_id    TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    search        TEXT    NOT NULL,
    branch_access TEXT    NOT NULL,
    expires_at    INTEGER,
    created_by    TEXT    NOT NULL, -- an actor, as JSON
    creator       TEXT    NOT NULL, -- its name: user:ada
    created_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    secret_hash   BLOB,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX api_tokens_account ON api_tokens (environment, account_id, id);
CREATE INDEX api_tokens_creator ON api_tokens (environment, creator, id);

CREATE TABLE api_token_roles (
    environment TEXT NOT NULL,
    token       TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (environment, token, role),
    FOREIGN KEY (environment, token) REFERENCES api_tokens (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX api_token_roles_role ON api_token_roles (environment, role, token);

-- The roles are keys as a JSON array: an invitation does not keep a role from being deleted.
CREATE TABLE invitations (
    environment           TEXT    NOT NULL,
    id                    TEXT    NOT NULL,
    account_id            TEXT    NOT NULL,
    email                 TEXT    NOT NULL,
    name                  TEXT    NOT NULL,
    search                TEXT    NOT NULL,
    roles                 TEXT    NOT NULL,
    mode                  TEXT    NOT NULL,
    sub_account_access    INTEGER NOT NULL,
    membership_expires_at INTEGER,
    invited_by            TEXT    NOT NULL, -- an actor, as JSON
    created_at            INTEGER NOT NULL,
    expires_at            INTEGER NOT NULL,
    version               INTEGER NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT invitations_email UNIQUE (environment, account_id, email),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE impersonations (
    environment TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    operator    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;
CREATE INDEX impersonations_user ON impersonations (environment, user_id, id);
