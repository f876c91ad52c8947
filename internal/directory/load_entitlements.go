package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// switchKey is what there can be only one switch of.
type switchKey struct {
	account account.ID
	feature account.FeatureKey
	branch  bool
}

func keyOf(s account.FeatureSwitch) switchKey { return switchKey{s.Account, s.Feature, s.Branch} }

func (l *load) addFeature(line int, f account.Feature) error {
	what := "feature " + string(f.Key)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := errors.Join(account.CheckID("key", f.Key), l.d.cleanFeature(&f)); err != nil {
		return err
	}
	if present, ok := l.features[f.Key]; ok {
		if present != f {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.features[f.Key] = f
	l.newFeatures = append(l.newFeatures, f)
	return nil
}

func (l *load) addPlan(line int, p account.Plan) error {
	what := "plan " + string(p.Key)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := errors.Join(account.CheckID("key", p.Key), cleanPlanItself(&p)); err != nil {
		return err
	}
	if present, ok := l.plans[p.Key]; ok {
		if !equalPlan(present, p) {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.plans[p.Key] = p
	l.newPlans = append(l.newPlans, p)
	return nil
}

// checkPlan checks that a plan's features are there.
func (l *load) checkPlan(p account.Plan) error {
	for _, key := range p.Features {
		if err := l.checkFeature("features", key); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) checkFeature(field string, key account.FeatureKey) error {
	if _, ok := l.features[key]; !ok {
		return fault.New(fault.Invalid, "unknown_feature", "feature %s is neither in the directory nor here", account.Quote(string(key))).In(field)
	}
	return nil
}

// checkPlanOf checks that an account's own plan is there.
func (l *load) checkPlanOf(a account.Account) error {
	if _, ok := l.plans[a.Plan]; a.Plan != "" && !ok {
		return fault.New(fault.Invalid, "unknown_plan", "account %s has the plan %s, which is neither in the directory nor here", a.ID, account.Quote(string(a.Plan))).In("plan")
	}
	return nil
}

func (l *load) addSwitch(line int, s account.FeatureSwitch) error {
	what := "switch of feature " + string(s.Feature) + " for the " + string(s.Scope()) + " " + string(s.Account)
	if err := l.once(line, what); err != nil {
		return err
	}
	if err := checkSwitch(s); err != nil {
		return err
	}
	if _, ok := l.accounts[s.Account]; !ok {
		return fault.New(fault.Invalid, "unknown_account", "account %s is neither in the directory nor here", s.Account).In("account")
	}
	if err := l.checkFeature("feature", s.Feature); err != nil {
		return err
	}
	if present, ok := l.switches[keyOf(s)]; ok {
		if present != s {
			return differs(line, what)
		}
		l.unchanged++
		return nil
	}
	l.switches[keyOf(s)] = s
	l.newSwitches = append(l.newSwitches, s)
	return nil
}

func (c *recheck) feature(ctx context.Context, f account.Feature) error {
	_, err := c.tx.Feature(ctx, f.Key)
	return absent(err)
}

// plan checks that it does not exist, and that its features do.
func (c *recheck) plan(ctx context.Context, p account.Plan) error {
	_, err := c.tx.Plan(ctx, p.Key)
	if err := absent(err); err != nil {
		return err
	}
	for _, key := range p.Features {
		if err := c.hasFeature(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (c *recheck) hasFeature(ctx context.Context, key account.FeatureKey) error {
	if c.features[key] {
		return nil
	}
	_, err := c.tx.Feature(ctx, key)
	return err
}

// planOf checks that an account's own plan exists.
func (c *recheck) planOf(ctx context.Context, a account.Account) error {
	if a.Plan == "" || c.plans[a.Plan] {
		return nil
	}
	_, err := c.tx.Plan(ctx, a.Plan)
	return err
}

// featureSwitch checks that it does not exist, and that its account and feature do.
func (c *recheck) featureSwitch(ctx context.Context, s account.FeatureSwitch) error {
	_, err := featureSwitch(ctx, c.tx, s)
	if err := absent(err); err != nil {
		return err
	}
	if _, err := c.find(ctx, s.Account); err != nil {
		return err
	}
	return c.hasFeature(ctx, s.Feature)
}
