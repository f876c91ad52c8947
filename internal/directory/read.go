package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The bounds of lists.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	MaxTree      = 10_000 // accounts in one tree
)

// Page is a part of a list, in its order.
type Page[T any] struct {
	Items []account.Versioned[T]
	Total int  // how many there are in all
	More  bool // there are items after these
}

// CheckLimit returns limit, or DefaultLimit for 0; an Invalid fault (invalid_limit) outside 1 to MaxLimit.
func CheckLimit(limit int) (int, error) {
	switch {
	case limit == 0:
		return DefaultLimit, nil
	case limit < 0 || limit > MaxLimit:
		return 0, fault.New(fault.Invalid, "invalid_limit", "limit is between 1 and %d, not %d", MaxLimit, limit).In("limit")
	default:
		return limit, nil
	}
}

// read carries out a read use case: declare says what it needs, before anything
// is read; look reads one snapshot. What was read is returned only if a decision
// with all in force that the snapshot holds allows it, so that nobody reads what
// was written after their right to read it ended.
func read[T any](ctx context.Context, d *Directory, actor account.Actor, declare func(*plan) error, look func(context.Context, Reader) (T, error)) (T, error) {
	var value, none T
	p := d.newPlan(Request{Actor: actor})
	if err := declare(&p); err != nil {
		return none, err
	}
	verdict, decided, err := d.decideAtHead(ctx, actor, p.needs)
	if err != nil {
		return none, err
	}
	if verdict.refusal != nil && !verdict.looksAround {
		return none, verdict.refusal
	}
	seen := account.Version(0)
	readErr := d.store.Read(ctx, actor.Environment, func(r Reader) (err error) {
		if seen, err = r.Head(ctx); err == nil {
			value, err = look(ctx, r)
		}
		return err
	})
	if seen > decided {
		if verdict, err = d.decide(ctx, actor, actor, seen, p.needs); err != nil {
			return none, err
		}
	}
	if refusal := verdict.over(readErr); refusal != nil {
		return none, refusal
	}
	return value, readErr
}

// decideAtHead decides with all in force that is recorded now, and returns up to which version that is.
func (d *Directory) decideAtHead(ctx context.Context, actor account.Actor, needs []need) (verdict, account.Version, error) {
	if actor.System || len(needs) == 0 {
		v, err := d.decide(ctx, actor, actor, 0, needs)
		return v, 0, err
	}
	head, err := d.store.Head(ctx, actor.Environment)
	if err != nil {
		return verdict{}, 0, err
	}
	v, err := d.decide(ctx, actor, actor, head, needs)
	return v, head, err
}

// page reads one item more than asked for, to know whether there are more.
func page[T any](limit int, list func(limit int) ([]account.Versioned[T], int, error)) (Page[T], error) {
	items, total, err := list(limit + 1)
	if err != nil {
		return Page[T]{}, err
	}
	more := len(items) > limit
	if more {
		items = items[:limit]
	}
	return Page[T]{Items: items, Total: total, More: more}, nil
}
