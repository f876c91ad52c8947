-- +goose Up

-- By what an operator was known who impersonates: a session goes on no longer than
-- that is good. A session from before cannot say, and ends.

ALTER TABLE impersonations ADD COLUMN secret TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE impersonations ADD COLUMN scopes TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE impersonations ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE impersonations ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE impersonations ADD COLUMN audience TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Users of whom an operator took a link away: a verified address alone gives them none
-- again. Not part of the journal: what was unlinked is.
CREATE TABLE unlinked_users (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    user_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, user_id)
);
