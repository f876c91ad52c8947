package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

// Beside the journal stand two tables that say what can be looked up in it:
// journal_concerns, what each entry concerns; and journal_lives, from which
// version to which an account lived, and below which other. They hold nothing that the
// entries do not say.

const addConcerns = `INSERT INTO journal_concerns (environment, type, id, version)
	SELECT CAST(? AS TEXT), CAST(v.value ->> 0 AS TEXT), CAST(v.value ->> 1 AS TEXT), CAST(? AS BIGINT) FROM @rows(?) AS v`

const addLives = `INSERT INTO journal_lives (environment, account_id, born, parent)
	SELECT CAST(? AS TEXT), CAST(v.value ->> 0 AS TEXT), CAST(? AS BIGINT), CAST(v.value ->> 1 AS TEXT) FROM @rows(?) AS v`

// Materialized for the reason given at newTable.
const givenLives = `WITH v AS MATERIALIZED (SELECT CAST(? AS TEXT) AS environment, CAST(v.value ->> 0 AS TEXT) AS account_id,
	CAST(v.value ->> 1 AS TEXT) AS parent FROM @rows(?) AS v) UPDATE journal_lives SET parent = v.parent`

const ofLives = ` FROM v WHERE journal_lives.environment = v.environment AND journal_lives.account_id = v.account_id AND journal_lives.ended IS NULL`

const (
	moveLives = givenLives + ofLives
	endLives  = givenLives + `, ended = CAST(? AS BIGINT)` + ofLives
)

// note adds an entry to these tables.
func (t *tx) note(ctx context.Context, e account.Entry) error {
	refs := e.Concerns()
	rows := make([][]any, len(refs))
	for i, r := range refs {
		rows[i] = []any{r.Type, r.ID}
	}
	if err := t.noteRows(ctx, rows, addConcerns, t.env, e.Version); err != nil {
		return err
	}
	ended, begun, moved := lives(e.Changes)
	if err := t.noteRows(ctx, moved, moveLives, t.env); err != nil {
		return err
	}
	if len(ended) > 0 {
		text, err := jsonOf(ended)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, endLives, t.env, text, e.Version); err != nil {
			return err
		}
	}
	return t.noteRows(ctx, begun, addLives, t.env, e.Version)
}

// noteRows runs a statement that takes rows, as JSON, after its other arguments.
func (t *tx) noteRows(ctx context.Context, rows [][]any, statement string, args ...any) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := jsonOf(rows)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, statement, append(args, text)...)
	return err
}

// lives returns the accounts, each with its parent, whose life the changes end,
// begin, or carry on below another parent.
func lives(changes []account.Change) (ended, begun, moved [][]any) {
	type life struct {
		before, after *account.Account
		last          *account.Account // as it was when it ended
		broken        bool             // it ended and began again in between
	}
	var order []account.ID
	seen := map[account.ID]*life{}
	for _, c := range changes {
		var before, after *account.Account
		if c.Before != nil {
			before = c.Before.Account
		}
		if c.After != nil {
			after = c.After.Account
		}
		if before == nil && after == nil {
			continue
		}
		id := c.Place()
		l, known := seen[id]
		if !known {
			l = &life{before: before}
			seen[id] = l
			order = append(order, id)
		}
		l.after, l.broken = after, l.broken || known && before == nil
		if after == nil && l.last == nil {
			l.last = before
		}
	}
	for _, id := range order {
		l := seen[id]
		if l.before != nil && (l.after == nil || l.broken) {
			ended = append(ended, []any{id, l.last.Parent})
		}
		if l.after != nil && (l.before == nil || l.broken) {
			begun = append(begun, []any{id, l.after.Parent})
		}
		if l.before != nil && l.after != nil && !l.broken && l.before.Parent != l.after.Parent {
			moved = append(moved, []any{id, l.after.Parent})
		}
	}
	return ended, begun, moved
}
