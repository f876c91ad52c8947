package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Feature is something of the vendor's product that accounts have or have not.
type Feature struct {
	Key         account.FeatureKey     `json:"key" example:"reports"`
	Name        string                 `json:"name" doc:"Empty if there is none."`
	Description string                 `json:"description" doc:"Empty if there is none."`
	Permission  *account.PermissionKey `json:"permission" doc:"What users need in the account besides, to use it; null: being able to open the account is enough." example:"fe.secure.read.users"`
	Version     account.Version        `json:"version,omitempty" doc:"The number in its ETag. Not in an account's list and in the journal."`
}

func featureOf(f account.Feature, version account.Version) Feature {
	return Feature{Key: f.Key, Name: f.Name, Description: f.Description, Permission: orNull(f.Permission), Version: version}
}

// Features is a page of features, in the order of their keys.
type Features struct {
	Features []Feature `json:"features" nullable:"false"`
	PageInfo
}

// NewFeature is a feature to be created.
type NewFeature struct {
	Key         account.FeatureKey     `json:"key" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment." example:"reports"`
	Name        string                 `json:"name,omitempty" doc:"At most 200 characters."`
	Description string                 `json:"description,omitempty" doc:"At most 1000 characters."`
	Permission  *account.PermissionKey `json:"permission,omitempty" nullable:"true" doc:"What users need in the account besides: a key or alias of the catalogue; null or absent: being able to open the account is enough."`
}

// FeaturePatch changes what it names. A field that is null is as if absent.
type FeaturePatch struct {
	Name        *string                `json:"name,omitempty" doc:"At most 200 characters; empty for none."`
	Description *string                `json:"description,omitempty" doc:"At most 1000 characters; empty for none."`
	Permission  *account.PermissionKey `json:"permission,omitempty" doc:"A key or alias of the catalogue; empty for none."`
}

// WrittenFeature is a feature after a change.
type WrittenFeature struct {
	Feature
	Applied
}

// FeaturePath is embedded by inputs about one feature.
type FeaturePath struct {
	Feature account.FeatureKey `path:"feature"`
}

type keyListInput struct {
	Caller
	KeyPageQuery
}

type featureInput struct {
	Caller
	FeaturePath
}

type createFeatureInput struct {
	Caller
	Idempotent
	WithBody[NewFeature]
}

type updateFeatureInput struct {
	Caller
	Precondition
	FeaturePath
	WithBody[FeaturePatch]
}

type deleteFeatureInput struct {
	Caller
	Precondition
	FeaturePath
}

func (s *server) registerFeatures() {
	register(s, huma.Operation{
		OperationID: "listFeatures", Method: http.MethodGet, Path: "/v1/features", Tags: []string{tagFeatures},
		Summary: "List the features of the environment", Description: "Needs view_entitlements.",
	}, s.listFeatures)
	register(s, huma.Operation{
		OperationID: "getFeature", Method: http.MethodGet, Path: "/v1/features/{feature}", Tags: []string{tagFeatures},
		Summary: "See a feature", Description: "Needs view_entitlements.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *featureInput) (*Tagged[Feature], error) {
		f, err := s.directory.GetFeature(ctx, req.Actor, in.Feature)
		if err != nil {
			return nil, err
		}
		return &Tagged[Feature]{ETag: etag(f.Version), Body: featureOf(f.Value, f.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "createFeature", Method: http.MethodPost, Path: "/v1/features", Tags: []string{tagFeatures}, DefaultStatus: http.StatusCreated,
		Summary: "Create a feature", Description: "Needs edit_entitlements. No account has it until a plan or a switch gives it.",
		Errors: []int{http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *createFeatureInput) (*Written[WrittenFeature], error) {
		b := in.body()
		f := account.Feature{Key: b.Key, Name: b.Name, Description: b.Description}
		if b.Permission != nil {
			f.Permission = *b.Permission
		}
		r, err := s.directory.CreateFeature(ctx, req, f)
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusCreated, writtenFeature(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "updateFeature", Method: http.MethodPatch, Path: "/v1/features/{feature}", Tags: []string{tagFeatures},
		Summary: "Change a feature", Description: "Needs edit_entitlements.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updateFeatureInput) (*Written[WrittenFeature], error) {
		r, err := s.directory.UpdateFeature(ctx, req, in.Feature, directory.FeaturePatch(*in.body()))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenFeature(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "deleteFeature", Method: http.MethodDelete, Path: "/v1/features/{feature}", Tags: []string{tagFeatures},
		Summary: "Delete a feature that is in no plan and switched nowhere", Description: "Needs edit_entitlements. Answers with the feature as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteFeatureInput) (*Written[WrittenFeature], error) {
		r, err := s.directory.DeleteFeature(ctx, req, in.Feature)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenFeature(r)), nil
	})
}

func (s *server) listFeatures(ctx context.Context, req directory.Request, in *keyListInput) (*Plain[Features], error) {
	f, err := in.page("features")
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListFeatures(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &Plain[Features]{Features{
		Features: each(page.Items, func(f account.Versioned[account.Feature]) Feature { return featureOf(f.Value, f.Version) }),
		PageInfo: pageInfo("features", page, func(f account.Feature) account.FeatureKey { return f.Key }),
	}}, nil
}

func writtenFeature(r directory.Result[account.Feature]) WrittenFeature {
	return WrittenFeature{featureOf(r.Value, r.ETag), applied(r)}
}
