package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// Question is one permission, by its name in the schema, on one object.
type Question struct {
	Permission string
	Resource   relation.Object
}

// Authorizer decides by the engine what an actor may do.
type Authorizer interface {
	// Decide answers each question for the actor, with at least the given version of the
	// actor's environment in force; the answers are in the order of the questions. It waits
	// for that version, within bounds. Unavailable faults when the engine is away or behind.
	Decide(ctx context.Context, actor account.Actor, atLeast account.Version, questions []Question) ([]bool, error)
}

// verdict is what the engine says of an actor's needs.
type verdict struct {
	refusal     *fault.Error // of the first need that is not met; nil if all are
	looksAround bool         // an operator, who may know what there is and what is not
}

// over returns why the actor may not do it, nil if they may. Operators are told
// instead that what they asked for does not exist, if err says so: the engine
// knows no rights on what is not there.
func (v verdict) over(err error) error {
	switch {
	case v.refusal == nil:
		return nil
	case v.looksAround && errors.Is(err, fault.NotFound):
		return err
	default:
		return v.refusal
	}
}

// decide asks the engine whether an actor's needs are met, with at least the
// given version in force: what was recorded before, a block say, binds (U5). The
// system needs nothing. What needs nothing is not for who has a token for one
// account (W2): it is not about that account. What the actor may do in an account
// does not count while the caller, who mostly is the actor, is elsewhere than its allow list says (E3).
func (d *Directory) decide(ctx context.Context, caller, actor account.Actor, atLeast account.Version, needs []need) (verdict, error) {
	if len(needs) == 0 && actor.Account != "" {
		return verdict{refusal: OutsideAccount(actor)}, nil
	}
	if actor.System || len(needs) == 0 {
		return verdict{looksAround: actor.System}, nil
	}
	var questions []Question
	place := map[Question]int{}
	ask := func(q Question) {
		if _, asked := place[q]; !asked {
			place[q] = len(questions)
			questions = append(questions, q)
		}
	}
	for _, n := range needs {
		for _, q := range n.anyOf {
			ask(q)
		}
	}
	look := Question{"view_backoffice", relation.EnvironmentObject(actor.Environment)}
	if !actor.IsMember() {
		ask(look)
	}
	var answers []bool
	if len(questions) > 0 {
		var err error
		if answers, err = d.authorizer.Decide(ctx, actor, atLeast, questions); err != nil {
			return verdict{}, err
		}
	}
	barred, err := d.bars(ctx, caller, questions, answers)
	if err != nil {
		return verdict{}, err
	}
	holds := func(q Question) bool { return answers[place[q]] && within(actor, q) && !barred(q) }
	v := verdict{looksAround: !actor.IsMember() && holds(look)}
	for _, n := range needs {
		if !slices.ContainsFunc(n.anyOf, holds) {
			v.refusal = n.refuse(actor, d.catalogue)
			if slices.ContainsFunc(n.anyOf, func(q Question) bool { return answers[place[q]] && barred(q) }) {
				v.refusal = NotAllowedFrom(caller)
			}
			break
		}
	}
	return v, nil
}

// refuse is the fault for an actor who lacks the need.
func (n need) refuse(actor account.Actor, catalogue *schema.Catalogue) *fault.Error {
	switch {
	case actor.IsMember() && n.otherwise != nil:
		return n.otherwise
	case n.outside(actor) && (n.named || !n.vague):
		return OutsideAccount(actor)
	case actor.IsMember() && n.vague || len(n.anyOf) != 1:
		return fault.New(fault.Denied, "permission_denied", "%s may not %s", actor.Name(), n.doing)
	}
	q, on := n.anyOf[0], "the environment"
	if q.Resource.Type != relation.TypeEnvironment {
		id, _ := q.Resource.Local(actor.Environment)
		on = q.Resource.Type + " " + id
	}
	right := q.Permission
	if p, ok := catalogue.Lookup(right); ok {
		right = string(p.Key) // as roles have it
	}
	return fault.New(fault.Denied, "permission_denied", "%s may not %s: needs %s on %s", actor.Name(), n.doing, right, on)
}

// outside reports whether no right at the account of the actor's token meets the need.
func (n need) outside(actor account.Actor) bool {
	return actor.Account != "" && !slices.ContainsFunc(n.anyOf, func(q Question) bool { return within(actor, q) })
}

// within reports whether a question is about what the actor's token opens.
func within(actor account.Actor, q Question) bool {
	return actor.Account == "" || q.Resource == relation.AccountObject(actor.Environment, actor.Account)
}

// OutsideAccount is the Denied fault (outside_account) for who has a token for one
// account and asks about anything else, whether or not there is such a thing (W2).
func OutsideAccount(actor account.Actor) *fault.Error {
	return fault.New(fault.Denied, "outside_account", "the token is for account %s and opens nothing else; use the user's own credential, or one for the account that is meant", actor.Account)
}
