package access

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Reason says by what an account has a feature, or has it not.
type Reason string

// The reasons.
const (
	BySwitch Reason = "switch" // the nearest switch says so
	ByPlan   Reason = "plan"   // it is in the plan that counts for the account
	ByNone   Reason = "none"   // neither a switch nor the plan gives it
)

// Origin says where it comes from that an account has a feature, or has it not.
type Origin struct {
	Reason Reason
	At     account.ID      // where the switch is, or the account that the plan was given to; "" for ByNone
	Scope  account.Scope   // of the switch
	Plan   account.PlanKey // for ByPlan
	on     bool            // whether the account has it, by this
}

// AccountFeature is a feature, and whether an account has it.
type AccountFeature struct {
	account.Feature
	Enabled bool
	Origin  Origin
}

// FeatureList is a page of the environment's features, in the order of their
// keys, as one account has them.
type FeatureList struct {
	Features []AccountFeature
	Total    int
	More     bool
	Version  account.Version // as of which the engine answered
}

// AccountFeatures lists which features an account has, and where from; for who may
// open the account. The engine decides; the origins are the directory's.
//
// Faults: NotFound (account_not_found, to operators), Denied, Invalid (invalid_id,
// invalid_limit, invalid_consistency_token), Unavailable.
func (s *Service) AccountFeatures(ctx context.Context, actor account.Actor, id account.ID, f directory.KeyPage, version account.Version) (FeatureList, error) {
	if err := account.CheckID("account", id); err != nil {
		return FeatureList{}, err
	}
	if err := within(actor, relation.AccountObject(actor.Environment, id)); err != nil {
		return FeatureList{}, err
	}
	var err error
	if f.Limit, err = directory.CheckLimit(f.Limit); err != nil {
		return FeatureList{}, err
	}
	for try := 1; ; try++ {
		view, err := s.featuresOf(ctx, actor.Environment, id, f)
		if err != nil {
			return FeatureList{}, err
		}
		if err := directory.CheckKnown(version, view.head); err != nil {
			return FeatureList{}, err
		}
		agreed, err := s.decideFeatures(ctx, actor, id, &view)
		if err == nil {
			err = s.admitted(ctx, actor, id)
		}
		if err != nil {
			return FeatureList{}, err
		}
		if agreed || try == tries { // otherwise something changed between the two, most likely
			return view.list, nil
		}
	}
}

// featureView is what the directory says of an account's features, in one snapshot.
type featureView struct {
	head    account.Version
	missing error // NotFound, if there is no such account
	list    FeatureList
}

func (s *Service) featuresOf(ctx context.Context, env account.EnvironmentID, id account.ID, f directory.KeyPage) (view featureView, err error) {
	err = s.names.Read(ctx, env, func(r directory.Reader) (err error) {
		if view.head, err = r.Head(ctx); err != nil {
			return err
		}
		found, err := r.Account(ctx, id)
		if err != nil {
			view.missing = err
			if errors.Is(err, fault.NotFound) {
				return nil
			}
			return err
		}
		line, err := r.Ancestors(ctx, id)
		if err != nil {
			return err
		}
		line = append(line, found.Value)
		slices.Reverse(line)
		features, total, err := r.FeaturePage(ctx, directory.KeyPage{After: f.After, Limit: f.Limit + 1})
		if err != nil {
			return err
		}
		view.list.Total, view.list.More = total, len(features) > f.Limit
		view.list.Features, err = withOrigins(ctx, r, line, features[:min(f.Limit, len(features))])
		return err
	})
	return view, err
}

// withOrigins finds where an account has each feature from; line is the account and those above it, the nearest first.
func withOrigins(ctx context.Context, r directory.Reader, line []account.Account, features []account.Versioned[account.Feature]) ([]AccountFeature, error) {
	var plan account.Plan
	var planned account.ID
	for _, a := range line {
		if a.Plan != "" {
			found, err := r.Plan(ctx, a.Plan)
			if err != nil {
				return nil, err
			}
			plan, planned = found.Value, a.ID
			break
		}
	}
	ids := make([]account.ID, len(line))
	for i, a := range line {
		ids[i] = a.ID
	}
	keys := make([]account.FeatureKey, len(features))
	for i, f := range features {
		keys[i] = f.Value.Key
	}
	switches, err := r.SwitchesAt(ctx, ids, keys)
	if err != nil {
		return nil, err
	}
	bySwitch := nearestSwitches(ids, switches)
	out := make([]AccountFeature, len(features))
	for i, f := range features {
		out[i] = AccountFeature{Feature: f.Value, Origin: Origin{Reason: ByNone}}
		if sw, ok := bySwitch[f.Value.Key]; ok {
			out[i].Origin = Origin{Reason: BySwitch, At: sw.Account, Scope: sw.Scope(), on: sw.On}
		} else if slices.Contains(plan.Features, f.Value.Key) {
			out[i].Origin = Origin{Reason: ByPlan, At: planned, Plan: plan.Key, on: true}
		}
	}
	return out, nil
}

// nearestSwitches returns the switch that counts for each feature at the first of the accounts of a line.
func nearestSwitches(line []account.ID, switches []account.Versioned[account.FeatureSwitch]) map[account.FeatureKey]account.FeatureSwitch {
	rank := func(s account.FeatureSwitch) int { // the account's own, then for branches, the nearest first
		if !s.Branch {
			return 0
		}
		return 1 + slices.Index(line, s.Account)
	}
	nearest := map[account.FeatureKey]account.FeatureSwitch{}
	for _, s := range switches {
		if !s.Value.Branch && s.Value.Account != line[0] {
			continue
		}
		if best, ok := nearest[s.Value.Feature]; !ok || rank(s.Value) < rank(best) {
			nearest[s.Value.Feature] = s.Value
		}
	}
	return nearest
}

// decideFeatures asks the engine whether the actor may see the view, and which of
// the features the account has. It reports whether the origins agree with that.
func (s *Service) decideFeatures(ctx context.Context, actor account.Actor, id account.ID, view *featureView) (agreed bool, err error) {
	env := actor.Environment
	now, err := s.from(ctx, env, view.head)
	if err != nil {
		return false, err
	}
	resource := relation.AccountObject(env, id)
	var items []item
	if !actor.System {
		subject, err := subjectOf(actor)
		if err != nil {
			return false, err
		}
		items = append(items, item{resource, "access", subject}, item{relation.EnvironmentObject(env), "view_backoffice", subject})
	}
	asked := len(items)
	for _, f := range view.list.Features {
		items = append(items, has(resource, env, f.Key))
	}
	var answers []Answer
	if len(items) > 0 {
		if answers, err = now.ask(ctx, items); err != nil {
			return false, err
		}
	}
	for _, a := range answers {
		if a.Err != nil {
			return false, a.Err
		}
	}
	if err := mayView(actor, id, view.missing, answers[:asked]); err != nil {
		return false, err
	}
	agreed = true
	view.list.Version = now.version
	for i, a := range answers[asked:] {
		f := &view.list.Features[i]
		f.Enabled = a.Allowed
		agreed = agreed && f.Enabled == f.Origin.on
	}
	return agreed, nil
}

// mayView refuses who may not open the account. That it does not exist is told to operators only.
func mayView(actor account.Actor, id account.ID, missing error, rights []Answer) error {
	switch {
	case actor.System, rights[0].Allowed, !actor.IsMember() && rights[1].Allowed:
		return missing
	default:
		return fault.New(fault.Denied, "permission_denied", "%s may not see the features of this account: needs access on account %s", actor.Name(), id)
	}
}
