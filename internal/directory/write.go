package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Applier brings journal entries into force.
type Applier interface {
	// InForce waits until the environment's journal is in force up to version, or ctx
	// ends; an Unavailable fault then.
	InForce(ctx context.Context, env account.EnvironmentID, version account.Version) error
}

// Request is what a use case needs to know of the request that it serves.
type Request struct {
	Actor          account.Actor
	ID             string          // of the request, for the journal
	From           string          // the address it came from, for the journal
	IdempotencyKey string          // "" if the caller gave none
	DryRun         bool            // only say what would come of it: nothing is written
	IfMatch        account.Version // the state that the caller has seen; 0 for any
	AtLeast        account.Version // the version that the caller knows of, from a consistency token; 0 for none
}

// Result is what a write leaves.
type Result[T any] struct {
	Value   T
	Version account.Version // of the journal entry, or of the newest one if nothing had to change
	ETag    account.Version // of what was written: the version of its last change
	Applied bool            // in force; otherwise durable, and in force later
}

var errReplan = errors.New("the plan changed between authorising and acting")

const replanTries = 5

// write carries out a use case: it plans on a snapshot, authorises with all in
// force that the snapshot holds, plans again inside the transaction, appends one
// journal entry, and waits until that is in force. A plan without changes writes
// nothing. input is what the caller asked for; with an idempotency key, a repeat
// of it gets the first answer again.
func write[T any](ctx context.Context, d *Directory, req Request, op string, input any, planFor func(context.Context, Reader, *plan) (T, error)) (Result[T], error) {
	env := req.Actor.Environment
	memory, err := remember(req, op, input)
	if err != nil {
		return Result[T]{}, err
	}
	refused := false
	for range replanTries {
		var planned plan
		var value T
		planErr := d.store.Read(ctx, env, func(r Reader) (err error) {
			planned = d.newPlan(req)
			if planned.head, err = r.Head(ctx); err == nil {
				value, err = planFor(ctx, r, &planned)
			}
			return err
		})
		if err := CheckKnown(req.AtLeast, planned.head); err != nil && planned.head > 0 {
			return Result[T]{}, err
		}
		verdict, err := d.decide(ctx, req.Actor, planned.judge, planned.head, planned.needs)
		if err != nil {
			return Result[T]{}, err
		}
		// Whoever may not do it does not learn why it cannot be done.
		if refusal := verdict.over(planErr); refusal != nil {
			if refused || !d.movedOn(ctx, env, planned.head) {
				return Result[T]{}, refusal
			}
			refused = true
			continue
		}
		if planErr != nil && (memory == nil || errors.Is(planErr, fault.Unavailable)) {
			return Result[T]{}, planErr
		}
		if req.DryRun {
			if planErr != nil {
				return Result[T]{}, planErr
			}
			return Result[T]{Value: value, Version: planned.head, ETag: planned.etag}, nil
		}
		result, err := act(ctx, d, req, memory, planned.needs, planFor)
		if errors.Is(err, errReplan) {
			continue
		}
		if err != nil {
			return Result[T]{}, err
		}
		result.Applied = d.await(ctx, env, result.Version)
		return result, nil
	}
	return Result[T]{}, fault.New(fault.Unavailable, "busy", "what this depends on kept changing; try again")
}

// act is the transaction of write.
func act[T any](ctx context.Context, d *Directory, req Request, memory *memory, met []need, planFor func(context.Context, Reader, *plan) (T, error)) (Result[T], error) {
	var result Result[T]
	err := d.store.Write(ctx, req.Actor.Environment, func(tx Tx) error {
		result = Result[T]{}
		if memory != nil {
			if known, err := memory.recall(ctx, tx, &result.Value); err != nil || known != 0 {
				result.Version, result.ETag = known, known
				return err
			}
		}
		p := d.newPlan(req)
		value, err := planFor(ctx, tx, &p)
		if err != nil {
			return err
		}
		if !covers(met, p.needs) {
			return errReplan
		}
		result.Value = value
		if len(p.changes) == 0 {
			result.ETag = p.etag
			result.Version, err = tx.Head(ctx)
			return err
		}
		result.Version, err = tx.Append(ctx, account.Entry{
			Environment: req.Actor.Environment, At: p.now, Actor: p.actor, RequestID: req.ID, From: req.From,
			Kind: p.kind, Changes: p.changes,
		})
		if err != nil {
			return err
		}
		result.ETag = result.Version
		if p.aside {
			result.ETag = p.etag
		}
		for _, also := range p.beside {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		if memory != nil {
			return memory.keep(ctx, tx, result.Version, value)
		}
		return nil
	})
	return result, err
}

// movedOn reports whether a refusal may be hasty. The engine has in force at
// least what the plan read, and perhaps more: what the plan found may be deleted
// since, and the engine knows no rights on what is not there.
func (d *Directory) movedOn(ctx context.Context, env account.EnvironmentID, planned account.Version) bool {
	head, err := d.store.Head(ctx, env)
	return err == nil && head != planned
}

// await reports whether a version came into force within the configured wait.
func (d *Directory) await(ctx context.Context, env account.EnvironmentID, version account.Version) bool {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.ApplyWait)
	defer cancel()
	return d.applier.InForce(ctx, env, version) == nil
}

// CheckKnown refuses a version that the directory never had: an Invalid fault (invalid_consistency_token).
func CheckKnown(version, head account.Version) error {
	if version > head {
		return fault.New(fault.Invalid, "invalid_consistency_token", "the consistency token is newer than anything written; the directory may have been restored from a backup").In("Consistency-Token")
	}
	return nil
}
