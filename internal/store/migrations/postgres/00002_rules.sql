-- +goose Up

-- What the rules of features, invitations, API tokens and impersonation keep.
-- The conventions are those of the first migration.

ALTER TABLE environments ADD COLUMN invitation_url TEXT NOT NULL DEFAULT '';
ALTER TABLE environments ADD COLUMN invitation_hours BIGINT NOT NULL DEFAULT 168;
ALTER TABLE environments ADD COLUMN token_minutes BIGINT NOT NULL DEFAULT 15;
ALTER TABLE accounts ADD COLUMN plan TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX accounts_plan ON accounts (environment, plan, id) WHERE plan <> '';

CREATE TABLE features (
    environment TEXT COLLATE "C"    NOT NULL REFERENCES environments (id),
    id          TEXT COLLATE "C"    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    permission  TEXT COLLATE "C"    NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, id)
);

CREATE TABLE plans (
    environment TEXT COLLATE "C"    NOT NULL REFERENCES environments (id),
    id          TEXT COLLATE "C"    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, id)
);

CREATE TABLE plan_features (
    environment TEXT COLLATE "C" NOT NULL,
    plan        TEXT COLLATE "C" NOT NULL,
    feature     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, plan, feature),
    FOREIGN KEY (environment, plan) REFERENCES plans (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, feature) REFERENCES features (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX plan_features_feature ON plan_features (environment, feature, plan);

-- A feature switched on or off (is_on) at an account: there alone, or in its branch.
CREATE TABLE feature_switches (
    environment TEXT COLLATE "C"    NOT NULL,
    account_id  TEXT COLLATE "C"    NOT NULL,
    feature     TEXT COLLATE "C"    NOT NULL,
    branch      BOOLEAN NOT NULL,
    is_on       BOOLEAN NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, account_id, feature, branch),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, feature) REFERENCES features (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX feature_switches_feature ON feature_switches (environment, feature, account_id);

CREATE TABLE api_tokens (
    environment   TEXT COLLATE "C"    NOT NULL,
    id            TEXT COLLATE "C"    NOT NULL,
    account_id    TEXT COLLATE "C"    NOT NULL,
    name          TEXT    NOT NULL,
    search        TEXT    NOT NULL,
    branch_access TEXT COLLATE "C"    NOT NULL,
    expires_at    BIGINT,
    created_by    TEXT    NOT NULL, -- an actor, as JSON
    creator       TEXT COLLATE "C"    NOT NULL, -- its name: user:ada
    created_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    secret_hash   BYTEA,
    PRIMARY KEY (environment, id),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX api_tokens_account ON api_tokens (environment, account_id, id);
CREATE INDEX api_tokens_creator ON api_tokens (environment, creator, id);

CREATE TABLE api_token_roles (
    environment TEXT COLLATE "C" NOT NULL,
    token       TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, token, role),
    FOREIGN KEY (environment, token) REFERENCES api_tokens (environment, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (environment, role) REFERENCES roles (environment, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX api_token_roles_role ON api_token_roles (environment, role, token);

-- The roles are keys as a JSON array: an invitation does not keep a role from being deleted.
CREATE TABLE invitations (
    environment           TEXT COLLATE "C"    NOT NULL,
    id                    TEXT COLLATE "C"    NOT NULL,
    account_id            TEXT COLLATE "C"    NOT NULL,
    email                 TEXT COLLATE "C"    NOT NULL,
    name                  TEXT    NOT NULL,
    search                TEXT    NOT NULL,
    roles                 TEXT    NOT NULL,
    mode                  TEXT COLLATE "C"    NOT NULL,
    sub_account_access    BOOLEAN NOT NULL,
    membership_expires_at BIGINT,
    invited_by            TEXT    NOT NULL, -- an actor, as JSON
    created_at            BIGINT NOT NULL,
    expires_at            BIGINT NOT NULL,
    version               BIGINT NOT NULL,
    PRIMARY KEY (environment, id),
    CONSTRAINT invitations_email UNIQUE (environment, account_id, email),
    FOREIGN KEY (environment, account_id) REFERENCES accounts (environment, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE impersonations (
    environment TEXT COLLATE "C"    NOT NULL,
    id          TEXT COLLATE "C"    NOT NULL,
    user_id     TEXT COLLATE "C"    NOT NULL,
    operator    TEXT COLLATE "C"    NOT NULL,
    reason      TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (environment, id)
);
CREATE INDEX impersonations_user ON impersonations (environment, user_id, id);
