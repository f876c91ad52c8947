package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// plan is what a use case wants to do: the rights it needs, and the changes it makes.
// A write's is made twice, to authorise before the transaction and to act inside it.
type plan struct {
	env     account.EnvironmentID
	actor   account.Actor   // who the journal names
	judge   account.Actor   // whose rights are asked for; the same, unless an invitation is accepted
	head    account.Version // of what it read, when it was made to authorise
	now     time.Time
	ifMatch account.Version
	byUser  bool // the judge is a user or an API token, whose own rights bound what can be handed out (U4)

	needs   []need
	kind    account.Kind
	changes []account.Change
	etag    account.Version // of what is left as it was, when there are no changes
	aside   bool            // the changes are of other things than what etag is of

	// beside is what the transaction keeps besides the entry, such as the hash of a secret.
	beside []func(context.Context, Tx) error
}

func (d *Directory) newPlan(req Request) plan {
	return plan{
		env: req.Actor.Environment, actor: req.Actor, judge: req.Actor, now: d.cfg.Now().UTC().Truncate(time.Microsecond),
		ifMatch: req.IfMatch, byUser: req.Actor.IsMember(),
	}
}

// need is a right without which the plan may not be carried out, and what to say if it is missing.
type need struct {
	anyOf []Question // one of them is enough; if there are none, the need cannot be met
	doing string

	// vague hides from a user which right is missing where: that depends on what
	// they might not be allowed to see, such as who is a member or whose a role is.
	vague bool
	// named says that the caller named the account, so that nothing is told by saying
	// of a vague need that it is outside the token's account.
	named bool
	// otherwise is said to a user in place of the refusal, if it is not nil.
	otherwise *fault.Error
}

// key is the same for needs that are met by the same rights.
func (n need) key() string {
	var key strings.Builder
	for _, q := range n.anyOf {
		key.WriteString(q.Permission + "@" + q.Resource.String() + " ")
	}
	return key.String()
}

// account adds the need of a permission at an account.
func (p *plan) account(permission string, id account.ID, doing string) {
	p.need(need{anyOf: []Question{{permission, relation.AccountObject(p.env, id)}}, doing: doing})
}

// vaguely is account, for a right that a user is not told the name of.
func (p *plan) vaguely(permission string, id account.ID, doing string) {
	p.need(need{anyOf: []Question{{permission, relation.AccountObject(p.env, id)}}, doing: doing, vague: true})
}

// environment adds the need of an operator's right.
func (p *plan) environment(permission, doing string) {
	p.need(need{anyOf: []Question{{permission, relation.EnvironmentObject(p.env)}}, doing: doing})
}

// judgedBy has the rights of another than the caller asked for.
func (p *plan) judgedBy(actor account.Actor) {
	p.judge, p.byUser = actor, actor.IsMember()
}

func (p *plan) need(n need) { p.needs = append(p.needs, n) }

// covers reports whether every one of the needs is among those that were met.
func covers(met, needs []need) bool {
	known := make(map[string]bool, len(met))
	for _, n := range met {
		known[n.key()] = true
	}
	return !slices.ContainsFunc(needs, func(n need) bool { return !known[n.key()] })
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

// begin finds what a plan is about: it has to be there, and as the caller has seen it.
func begin[K, T any](ctx context.Context, p *plan, find func(context.Context, K) (account.Versioned[T], error), id K) (T, error) {
	found, err := find(ctx, id)
	if err == nil {
		err = p.match(found.Version)
	}
	if err != nil {
		var none T
		return none, err
	}
	p.etag = found.Version
	return found.Value, nil
}
