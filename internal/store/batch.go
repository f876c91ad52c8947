package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
)

// batch gathers changes of state rows, so that a thousand of them take a
// handful of statements. Rows of different tables, and different rows of one
// table, may change in any order: foreign keys are looked at when the
// transaction commits. Only a second change of the same row has to wait for the first.
type batch struct {
	session *session
	env     account.EnvironmentID
	tables  []*table // in the order of their first change
	waiting map[*table]*waiting
}

// waiting is what is still to be done in one table.
type waiting struct {
	touched                   map[string]struct{} // keys of rows that a waiting change touches
	removed, updated, created [][]any
}

// change adds the change of one entity.
func (b *batch) change(ctx context.Context, c account.Change, version account.Version) error {
	before, err := b.record(c.Before, version)
	if err != nil {
		return err
	}
	after, err := b.record(c.After, version)
	if err != nil {
		return err
	}
	switch {
	case c.Before == nil && c.After == nil:
		return errors.New("store: a change of the entry is empty")
	case c.Before == nil:
		return b.create(ctx, after)
	case c.After == nil:
		return b.remove(ctx, before)
	default:
		return b.update(ctx, before, after)
	}
}

// record returns the rows of an entity of the environment; none for nil.
func (b *batch) record(e *account.Entity, version account.Version) (record, error) {
	if e == nil {
		return record{}, nil
	}
	if e.Environment != nil && e.Environment.ID != b.env {
		return record{}, fmt.Errorf("store: an entry of environment %s changes environment %s", b.env, e.Environment.ID)
	}
	return recordOf(e, version)
}

func (b *batch) create(ctx context.Context, r record) error {
	w, err := b.touch(ctx, r.table, r.key())
	if err != nil {
		return err
	}
	w.created = append(w.created, r.row)
	return b.carry(ctx, r, nil, r.carried)
}

func (b *batch) remove(ctx context.Context, r record) error {
	if r.table == environmentsTable {
		return errors.New("store: an environment cannot be removed")
	}
	w, err := b.touch(ctx, r.table, r.key())
	if err != nil {
		return err
	}
	w.removed = append(w.removed, r.key())
	return b.carry(ctx, r, r.carried, nil)
}

func (b *batch) update(ctx context.Context, before, after record) error {
	if before.table != after.table || !slices.Equal(before.key(), after.key()) {
		return fmt.Errorf("store: a change of the entry is of two things: %v and %v", before.key(), after.key())
	}
	w, err := b.touch(ctx, after.table, after.key())
	if err != nil {
		return err
	}
	w.updated = append(w.updated, after.row)
	return b.carry(ctx, after, without(before.carried, after.carried), without(after.carried, before.carried))
}

// carry changes which keys a record carries.
func (b *batch) carry(ctx context.Context, r record, dropped, added []string) error {
	for _, carried := range dropped {
		w, err := b.touch(ctx, r.parts, r.part(carried))
		if err != nil {
			return err
		}
		w.removed = append(w.removed, r.part(carried))
	}
	for _, carried := range added {
		w, err := b.touch(ctx, r.parts, r.part(carried))
		if err != nil {
			return err
		}
		w.created = append(w.created, r.part(carried))
	}
	return nil
}

// without returns the values that others do not hold.
func without(values, others []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(others, v) })
}

// touch returns what waits in a table, after doing it if it concerns the same row.
func (b *batch) touch(ctx context.Context, t *table, key []any) (*waiting, error) {
	w := b.waiting[t]
	if w == nil {
		if b.waiting == nil {
			b.waiting = map[*table]*waiting{}
		}
		w = &waiting{touched: map[string]struct{}{}}
		b.waiting[t] = w
		b.tables = append(b.tables, t)
	}
	name := fmt.Sprintf("%q", key)
	if _, again := w.touched[name]; again {
		if err := b.flush(ctx, t); err != nil {
			return nil, err
		}
	}
	w.touched[name] = struct{}{}
	return w, nil
}

// done does all that waits.
func (b *batch) done(ctx context.Context) error {
	for _, t := range b.tables {
		if err := b.flush(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// flush does what waits in one table: removals first, for the unique values that they free.
func (b *batch) flush(ctx context.Context, t *table) error {
	w := b.waiting[t]
	if err := b.exec(ctx, t, t.remove, w.removed); err != nil {
		return err
	}
	updates := [][][]any{w.updated}
	if t.singly {
		updates = slices.Collect(slices.Chunk(w.updated, 1))
	}
	for _, rows := range updates {
		if err := b.exec(ctx, t, t.update, rows); err != nil {
			return err
		}
	}
	if err := b.exec(ctx, t, t.insert, w.created); err != nil {
		return err
	}
	*w = waiting{touched: map[string]struct{}{}}
	return nil
}

// exec runs one of a table's statements and sees that it changed every row.
func (b *batch) exec(ctx context.Context, t *table, statement string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := jsonOf(rows)
	if err != nil {
		return err
	}
	n, err := b.session.exec(ctx, statement, b.env, text)
	if err != nil {
		switch b.session.dialect.classify(err) {
		case takenKey:
			return t.taken(rows, err)
		case takenValue:
			return t.valueTaken(err)
		default:
			return err
		}
	}
	if n != len(rows) {
		return fmt.Errorf("store: of %d rows of %s that the entry changes, %d were there", len(rows), t.name, n)
	}
	return nil
}
