-- +goose Up

-- Which kind of operator impersonates; and subjects of OpenID providers whose link
-- an operator took away. The conventions are those of the first migration.

ALTER TABLE impersonations ADD COLUMN person BOOLEAN NOT NULL DEFAULT FALSE;

-- Not part of the journal: what was unlinked is.
CREATE TABLE unlinked_subjects (
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment, issuer, subject)
);
