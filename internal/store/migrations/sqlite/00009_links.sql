-- +goose Up

-- Which kind of operator impersonates; and subjects of OpenID providers whose link
-- an operator took away. The conventions are those of the first migration.

ALTER TABLE impersonations ADD COLUMN person INTEGER NOT NULL DEFAULT 0;

-- Not part of the journal: what was unlinked is.
CREATE TABLE unlinked_subjects (
    environment TEXT NOT NULL REFERENCES environments (id),
    issuer      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    PRIMARY KEY (environment, issuer, subject)
) STRICT;
