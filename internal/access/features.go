package access

import (
	"context"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/schema"
)

// featurePrefix begins a permission that is the use of a feature: "feature:reports".
const featurePrefix = "feature:"

// hasFeature is an account's permission whose subject is a feature: whether the account has it.
const hasFeature = "has_feature"

// featureNamed returns the feature that a permission names, and whether it names one.
func featureNamed(permission string) (account.FeatureKey, bool) {
	key, ok := strings.CutPrefix(permission, featurePrefix)
	return account.FeatureKey(key), ok
}

// featuresNamed returns the features that questions name, without repeats.
func featuresNamed(questions []Question) []account.FeatureKey {
	var keys []account.FeatureKey
	for _, q := range questions {
		if key, ok := featureNamed(q.Permission); ok && account.CheckID("permission", key) == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return account.Set(keys)
}

// features is what the directory says of some features, by key.
type features map[account.FeatureKey]account.Feature

// tries is how often a question is put together anew when what it depends on changes meanwhile.
const tries = 5

// atFeatures is at for questions that name features: what it returns of them was
// so at the version that the questions see.
func (s *Service) atFeatures(ctx context.Context, env account.EnvironmentID, version account.Version, keys []account.FeatureKey) (*moment, features, error) {
	now, err := s.at(ctx, env, version)
	if err != nil || len(keys) == 0 {
		return now, nil, err
	}
	if _, err := now.engine(ctx); err != nil { // the index does not know features
		return nil, nil, err
	}
	for range tries {
		var found []account.Versioned[account.Feature]
		err := s.names.Read(ctx, env, func(r directory.Reader) (err error) {
			found, err = r.FeaturesByKey(ctx, keys)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		known, newest := features{}, account.Version(0)
		for _, f := range found {
			known[f.Value.Key] = f.Value
			newest = max(newest, f.Version)
		}
		if newest <= now.version {
			return now, known, nil
		}
		now = &moment{service: s, env: env, asked: newest}
		if _, err := now.engine(ctx); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fault.New(fault.Unavailable, "busy", "the features that this asks for kept changing; try again")
}

// find returns a feature, or an Invalid fault (unknown_feature).
func (f features) find(key account.FeatureKey) (account.Feature, error) {
	found, ok := f[key]
	if !ok {
		return found, fault.New(fault.Invalid, "unknown_feature", "there is no feature %s", account.Quote(string(key))).In("permission")
	}
	return found, nil
}

// rightFor returns the catalogue's permission that users of a feature need in the
// account; false if being able to open it is enough. A Conflict fault
// (permission_gone) if the catalogue does not have it any more.
func (s *Service) rightFor(f account.Feature) (schema.Permission, bool, error) {
	if f.Permission == "" {
		return schema.Permission{}, false, nil
	}
	p, ok := s.catalogue.Lookup(string(f.Permission))
	if !ok {
		return p, false, fault.New(fault.Conflict, "permission_gone",
			"feature %s needs the permission %s, which is not in the catalogue; start with the catalogue that has it (--permissions)",
			f.Key, account.Quote(string(f.Permission))).In("permission")
	}
	return p, true, nil
}

// addFeature puts the question of a feature's use into the batch, as two: the
// subject's right in the account, which knows of blocked users by itself (U5), and the account's having it.
func (b *batch) addFeature(subject subjectRef, resource relation.Object, key account.FeatureKey) (place, error) {
	if resource.Type != relation.TypeAccount {
		return place{}, fault.New(fault.Invalid, "feature_needs_account",
			"a feature is used in an account: ask on account:ID, not on %s", account.Quote(resource.Type)).In("resource")
	}
	feature, err := b.features.find(key)
	if err != nil {
		return place{}, err
	}
	right, named, err := b.service.rightFor(feature)
	if err != nil {
		return place{}, err
	}
	permission := "access"
	if named {
		permission = right.Relation
	}
	p := place{question: len(b.items), feature: len(b.items) + 1}
	b.items = append(b.items, item{resource, permission, subject}, has(resource, b.env, key))
	return p, nil
}

// has is the question whether an account has a feature.
func has(resource relation.Object, env account.EnvironmentID, key account.FeatureKey) item {
	return item{resource, hasFeature, subjectRef{Object: relation.FeatureObject(env, key)}}
}

// both is the answer to a question that is two.
func both(a, b Answer) Answer {
	perhaps := (a.Allowed || a.Conditional) && (b.Allowed || b.Conditional)
	out := Answer{Allowed: a.Allowed && b.Allowed, Err: a.Err}
	out.Conditional = perhaps && !out.Allowed
	if out.Err == nil {
		out.Err = b.Err
	}
	return out
}

// withFeature keeps those of the accounts that have a feature. They are asked for
// in as few calls as the engine takes.
func (m *moment) withFeature(ctx context.Context, ids []account.ID, key account.FeatureKey) ([]account.ID, error) {
	kept := ids[:0:0]
	for part := range slices.Chunk(ids, maxAsked) {
		items := make([]item, len(part))
		for i, id := range part {
			items[i] = has(relation.AccountObject(m.env, id), m.env, key)
		}
		answers, err := m.ask(ctx, items)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			if a.Err != nil {
				return nil, a.Err
			}
			if a.Allowed {
				kept = append(kept, part[i])
			}
		}
	}
	return kept, nil
}
