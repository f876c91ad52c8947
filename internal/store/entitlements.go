package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
)

const featureColumns = `f.id, f.name, f.description, f.permission, f.version`

func scanFeature(r row) (f account.Versioned[account.Feature], err error) {
	v := &f.Value
	err = r.Scan(&v.Key, &v.Name, &v.Description, &v.Permission, &f.Version)
	return f, err
}

func (r *reader) Feature(ctx context.Context, key account.FeatureKey) (account.Versioned[account.Feature], error) {
	return one(ctx, r.session, noFeature(key), scanFeature,
		`SELECT `+featureColumns+` FROM features f WHERE f.environment = ? AND f.id = ?`, r.env, key)
}

// Features returns every feature of the environment, in the order of their keys.
func (r *reader) Features(ctx context.Context) ([]account.Versioned[account.Feature], error) {
	return list(ctx, r.session, scanFeature,
		`SELECT `+featureColumns+` FROM features f WHERE f.environment = ? ORDER BY f.id`, r.env)
}

const planColumns = `p.id, p.name, p.description, p.version, COALESCE((
	SELECT string_agg(h.feature, ' ' ORDER BY h.feature) FROM plan_features h
	WHERE h.environment = p.environment AND h.plan = p.id), '')`

func scanPlan(r row) (p account.Versioned[account.Plan], err error) {
	var features string
	v := &p.Value
	err = r.Scan(&v.Key, &v.Name, &v.Description, &p.Version, &features)
	v.Features = split[account.FeatureKey](features)
	return p, err
}

func (r *reader) Plan(ctx context.Context, key account.PlanKey) (account.Versioned[account.Plan], error) {
	return one(ctx, r.session, noPlan(key), scanPlan,
		`SELECT `+planColumns+` FROM plans p WHERE p.environment = ? AND p.id = ?`, r.env, key)
}

// Plans returns every plan of the environment, in the order of their keys.
func (r *reader) Plans(ctx context.Context) ([]account.Versioned[account.Plan], error) {
	return list(ctx, r.session, scanPlan,
		`SELECT `+planColumns+` FROM plans p WHERE p.environment = ? ORDER BY p.id`, r.env)
}

// PlanUses returns to how many accounts a plan was given.
func (r *reader) PlanUses(ctx context.Context, key account.PlanKey) (int, error) {
	return one(ctx, r.session, nil, scanValue[int],
		`SELECT COUNT(*) FROM accounts a WHERE a.environment = ? AND a.plan = ? AND a.plan <> ''`, r.env, key)
}

// FeatureUses returns in how many plans a feature is, and how many switches name it.
func (r *reader) FeatureUses(ctx context.Context, key account.FeatureKey) (plans, switches int, err error) {
	counts, err := one(ctx, r.session, nil, func(r row) (n [2]int, err error) {
		err = r.Scan(&n[0], &n[1])
		return n, err
	}, `SELECT (SELECT COUNT(*) FROM plan_features h WHERE h.environment = ? AND h.feature = ?),
		(SELECT COUNT(*) FROM feature_switches w WHERE w.environment = ? AND w.feature = ?)`, r.env, key, r.env, key)
	return counts[0], counts[1], err
}

const switchColumns = `w.account_id, w.feature, w.branch, w.is_on, w.version`

func scanSwitch(r row) (w account.Versioned[account.FeatureSwitch], err error) {
	v := &w.Value
	err = r.Scan(&v.Account, &v.Feature, &v.Branch, &v.On, &w.Version)
	return w, err
}

// FeatureSwitches returns the switches at an account, in the order of their features, the account's own before its branch's.
func (r *reader) FeatureSwitches(ctx context.Context, id account.ID) ([]account.Versioned[account.FeatureSwitch], error) {
	return list(ctx, r.session, scanSwitch,
		`SELECT `+switchColumns+` FROM feature_switches w WHERE w.environment = ? AND w.account_id = ? ORDER BY w.feature, w.branch`, r.env, id)
}
