package ndjson

import (
	"github.com/tenantry/tenantry/internal/account"
)

func feature(o *object) *account.Feature {
	f := account.Feature{
		Key:         id[account.FeatureKey](o, "key"),
		Name:        o.nameIfAny(),
		Description: o.description("description"),
		Permission:  account.PermissionKey(o.str("permission")),
	}
	return &f
}

func plan(o *object) *account.Plan {
	p := account.Plan{
		Key:         id[account.PlanKey](o, "key"),
		Name:        o.nameIfAny(),
		Description: o.description("description"),
		Features:    set[account.FeatureKey](o, "features"),
	}
	o.given("features") // an empty list is a plan without features; no list is a slip
	return &p
}

func featureSwitch(o *object) *account.FeatureSwitch {
	s := account.FeatureSwitch{
		Account: id[account.ID](o, "account"),
		Feature: id[account.FeatureKey](o, "feature"),
		On:      o.is("enabled"),
	}
	o.given("enabled")
	if o.given("scope") {
		scope := account.Scope(o.str("scope"))
		o.check(account.CheckScope("scope", scope))
		s.Branch = scope == account.ForBranch
	}
	return &s
}

func (o *object) description(name string) string {
	s, err := account.CleanDescription(name, o.str(name))
	o.check(err)
	return s
}

type featureLine struct {
	Kind        string                `json:"kind"`
	Key         account.FeatureKey    `json:"key"`
	Name        string                `json:"name,omitempty"`
	Description string                `json:"description,omitempty"`
	Permission  account.PermissionKey `json:"permission,omitempty"`
}

type planLine struct {
	Kind        string               `json:"kind"`
	Key         account.PlanKey      `json:"key"`
	Name        string               `json:"name,omitempty"`
	Description string               `json:"description,omitempty"`
	Features    []account.FeatureKey `json:"features"`
}

type switchLine struct {
	Kind    string             `json:"kind"`
	Account account.ID         `json:"account"`
	Feature account.FeatureKey `json:"feature"`
	Enabled bool               `json:"enabled"`
	Scope   account.Scope      `json:"scope"`
}

// entitlement is the line of a feature, a plan or a switch.
func entitlement(e account.Entity) any {
	switch {
	case e.Feature != nil:
		v := e.Feature
		return featureLine{kindFeature, v.Key, v.Name, v.Description, v.Permission}
	case e.Plan != nil:
		v := e.Plan
		return planLine{kindPlan, v.Key, v.Name, v.Description, orEmpty(v.Features)}
	default:
		v := e.FeatureSwitch
		return switchLine{kindSwitch, v.Account, v.Feature, v.On, v.Scope()}
	}
}
