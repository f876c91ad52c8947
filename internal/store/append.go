package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// tx writes one environment in one transaction; it is a [directory.Tx].
type tx struct {
	reader
	now    func() time.Time
	broken error // of an Append that failed half-way: nothing of this transaction may stay
}

var _ directory.Tx = (*tx)(nil)

// Append gives the entry the next version of the environment, writes its
// changes to the state rows, and adds it to the journal. Changes take effect in
// the order given. A change whose entity is not there to be changed is an
// internal error; one that creates what exists already is an Exists fault
// (environment_exists, client_exists, account_exists, user_exists, email_taken,
// role_exists, membership_exists). After any error the transaction cannot commit.
func (t *tx) Append(ctx context.Context, entry account.Entry) (account.Version, error) {
	if t.broken == nil {
		t.broken = t.append(ctx, entry)
	}
	if t.broken != nil {
		return 0, t.broken
	}
	t.head++
	return t.head, nil
}

func (t *tx) append(ctx context.Context, entry account.Entry) error {
	if entry.Environment != "" && entry.Environment != t.env {
		return fmt.Errorf("store: an entry of environment %s was appended to the journal of %s", entry.Environment, t.env)
	}
	entry.Environment, entry.Version = t.env, t.head+1
	if entry.ID == "" {
		entry.ID = account.NewID("ent")
	}

	rows := batch{session: t.session, env: t.env}
	for _, c := range entry.Changes {
		if err := rows.change(ctx, c, entry.Version); err != nil {
			return err
		}
	}
	if err := rows.done(ctx); err != nil {
		return err
	}
	n, err := t.exec(ctx, `UPDATE environments SET head = ? WHERE id = ? AND head = ?`, entry.Version, t.env, t.head)
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("store: the journal of %s did not stand at version %d", t.env, t.head)
	}
	text, err := jsonOf(entry)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO journal (environment, version, at, actor, kind, entry) VALUES (?, ?, ?, ?, ?, ?)`,
		t.env, entry.Version, entry.At.UnixMicro(), entry.Actor.Name(), entry.Kind, text)
	if err != nil {
		return err
	}
	return t.note(ctx, entry)
}
