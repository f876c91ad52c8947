package switcher

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/tenantry/tenantry/internal/account"
)

// take loads what the journal tells of an environment, and returns its version: one goroutine
// reads, and this one makes the index, each of which is about half of the work. Errors are those of the journal, of add and of more.
func (l *loader) take(ctx context.Context, journal Journal, env account.EnvironmentID) (account.Version, error) {
	var version account.Version
	group, ctx := errgroup.WithContext(ctx)
	t := &teller{ctx: ctx, batches: make(chan batch, 4)}
	group.Go(func() error {
		defer close(t.batches)
		var err error
		if version, err = journal.Reaching(ctx, env, t.add, t.more); err != nil {
			return err
		}
		return t.flush()
	})
	group.Go(func() error {
		for b := range t.batches {
			if err := l.takeBatch(b); err != nil {
				return err
			}
		}
		return nil
	})
	err := group.Wait()
	return version, err
}

func (l *loader) takeBatch(b batch) error {
	for _, e := range b.entities {
		if err := l.add(e); err != nil {
			return err
		}
	}
	for _, m := range b.more {
		if err := l.more(m); err != nil {
			return err
		}
	}
	return nil
}

// batch is some of what a journal tells: the entities come before the rest.
type batch struct {
	entities []account.Entity
	more     []account.Membership
}

// atOnce is how much of a batch there is at most: enough for handing it over to cost nothing beside it.
const atOnce = 512

// teller gathers what a journal tells, and hands it over in batches.
type teller struct {
	ctx     context.Context //nolint:containedctx // a teller lives as long as one call of take
	now     batch
	batches chan batch
}

func (t *teller) add(e account.Entity) error {
	if len(t.now.entities) == atOnce || len(t.now.more) > 0 {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if t.now.entities == nil {
		t.now.entities = make([]account.Entity, 0, atOnce)
	}
	t.now.entities = append(t.now.entities, e)
	return nil
}

func (t *teller) more(m account.Membership) error {
	if len(t.now.more) == atOnce {
		if err := t.flush(); err != nil {
			return err
		}
	}
	t.now.more = append(t.now.more, m)
	return nil
}

func (t *teller) flush() error {
	select {
	case t.batches <- t.now:
		t.now = batch{}
		return nil
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
}
