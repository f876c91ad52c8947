package directory

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Question is one permission, by its name in the schema, on one object.
type Question struct {
	Permission string
	Resource   relation.Object
}

// Authorizer decides by the engine what an actor may do.
type Authorizer interface {
	// Decide answers each question for the actor; the answers are in the order of the
	// questions. Unavailable faults when the engine is away or behind.
	Decide(ctx context.Context, actor account.Actor, questions []Question) ([]bool, error)
}

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
	IfMatch        account.Version // the state that the caller has seen; 0 for any
}

// Result is what a write leaves.
type Result[T any] struct {
	Value   T
	Version account.Version // of the journal entry, or of the newest one if nothing had to change
	ETag    account.Version // of what was written: the version of its last change
	Applied bool            // in force; otherwise durable, and in force later
}

// plan is what a use case wants to do: the rights it needs, and the changes it makes.
// It is made twice, to authorise before the transaction and to act inside it.
type plan struct {
	env     account.EnvironmentID
	now     time.Time
	ifMatch account.Version
	byUser  bool // the actor is a user, whose own rights bound what can be handed out (U4)

	needs   []need
	kind    account.Kind
	changes []account.Change
	etag    account.Version // of what is left as it was, when there are no changes
	secret  *clientSecret
}

type clientSecret struct {
	client account.ClientID
	hash   []byte
}

// need is a right without which the plan may not be carried out, and what to say if it is missing.
type need struct {
	Question
	doing string
}

func (p *plan) account(permission string, id account.ID, doing string) {
	p.need(permission, relation.AccountObject(p.env, id), doing)
}

func (p *plan) environment(permission, doing string) {
	p.need(permission, relation.EnvironmentObject(p.env), doing)
}

func (p *plan) need(permission string, on relation.Object, doing string) {
	n := need{Question{permission, on}, doing}
	if !slices.Contains(p.needs, n) {
		p.needs = append(p.needs, n)
	}
}

func (p *plan) change(before, after *account.Entity) {
	p.changes = append(p.changes, account.Change{Before: before, After: after})
}

// match refuses with a Stale fault if the caller has seen another state.
func (p *plan) match(version account.Version) error {
	if p.ifMatch != 0 && p.ifMatch != version {
		return fault.New(fault.Stale, "stale", "it has been changed since: the state is %d, If-Match says %d; read it again", version, p.ifMatch)
	}
	return nil
}

var errReplan = errors.New("the plan changed between authorising and acting")

const replanTries = 5

