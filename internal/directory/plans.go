package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// CreatePlan makes a plan; it needs edit_entitlements.
//
// Faults: Exists (plan_exists), NotFound (feature_not_found, field features),
// Invalid (too_many_features, invalid_description, …), Denied.
func (d *Directory) CreatePlan(ctx context.Context, req Request, in account.Plan) (Result[account.Plan], error) {
	if err := account.CheckID("key", in.Key); err != nil {
		return Result[account.Plan]{}, err
	}
	return write(ctx, d, req, "plan.create", in, func(ctx context.Context, r Reader, p *plan) (account.Plan, error) {
		p.kind = account.PlanCreated
		p.environment("edit_entitlements", "make plans")
		made := in
		if err := cleanPlan(ctx, r, &made); err != nil {
			return made, err
		}
		_, err := r.Plan(ctx, made.Key)
		if err = free(err, fault.New(fault.Exists, "plan_exists", "there is a plan %s already", made.Key).In("key")); err != nil {
			return made, err
		}
		p.change(nil, account.Of(made))
		return made, nil
	})
}

// cleanPlan cleans a plan, all of whose features have to exist.
func cleanPlan(ctx context.Context, r Reader, p *account.Plan) error {
	if err := cleanPlanItself(p); err != nil {
		return err
	}
	found, err := r.FeaturesByKey(ctx, p.Features)
	if err != nil {
		return err
	}
	for i, key := range p.Features { // both are in order, and without repeats
		if i >= len(found) || found[i].Value.Key != key {
			return noFeature("features", key)
		}
	}
	return nil
}

// cleanPlanItself cleans a plan as far as that depends on nothing else.
func cleanPlanItself(p *account.Plan) error {
	var err error
	if p.Name, p.Description, err = cleanTexts(p.Name, p.Description); err != nil {
		return err
	}
	p.Features = account.Set(p.Features)
	if n := len(p.Features); n > account.MaxPlanFeatures {
		return fault.New(fault.Invalid, "too_many_features", "a plan has at most %d features, not %d", account.MaxPlanFeatures, n).In("features")
	}
	for _, key := range p.Features {
		if err := account.CheckID("features", key); err != nil {
			return err
		}
	}
	return nil
}

func noFeature(field string, key account.FeatureKey) error {
	return fault.New(fault.NotFound, "feature_not_found", "there is no feature %s", account.Quote(string(key))).In(field)
}

// PlanPatch changes what is not nil.
type PlanPatch struct {
	Name        *string               `json:"name,omitempty"`
	Description *string               `json:"description,omitempty"`
	Features    *[]account.FeatureKey `json:"features,omitempty"`
}

// UpdatePlan changes a plan, for all accounts that have it; it needs edit_entitlements.
//
// Faults: NotFound (plan_not_found; feature_not_found, field features), Invalid
// (too_many_features, …), Denied, Stale.
func (d *Directory) UpdatePlan(ctx context.Context, req Request, key account.PlanKey, patch PlanPatch) (Result[account.Plan], error) {
	if err := account.CheckID("plan", key); err != nil {
		return Result[account.Plan]{}, err
	}
	return write(ctx, d, req, "plan.update "+string(key), patch, func(ctx context.Context, r Reader, p *plan) (account.Plan, error) {
		p.kind = account.PlanChanged
		p.environment("edit_entitlements", "change plans")
		before, err := begin(ctx, p, r.Plan, key)
		if err != nil {
			return before, err
		}
		after := before
		set(&after.Name, patch.Name)
		set(&after.Description, patch.Description)
		set(&after.Features, patch.Features)
		if err := cleanPlan(ctx, r, &after); err != nil {
			return after, err
		}
		if !equalPlan(after, before) {
			p.change(account.Of(before), account.Of(after))
		}
		return after, nil
	})
}

func equalPlan(a, b account.Plan) bool {
	return a.Name == b.Name && a.Description == b.Description && slices.Equal(a.Features, b.Features)
}

// DeletePlan deletes a plan that no account was given; it needs edit_entitlements.
//
// Faults: NotFound (plan_not_found), Conflict (plan_in_use), Denied, Stale.
func (d *Directory) DeletePlan(ctx context.Context, req Request, key account.PlanKey) (Result[account.Plan], error) {
	if err := account.CheckID("plan", key); err != nil {
		return Result[account.Plan]{}, err
	}
	return write(ctx, d, req, "plan.delete "+string(key), nil, func(ctx context.Context, r Reader, p *plan) (account.Plan, error) {
		p.kind = account.PlanDeleted
		p.environment("edit_entitlements", "delete plans")
		gone, err := begin(ctx, p, r.Plan, key)
		if err != nil {
			return gone, err
		}
		uses, err := r.PlanUses(ctx, key)
		if err != nil {
			return account.Plan{}, err
		}
		if uses > 0 {
			return account.Plan{}, fault.New(fault.Conflict, "plan_in_use", "plan %s is the plan of %d accounts", key, uses)
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}

// GetPlan returns a plan; it needs view_entitlements.
func (d *Directory) GetPlan(ctx context.Context, actor account.Actor, key account.PlanKey) (account.Versioned[account.Plan], error) {
	declare := func(p *plan) error {
		p.environment("view_entitlements", "see plans")
		return account.CheckID("plan", key)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (account.Versioned[account.Plan], error) {
		return r.Plan(ctx, key)
	})
}

// ListPlans returns a page of the environment's plans in the order of their keys; it needs view_entitlements.
func (d *Directory) ListPlans(ctx context.Context, actor account.Actor, f KeyPage) (Page[account.Plan], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.Plan]{}, err
	}
	return read(ctx, d, actor, inEnvironment("view_entitlements", "list plans"), func(ctx context.Context, r Reader) (Page[account.Plan], error) {
		return page(limit, func(limit int) ([]account.Versioned[account.Plan], int, error) {
			return r.PlanPage(ctx, KeyPage{After: f.After, Limit: limit})
		})
	})
}
