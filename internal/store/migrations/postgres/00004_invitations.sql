-- +goose Up

-- The links of invitations, and the queue of the letters that carry them. Neither
-- is part of the journal; both end with the invitation.

ALTER TABLE invitations ADD COLUMN sent_at BIGINT NOT NULL DEFAULT 0;

-- Hashes of secrets: an invitation has one for each letter that was tried since it was last sent.
CREATE TABLE invitation_secrets (
    environment TEXT COLLATE "C" NOT NULL,
    invitation  TEXT COLLATE "C" NOT NULL,
    hash        BYTEA NOT NULL,
    PRIMARY KEY (environment, invitation, hash),
    FOREIGN KEY (environment, invitation) REFERENCES invitations (environment, id) ON DELETE CASCADE
);

-- One row for each invitation that goes by mail, also when the letter is sent. id
-- is the job's: another one each time that the invitation is sent again. While
-- state is queued, nobody takes the job before due_at, which is also where a
-- lease ends.
CREATE TABLE mail_queue (
    environment TEXT COLLATE "C" NOT NULL,
    invitation  TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL, -- queued, sent, failed
    attempts    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    last_error  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (environment, invitation),
    CONSTRAINT mail_queue_id UNIQUE (environment, id),
    FOREIGN KEY (environment, invitation) REFERENCES invitations (environment, id) ON DELETE CASCADE
);
CREATE INDEX mail_queue_due ON mail_queue (due_at) WHERE state = 'queued';
