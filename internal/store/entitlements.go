package store

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
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

// FeaturesByKey returns the features named, those of them that exist, in the order of their keys.
func (r *reader) FeaturesByKey(ctx context.Context, keys []account.FeatureKey) ([]account.Versioned[account.Feature], error) {
	if len(keys) == 0 {
		return nil, nil
	}
	named, err := jsonOf(keys)
	if err != nil {
		return nil, err
	}
	return list(ctx, r.session, scanFeature, `SELECT `+featureColumns+` FROM features f
		WHERE f.environment = ? AND f.id IN (SELECT value FROM @texts(?) AS named) ORDER BY f.id`, r.env, named)
}

// FeaturePage returns a page of features in the order of their keys, and how many there are.
func (r *reader) FeaturePage(ctx context.Context, f directory.KeyPage) ([]account.Versioned[account.Feature], int, error) {
	s := selection{from: `features f`, key: `f.id`}
	s.where(`f.environment = ?`, r.env)
	return page(ctx, r.session, scanFeature, featureColumns, s, f.After, f.Limit)
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

// PlanPage returns a page of plans in the order of their keys, and how many there are.
func (r *reader) PlanPage(ctx context.Context, f directory.KeyPage) ([]account.Versioned[account.Plan], int, error) {
	s := selection{from: `plans p`, key: `p.id`}
	s.where(`p.environment = ?`, r.env)
	return page(ctx, r.session, scanPlan, planColumns, s, f.After, f.Limit)
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

// SwitchesAt returns the switches of the features named at the accounts named, in the order of FeatureSwitches, by account.
func (r *reader) SwitchesAt(ctx context.Context, ids []account.ID, keys []account.FeatureKey) ([]account.Versioned[account.FeatureSwitch], error) {
	if len(ids) == 0 || len(keys) == 0 {
		return nil, nil
	}
	accounts, err := jsonOf(ids)
	if err != nil {
		return nil, err
	}
	features, err := jsonOf(keys)
	if err != nil {
		return nil, err
	}
	return list(ctx, r.session, scanSwitch, switchesAt, accounts, r.env, features)
}

// The cross join has SQLite look the accounts up one by one.
const switchesAt = `SELECT ` + switchColumns + ` FROM @texts(?) AS named CROSS JOIN feature_switches w
	WHERE w.environment = ? AND w.account_id = named.value AND w.feature IN (SELECT value FROM @texts(?) AS v)
	ORDER BY w.account_id, w.feature, w.branch`
