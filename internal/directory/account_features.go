package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// SetAccountPlan gives an account a plan of its own, in place of that of its
// ancestors, or takes it away if key is ""; it needs edit_entitlements.
//
// Faults: NotFound (account_not_found; plan_not_found, field plan), Denied, Stale.
func (d *Directory) SetAccountPlan(ctx context.Context, req Request, id account.ID, key account.PlanKey) (Result[account.Account], error) {
	if err := account.CheckID("account", id); err != nil {
		return Result[account.Account]{}, err
	}
	if key != "" {
		if err := account.CheckID("plan", key); err != nil {
			return Result[account.Account]{}, err
		}
	}
	return write(ctx, d, req, "account.plan "+string(id), key, func(ctx context.Context, r Reader, p *plan) (account.Account, error) {
		p.kind = account.AccountPlanSet
		p.environment("edit_entitlements", "decide which plan an account has")
		before, err := begin(ctx, p, r.Account, id)
		if err != nil {
			return before, err
		}
		if key != "" {
			if _, err := r.Plan(ctx, key); err != nil {
				return before, inField(err, "plan")
			}
		}
		after := before
		after.Plan = key
		if after != before {
			p.change(account.Of(before), account.Of(after))
		}
		return after, nil
	})
}

// SetFeatureSwitch turns a feature on or off at an account, whatever its plan
// says: for the account alone, or for its branch. It needs edit_entitlements.
//
// Faults: NotFound (account_not_found, feature_not_found), Denied, Stale.
func (d *Directory) SetFeatureSwitch(ctx context.Context, req Request, s account.FeatureSwitch) (Result[account.FeatureSwitch], error) {
	if err := checkSwitch(s); err != nil {
		return Result[account.FeatureSwitch]{}, err
	}
	return write(ctx, d, req, "feature.switch", s, func(ctx context.Context, r Reader, p *plan) (account.FeatureSwitch, error) {
		p.kind = account.FeatureSwitched
		p.environment("edit_entitlements", "switch features")
		if _, err := r.Account(ctx, s.Account); err != nil {
			return s, err
		}
		if _, err := r.Feature(ctx, s.Feature); err != nil {
			return s, err
		}
		found, err := featureSwitch(ctx, r, s)
		present := err == nil
		if !present && !errors.Is(err, fault.NotFound) {
			return s, err
		}
		if err := p.match(found.Version); err != nil {
			return s, err
		}
		switch {
		case !present:
			p.change(nil, account.Of(s))
		case found.Value != s:
			p.change(account.Of(found.Value), account.Of(s))
		default:
			p.etag = found.Version
		}
		return s, nil
	})
}

// RemoveFeatureSwitch removes a switch: the account has the feature again as the
// switches above and its plan say. It needs edit_entitlements.
//
// Faults: NotFound (feature_switch_not_found), Denied, Stale.
func (d *Directory) RemoveFeatureSwitch(ctx context.Context, req Request, s account.FeatureSwitch) (Result[account.FeatureSwitch], error) {
	if err := checkSwitch(s); err != nil {
		return Result[account.FeatureSwitch]{}, err
	}
	return write(ctx, d, req, "feature.unswitch", s, func(ctx context.Context, r Reader, p *plan) (account.FeatureSwitch, error) {
		p.kind = account.FeatureUnswitched
		p.environment("edit_entitlements", "switch features")
		find := func(ctx context.Context, s account.FeatureSwitch) (account.Versioned[account.FeatureSwitch], error) {
			return featureSwitch(ctx, r, s)
		}
		gone, err := begin(ctx, p, find, s)
		if err != nil {
			return gone, err
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}

func checkSwitch(s account.FeatureSwitch) error {
	if err := account.CheckID("account", s.Account); err != nil {
		return err
	}
	return account.CheckID("feature", s.Feature)
}

// featureSwitch returns the switch of a feature at an account with the same scope.
func featureSwitch(ctx context.Context, r Reader, s account.FeatureSwitch) (account.Versioned[account.FeatureSwitch], error) {
	found, err := r.SwitchesAt(ctx, []account.ID{s.Account}, []account.FeatureKey{s.Feature})
	if err != nil {
		return account.Versioned[account.FeatureSwitch]{}, err
	}
	for _, other := range found {
		if other.Value.Branch == s.Branch {
			return other, nil
		}
	}
	return account.Versioned[account.FeatureSwitch]{}, fault.New(fault.NotFound, "feature_switch_not_found",
		"feature %s is not switched at account %s for the %s", s.Feature, s.Account, s.Scope())
}
