package account

import (
	"cmp"
	"slices"
)

// Ref names a thing of an environment by its kind and its id, e.g. user ada.
type Ref struct {
	Type string // one of RefTypes
	ID   string
}

// String returns the thing as callers write it: "user:ada".
func (r Ref) String() string { return r.Type + ":" + r.ID }

// The kinds of things that an entry of the journal can concern.
const (
	RefEnvironment   = "environment"
	RefClient        = "client"
	RefAccount       = "account"
	RefUser          = "user"
	RefRole          = "role"
	RefFeature       = "feature"
	RefPlan          = "plan"
	RefInvitation    = "invitation"
	RefAPIToken      = "api_token"
	RefImpersonation = "impersonation"
	RefOperator      = "operator"
	RefIssuer        = "issuer"
)

// RefTypes returns every kind of thing that an entry can concern.
func RefTypes() []string {
	return []string{
		RefEnvironment, RefClient, RefAccount, RefUser, RefRole, RefFeature, RefPlan, RefInvitation, RefAPIToken, RefImpersonation,
		RefOperator, RefIssuer,
	}
}

// Concerns returns what the entry concerns: all that its changes name, and the
// invitation or impersonation in which it was made; sorted, without repeats.
//
// Migration 3 of the store says the same in SQL, for the entries that were there before it.
func (e Entry) Concerns() []Ref {
	var refs []Ref
	add := func(kind, id string) {
		if id != "" {
			refs = append(refs, Ref{kind, id})
		}
	}
	add(RefImpersonation, string(e.Actor.Impersonation))
	add(RefInvitation, string(e.Actor.Invitation))
	for _, c := range e.Changes {
		c.Before.concerns(add)
		c.After.concerns(add)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	return slices.Compact(refs)
}

// concerns calls add for each thing that the entity is or names; some ids may be "".
func (e *Entity) concerns(add func(kind, id string)) {
	if e == nil {
		return
	}
	add(RefAccount, string(e.Place()))
	switch {
	case e.Environment != nil:
		add(RefEnvironment, string(e.Environment.ID))
	case e.Client != nil:
		add(RefClient, string(e.Client.ID))
	case e.Account != nil:
		add(RefPlan, string(e.Account.Plan))
	case e.User != nil:
		add(RefUser, string(e.User.ID))
	case e.Role != nil:
		add(RefRole, string(e.Role.Key))
	case e.Membership != nil:
		add(RefUser, string(e.Membership.User))
		addAll(add, RefRole, e.Membership.Roles)
	case e.Assignment != nil:
		add(RefRole, string(e.Assignment.Role))
	default:
		e.concernsMore(add)
	}
}

// concernsMore is concerns for entitlements and credentials.
func (e *Entity) concernsMore(add func(kind, id string)) {
	switch {
	case e.Feature != nil:
		add(RefFeature, string(e.Feature.Key))
	case e.Plan != nil:
		add(RefPlan, string(e.Plan.Key))
		addAll(add, RefFeature, e.Plan.Features)
	case e.FeatureSwitch != nil:
		add(RefFeature, string(e.FeatureSwitch.Feature))
	case e.Invitation != nil:
		add(RefInvitation, string(e.Invitation.ID))
		addAll(add, RefRole, e.Invitation.Roles)
	case e.APIToken != nil:
		add(RefAPIToken, string(e.APIToken.ID))
		addAll(add, RefRole, e.APIToken.Roles)
	case e.Impersonation != nil:
		add(RefImpersonation, string(e.Impersonation.ID))
		add(RefUser, string(e.Impersonation.User))
		if e.Impersonation.Person {
			add(RefOperator, string(e.Impersonation.Operator))
		} else {
			add(RefClient, string(e.Impersonation.Operator))
		}
	case e.ClientSecret != nil:
		add(RefClient, string(e.ClientSecret.Client))
	case e.Operator != nil:
		add(RefOperator, string(e.Operator.ID))
	case e.Issuer != nil:
		add(RefIssuer, string(e.Issuer.ID))
	case e.Identity != nil:
		add(RefUser, string(e.Identity.User))
	}
}

func addAll[T ~string](add func(kind, id string), kind string, ids []T) {
	for _, id := range ids {
		add(kind, string(id))
	}
}

// Place is the account that the entity is, or belongs to; "" for what belongs to
// the environment as a whole: users, its settings, clients, roles, features and
// plans, impersonations.
func (e *Entity) Place() ID {
	switch {
	case e == nil:
		return ""
	case e.Account != nil:
		return e.Account.ID
	case e.Role != nil:
		return e.Role.Account
	case e.Membership != nil:
		return e.Membership.Account
	case e.Assignment != nil:
		return e.Assignment.Account
	case e.FeatureSwitch != nil:
		return e.FeatureSwitch.Account
	case e.Invitation != nil:
		return e.Invitation.Account
	case e.APIToken != nil:
		return e.APIToken.Account
	default:
		return ""
	}
}

// Place is the account that what changed is, or belongs to.
func (c Change) Place() ID {
	if c.After != nil {
		return c.After.Place()
	}
	return c.Before.Place()
}
