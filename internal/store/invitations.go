package store

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// InvitationSecrets returns the hashes of an invitation's secrets, in no order; none if there is no such invitation.
func (r *reader) InvitationSecrets(ctx context.Context, id account.InvitationID) ([][]byte, error) {
	return list(ctx, r.session, scanValue[[]byte], `SELECT hash FROM invitation_secrets WHERE environment = ? AND invitation = ?`, r.env, id)
}

// AddInvitationSecret keeps the hash of one more secret of an invitation, never part of the journal (I1).
func (t *tx) AddInvitationSecret(ctx context.Context, id account.InvitationID, hash []byte) error {
	_, err := t.exec(ctx, `INSERT INTO invitation_secrets (environment, invitation, hash) VALUES (?, ?, ?)`, t.env, id, hash)
	return err
}

// DropInvitationSecrets makes the links that an invitation has void.
func (t *tx) DropInvitationSecrets(ctx context.Context, id account.InvitationID) error {
	_, err := t.exec(ctx, `DELETE FROM invitation_secrets WHERE environment = ? AND invitation = ?`, t.env, id)
	return err
}

// Deliveries returns what became of the letters of the invitations named, those of them that go by mail.
func (r *reader) Deliveries(ctx context.Context, ids []account.InvitationID) (map[account.InvitationID]directory.Delivery, error) {
	named, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	type delivery struct {
		id account.InvitationID
		directory.Delivery
	}
	found, err := list(ctx, r.session, func(row row) (d delivery, err error) {
		var at int64
		err = row.Scan(&d.id, &d.State, &d.Attempts, &d.LastError, &at)
		d.At = timeOf(at)
		return d, err
	}, deliveriesOf, named, r.env)
	if err != nil {
		return nil, err
	}
	out := make(map[account.InvitationID]directory.Delivery, len(found))
	for _, d := range found {
		out[d.id] = d.Delivery
	}
	return out, nil
}

// The cross join has SQLite look the invitations up one by one.
const deliveriesOf = `SELECT q.invitation, q.state, q.attempts, q.last_error, q.changed_at FROM @texts(?) AS named CROSS JOIN mail_queue q
	WHERE q.environment = ? AND q.invitation = named.value`

// QueueLetter has a letter sent for an invitation, in place of one that waits.
func (t *tx) QueueLetter(ctx context.Context, id account.InvitationID, job string) error {
	now := t.now().UnixMicro()
	_, err := t.exec(ctx, `INSERT INTO mail_queue (environment, invitation, id, state, attempts, due_at, last_error, changed_at)
		VALUES (?, ?, ?, 'queued', 0, ?, '', ?)
		ON CONFLICT (environment, invitation) DO UPDATE SET id = excluded.id, state = excluded.state, attempts = excluded.attempts,
			due_at = excluded.due_at, last_error = excluded.last_error, changed_at = excluded.changed_at`, t.env, id, job, now, now)
	return err
}

// DropLetter has no letter sent for an invitation.
func (t *tx) DropLetter(ctx context.Context, id account.InvitationID) error {
	_, err := t.exec(ctx, `DELETE FROM mail_queue WHERE environment = ? AND invitation = ?`, t.env, id)
	return err
}

// GiveUpLetter notes why the letter of an invitation is not to be tried any more.
func (t *tx) GiveUpLetter(ctx context.Context, id account.InvitationID, cause string) error {
	_, err := t.exec(ctx, `UPDATE mail_queue SET state = 'failed', last_error = ?, changed_at = ? WHERE environment = ? AND invitation = ?`,
		shortened(cause), t.now().UnixMicro(), t.env, id)
	return err
}

// QueuedLetter returns the invitation of a job, and whether the job is still to be
// done: not sent, not given up, and not claimed by another since.
func (t *tx) QueuedLetter(ctx context.Context, job directory.LetterJob) (account.InvitationID, bool, error) {
	found, err := list(ctx, t.session, scanValue[account.InvitationID],
		`SELECT invitation FROM mail_queue WHERE environment = ? AND id = ? AND attempts = ? AND state = 'queued'`, t.env, job.ID, job.Attempt)
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	return found[0], true, nil
}

// LetterSent notes that a letter was sent, by whichever of those who have claimed it.
func (db *DB) LetterSent(ctx context.Context, job directory.LetterJob) error {
	return db.settle(ctx, `UPDATE mail_queue SET state = 'sent', last_error = '', changed_at = ? WHERE environment = ? AND id = ?`,
		db.now().UnixMicro(), job.Environment, job.ID)
}

// LetterFailed notes why a letter could not be sent, and frees it, to be due again
// at a time. It changes nothing if another has claimed the job since.
func (db *DB) LetterFailed(ctx context.Context, job directory.LetterJob, cause string, again time.Time) error {
	return db.settle(ctx, `UPDATE mail_queue SET due_at = ?, last_error = ?, changed_at = ?
		WHERE environment = ? AND id = ? AND attempts = ? AND state = 'queued'`,
		again.UnixMicro(), shortened(cause), db.now().UnixMicro(), job.Environment, job.ID, job.Attempt)
}

// LetterGivenUp notes why a letter is not to be tried again. It changes nothing if another has claimed the job since.
func (db *DB) LetterGivenUp(ctx context.Context, job directory.LetterJob, cause string) error {
	return db.settle(ctx, `UPDATE mail_queue SET state = 'failed', last_error = ?, changed_at = ?
		WHERE environment = ? AND id = ? AND attempts = ? AND state = 'queued'`,
		shortened(cause), db.now().UnixMicro(), job.Environment, job.ID, job.Attempt)
}

// LettersWaiting returns how many letters of all environments are neither sent nor given up.
func (db *DB) LettersWaiting(ctx context.Context) (int, error) {
	return one(ctx, db.outside(), nil, scanValue[int], `SELECT COUNT(*) FROM mail_queue WHERE state = 'queued'`)
}

func (db *DB) settle(ctx context.Context, statement string, args ...any) error {
	return db.write(ctx, db.brief, func(s *session) error {
		_, err := s.exec(ctx, statement, args...)
		return err
	})
}

// maxCause is the longest reason that is kept, in bytes.
const maxCause = 500

// shortened returns a text as both databases take it, and not longer than maxCause.
func shortened(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= maxCause {
		return text
	}
	cut := maxCause - len("…")
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
