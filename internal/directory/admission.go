package directory

import (
	"cmp"
	"context"
	"net/netip"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// AllowLister knows from where requests may come. Store is one.
type AllowLister interface {
	AllowLists(ctx context.Context, env account.EnvironmentID, ids ...account.ID) (AllowLists, error)
}

// Admit refuses a request that does not come from where the allow list of its
// environment says (E3): everybody's, whatever the credential. own are the accounts
// that the credential itself belongs to, an API token's for one, or that it is to
// be good for: their lists hold too, for members at hand. The lists are read now,
// so a change binds the next request.
//
// Faults: Denied (ip_not_allowed), also where the address is not known; NotFound
// (environment_not_found), Unavailable.
func (d *Directory) Admit(ctx context.Context, actor account.Actor, own ...account.ID) error {
	if actor.System {
		return nil
	}
	if !actor.IsAtHand() {
		own = nil
	}
	lists, err := d.store.AllowLists(ctx, actor.Environment, own...)
	if err != nil {
		return err
	}
	if !allows(lists.Environment, actor.From) {
		return NotAllowedFrom(actor)
	}
	for _, id := range own {
		if !allows(lists.Accounts[id], actor.From) {
			return NotAllowedFrom(actor)
		}
	}
	return nil
}

// admitIn is Admit by what a snapshot holds, for who has no credential but an invitation's.
func admitIn(ctx context.Context, r Reader, actor account.Actor) error {
	env, err := r.Environment(ctx)
	if err == nil && !allows(env.Value.IPAllowList, actor.From) {
		err = NotAllowedFrom(actor)
	}
	return err
}

// Barred returns those of the accounts where the allow list bars a member at hand
// (E3). Nobody else is barred anywhere: not operators, not clients that act for
// users, whose address is the vendor's, and not the system.
func Barred(ctx context.Context, from AllowLister, actor account.Actor, ids []account.ID) (map[account.ID]bool, error) {
	if !actor.IsAtHand() || len(ids) == 0 {
		return nil, nil
	}
	lists, err := from.AllowLists(ctx, actor.Environment, account.Set(ids)...)
	if err != nil {
		return nil, err
	}
	barred := map[account.ID]bool{}
	for id, list := range lists.Accounts {
		barred[id] = !allows(list, actor.From)
	}
	return barred, nil
}

// NotAllowedFrom is the fault for a request that comes from elsewhere than it may (ip_not_allowed).
func NotAllowedFrom(actor account.Actor) *fault.Error {
	return fault.New(fault.Denied, "ip_not_allowed", "requests from %s are not allowed here", cmp.Or(actor.From, unknownAddress))
}

const unknownAddress = "an address that is not known"

// allows reports whether a list lets an address in. No list lets everybody in, a list nobody whose address is not known.
func allows(list account.Networks, from string) bool {
	if list == "" {
		return true
	}
	address, err := netip.ParseAddr(from)
	return err == nil && list.Contains(address)
}

// bars returns of which questions the answer is yes, and does not count, since the
// caller is elsewhere than the account lets its members be (E3). What is answered with
// no is not looked at: whether an account has a list is told to nobody who has no rights there.
func (d *Directory) bars(ctx context.Context, caller account.Actor, questions []Question, answers []bool) (func(Question) bool, error) {
	accountOf := func(q Question) (account.ID, bool) {
		if q.Resource.Type != relation.TypeAccount {
			return "", false
		}
		id, ok := q.Resource.Local(caller.Environment)
		return account.ID(id), ok
	}
	var ids []account.ID
	for i, q := range questions {
		if id, ok := accountOf(q); ok && answers[i] {
			ids = append(ids, id)
		}
	}
	barred, err := Barred(ctx, d.store, caller, ids)
	return func(q Question) bool {
		id, ok := accountOf(q)
		return ok && barred[id]
	}, err
}

// listFor is the list that texts of a patch make for a field. Who calls may not shut
// themselves out: that would be by mistake, and only others could mend it.
//
// Invalid faults: invalid_network, too_many_networks, ip_allow_list_excludes_you.
func listFor(field string, texts []string, caller account.Actor, binds bool) (account.Networks, error) {
	list, err := account.ParseNetworks(field, texts)
	if err == nil && binds && !allows(list, caller.From) {
		err = excludesYou(field, caller)
	}
	return list, err
}

func excludesYou(field string, caller account.Actor) error {
	return fault.New(fault.Invalid, "ip_allow_list_excludes_you",
		"%s would shut out requests from %s, where this one comes from", field, cmp.Or(caller.From, unknownAddress)).In(field)
}
