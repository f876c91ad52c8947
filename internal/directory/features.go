package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// CreateFeature makes a feature of the vendor's product; it needs edit_entitlements.
//
// Faults: Exists (feature_exists), Invalid (unknown_permission, invalid_description, …), Denied.
func (d *Directory) CreateFeature(ctx context.Context, req Request, f account.Feature) (Result[account.Feature], error) {
	if err := account.CheckID("key", f.Key); err != nil {
		return Result[account.Feature]{}, err
	}
	return write(ctx, d, req, "feature.create", f, func(ctx context.Context, r Reader, p *plan) (account.Feature, error) {
		p.kind = account.FeatureCreated
		p.environment("edit_entitlements", "make features")
		if err := d.cleanFeature(&f); err != nil {
			return f, err
		}
		_, err := r.Feature(ctx, f.Key)
		if err = free(err, fault.New(fault.Exists, "feature_exists", "there is a feature %s already", f.Key).In("key")); err != nil {
			return f, err
		}
		p.change(nil, account.Of(f))
		return f, nil
	})
}

// free makes a look-up's error one about an identifier that is to be free: taken
// if something was found, none if nothing was.
func free(found error, taken *fault.Error) error {
	switch {
	case found == nil:
		return taken
	case errors.Is(found, fault.NotFound):
		return nil
	default:
		return found
	}
}

func (d *Directory) cleanFeature(f *account.Feature) error {
	var err error
	if f.Name, f.Description, err = cleanTexts(f.Name, f.Description); err != nil {
		return err
	}
	if f.Permission == "" {
		return nil
	}
	keys, err := d.catalogue.Keys("permission", []account.PermissionKey{f.Permission})
	if err != nil {
		return err
	}
	f.Permission = keys[0]
	return nil
}

// cleanTexts cleans a name and a description, both of which may be empty.
func cleanTexts(name, description string) (string, string, error) {
	var err error
	if name != "" {
		if name, err = account.CleanName("name", name); err != nil {
			return "", "", err
		}
	}
	description, err = account.CleanDescription("description", description)
	return name, description, err
}

// FeaturePatch changes what is not nil.
type FeaturePatch struct {
	Name        *string                `json:"name,omitempty"`
	Description *string                `json:"description,omitempty"`
	Permission  *account.PermissionKey `json:"permission,omitempty"` // "" for none
}

// UpdateFeature changes a feature; it needs edit_entitlements.
//
// Faults: NotFound (feature_not_found), Invalid (unknown_permission, …), Denied, Stale.
func (d *Directory) UpdateFeature(ctx context.Context, req Request, key account.FeatureKey, patch FeaturePatch) (Result[account.Feature], error) {
	if err := account.CheckID("feature", key); err != nil {
		return Result[account.Feature]{}, err
	}
	return write(ctx, d, req, "feature.update "+string(key), patch, func(ctx context.Context, r Reader, p *plan) (account.Feature, error) {
		p.kind = account.FeatureChanged
		p.environment("edit_entitlements", "change features")
		before, err := begin(ctx, p, r.Feature, key)
		if err != nil {
			return before, err
		}
		after := before
		set(&after.Name, patch.Name)
		set(&after.Description, patch.Description)
		set(&after.Permission, patch.Permission)
		if err := d.cleanFeature(&after); err != nil {
			return after, err
		}
		if after != before {
			p.change(account.Of(before), account.Of(after))
		}
		return after, nil
	})
}

// DeleteFeature deletes a feature that is in no plan and is switched nowhere; it needs edit_entitlements.
//
// Faults: NotFound (feature_not_found), Conflict (feature_in_use), Denied, Stale.
func (d *Directory) DeleteFeature(ctx context.Context, req Request, key account.FeatureKey) (Result[account.Feature], error) {
	if err := account.CheckID("feature", key); err != nil {
		return Result[account.Feature]{}, err
	}
	return write(ctx, d, req, "feature.delete "+string(key), nil, func(ctx context.Context, r Reader, p *plan) (account.Feature, error) {
		p.kind = account.FeatureDeleted
		p.environment("edit_entitlements", "delete features")
		gone, err := begin(ctx, p, r.Feature, key)
		if err != nil {
			return gone, err
		}
		plans, switches, err := r.FeatureUses(ctx, key)
		if err != nil {
			return account.Feature{}, err
		}
		if plans > 0 || switches > 0 {
			return account.Feature{}, fault.New(fault.Conflict, "feature_in_use", "feature %s is in %d plans, and switched on or off at accounts %d times", key, plans, switches)
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}

// GetFeature returns a feature; it needs view_entitlements.
func (d *Directory) GetFeature(ctx context.Context, actor account.Actor, key account.FeatureKey) (account.Versioned[account.Feature], error) {
	declare := func(p *plan) error {
		p.environment("view_entitlements", "see features")
		return account.CheckID("feature", key)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (account.Versioned[account.Feature], error) {
		return r.Feature(ctx, key)
	})
}

// ListFeatures returns a page of the environment's features in the order of their keys; it needs view_entitlements.
func (d *Directory) ListFeatures(ctx context.Context, actor account.Actor, f KeyPage) (Page[account.Feature], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.Feature]{}, err
	}
	return read(ctx, d, actor, inEnvironment("view_entitlements", "list features"), func(ctx context.Context, r Reader) (Page[account.Feature], error) {
		return page(limit, func(limit int) ([]account.Versioned[account.Feature], int, error) {
			return r.FeaturePage(ctx, KeyPage{After: f.After, Limit: limit})
		})
	})
}