// write carries out a use case: it plans on a snapshot, authorises, plans again
// inside the transaction, appends one journal entry, and waits until that is in
// force. A plan without changes writes nothing. input is what the caller asked
// for; with an idempotency key, a repeat of it gets the first answer again.
func write[T any](ctx context.Context, d *Directory, req Request, op string, input any, planFor func(context.Context, Reader, *plan) (T, error)) (Result[T], error) {
	env := req.Actor.Environment
	memory, err := remember(req, op, input)
	if err != nil {
		return Result[T]{}, err
	}
	for range replanTries {
		var planned plan
		planErr := d.store.Read(ctx, env, func(r Reader) error {
			planned = d.newPlan(req)
			_, err := planFor(ctx, r, &planned)
			return err
		})
		// Whoever may not do it does not learn why it cannot be done.
		if err := d.authorise(ctx, req.Actor, planned.needs, planErr); err != nil {
			return Result[T]{}, err
		}
		if planErr != nil && (memory == nil || errors.Is(planErr, fault.Unavailable)) {
			return Result[T]{}, planErr
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
func act[T any](ctx context.Context, d *Directory, req Request, memory *memory, allowed []need, planFor func(context.Context, Reader, *plan) (T, error)) (Result[T], error) {
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
		for _, n := range p.needs {
			if !slices.Contains(allowed, n) {
				return errReplan
			}
		}
		result.Value = value
		if len(p.changes) == 0 {
			result.ETag = p.etag
			result.Version, err = tx.Head(ctx)
			return err
		}
		result.Version, err = tx.Append(ctx, account.Entry{
			Environment: req.Actor.Environment, At: p.now, Actor: req.Actor, RequestID: req.ID, From: req.From,
			Kind: p.kind, Changes: p.changes,
		})
		if err != nil {
			return err
		}
		result.ETag = result.Version
		if p.secret != nil {
			if err := tx.SetSecret(ctx, p.secret.client, p.secret.hash); err != nil {
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

func (d *Directory) newPlan(req Request) plan {
	return plan{
		env: req.Actor.Environment, now: d.cfg.Now().UTC().Truncate(time.Microsecond),
		ifMatch: req.IfMatch, byUser: req.Actor.IsUser(),
	}
}

// authorise returns a Denied fault for the first need that the actor lacks. The
// system needs nothing. An operator who may look around is told instead that
// what was asked for does not exist, if planErr says so: the engine knows no
// rights on what is not there.
func (d *Directory) authorise(ctx context.Context, actor account.Actor, needs []need, planErr error) error {
	if actor.System || len(needs) == 0 {
		return nil
	}
	questions := make([]Question, len(needs), len(needs)+1)
	for i, n := range needs {
		questions[i] = n.Question
	}
	missing := errors.Is(planErr, fault.NotFound) && !actor.IsUser()
	if missing {
		questions = append(questions, Question{"view_backoffice", relation.EnvironmentObject(actor.Environment)})
	}
	answers, err := d.authorizer.Decide(ctx, actor, questions)
	if err != nil {
		return err
	}
	if missing && answers[len(needs)] {
		return planErr
	}
	if i := slices.Index(answers[:len(needs)], false); i >= 0 {
		return denied(actor, needs[i])
	}
	return nil
}

func denied(actor account.Actor, n need) error {
	on := "the environment"
	if n.Resource.Type != relation.TypeEnvironment {
		id, _ := n.Resource.Local(actor.Environment)
		on = n.Resource.Type + " " + id
	}
	return fault.New(fault.Denied, "permission_denied", "%s may not %s: needs %s on %s", actor.Name(), n.doing, n.Permission, on)
}

// await reports whether a version came into force within the configured wait.
func (d *Directory) await(ctx context.Context, env account.EnvironmentID, version account.Version) bool {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.ApplyWait)
	defer cancel()
	return d.applier.InForce(ctx, env, version) == nil
}

// memory is the idempotency of one request.
type memory struct {
	key         string
	fingerprint []byte
}

const maxIdempotencyKey = 255

func remember(req Request, op string, input any) (*memory, error) {
	if req.IdempotencyKey == "" {
		return nil, nil
	}
	if len(req.IdempotencyKey) > maxIdempotencyKey {
		return nil, fault.New(fault.Invalid, "invalid_idempotency_key", "an Idempotency-Key has at most %d characters", maxIdempotencyKey).In("Idempotency-Key")
	}
	text, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(op+"\n"), text...))
	// a key belongs to the actor who chose it
	return &memory{key: req.Actor.Name() + "\n" + req.IdempotencyKey, fingerprint: sum[:]}, nil
}

// recall returns the version at which the request was carried out before, 0 if it was not, and puts its result into value.
func (m *memory) recall(ctx context.Context, tx Tx, value any) (account.Version, error) {
	r, ok, err := tx.Recall(ctx, m.key)
	if err != nil || !ok {
		return 0, err
	}
	if !slices.Equal(r.Fingerprint, m.fingerprint) {
		return 0, fault.New(fault.Conflict, "idempotency_key_reused", "this Idempotency-Key was used for another request").In("Idempotency-Key")
	}
	return r.Version, json.Unmarshal(r.Result, value)
}

func (m *memory) keep(ctx context.Context, tx Tx, version account.Version, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.Remember(ctx, m.key, Remembered{Fingerprint: m.fingerprint, Version: version, Result: text})
}
