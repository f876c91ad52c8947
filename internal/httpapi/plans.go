package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Plan is a named set of features.
type Plan struct {
	Key         account.PlanKey      `json:"key" example:"pro"`
	Name        string               `json:"name" doc:"Empty if there is none."`
	Description string               `json:"description" doc:"Empty if there is none."`
	Features    []account.FeatureKey `json:"features" nullable:"false"`
	Version     account.Version      `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func planOf(p account.Plan, version account.Version) Plan {
	return Plan{Key: p.Key, Name: p.Name, Description: p.Description, Features: account.Set(p.Features), Version: version}
}

// Plans is a page of plans, in the order of their keys.
type Plans struct {
	Plans []Plan `json:"plans" nullable:"false"`
	PageInfo
}

// NewPlan is a plan to be created.
type NewPlan struct {
	Key         account.PlanKey      `json:"key" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment." example:"pro"`
	Name        string               `json:"name,omitempty" doc:"At most 200 characters."`
	Description string               `json:"description,omitempty" doc:"At most 1000 characters."`
	Features    []account.FeatureKey `json:"features" nullable:"false" doc:"Keys of features; at most 450."`
}

// PlanPatch changes what it names. A field that is null is as if absent.
type PlanPatch struct {
	Name        *string               `json:"name,omitempty" doc:"At most 200 characters; empty for none."`
	Description *string               `json:"description,omitempty" doc:"At most 1000 characters; empty for none."`
	Features    *[]account.FeatureKey `json:"features,omitempty" nullable:"false" doc:"All features that it is to have."`
}

// WrittenPlan is a plan after a change.
type WrittenPlan struct {
	Plan
	Applied
}

// PlanPath is embedded by inputs about one plan.
type PlanPath struct {
	Plan account.PlanKey `path:"plan"`
}

type planInput struct {
	Caller
	PlanPath
}

type createPlanInput struct {
	Caller
	Idempotent
	WithBody[NewPlan]
}

type updatePlanInput struct {
	Caller
	Precondition
	PlanPath
	WithBody[PlanPatch]
}

type deletePlanInput struct {
	Caller
	Precondition
	PlanPath
}

func (s *server) registerPlans() {
	register(s, huma.Operation{
		OperationID: "listPlans", Method: http.MethodGet, Path: "/v1/plans", Tags: []string{tagFeatures},
		Summary: "List the plans of the environment", Description: "Needs view_entitlements.",
	}, s.listPlans)
	register(s, huma.Operation{
		OperationID: "getPlan", Method: http.MethodGet, Path: "/v1/plans/{plan}", Tags: []string{tagFeatures},
		Summary: "See a plan", Description: "Needs view_entitlements.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *planInput) (*Tagged[Plan], error) {
		p, err := s.directory.GetPlan(ctx, req.Actor, in.Plan)
		if err != nil {
			return nil, err
		}
		return &Tagged[Plan]{ETag: etag(p.Version), Body: planOf(p.Value, p.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "createPlan", Method: http.MethodPost, Path: "/v1/plans", Tags: []string{tagFeatures}, DefaultStatus: http.StatusCreated,
		Summary: "Create a plan", Description: "Needs edit_entitlements.", Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *createPlanInput) (*Written[WrittenPlan], error) {
		b := in.body()
		r, err := s.directory.CreatePlan(ctx, req, account.Plan{Key: b.Key, Name: b.Name, Description: b.Description, Features: b.Features})
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusCreated, writtenPlan(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "updatePlan", Method: http.MethodPatch, Path: "/v1/plans/{plan}", Tags: []string{tagFeatures},
		Summary: "Change a plan, for all accounts that have it", Description: "Needs edit_entitlements.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updatePlanInput) (*Written[WrittenPlan], error) {
		r, err := s.directory.UpdatePlan(ctx, req, in.Plan, directory.PlanPatch(*in.body()))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenPlan(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "deletePlan", Method: http.MethodDelete, Path: "/v1/plans/{plan}", Tags: []string{tagFeatures},
		Summary: "Delete a plan that no account was given", Description: "Needs edit_entitlements. Answers with the plan as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deletePlanInput) (*Written[WrittenPlan], error) {
		r, err := s.directory.DeletePlan(ctx, req, in.Plan)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenPlan(r)), nil
	})
}

func (s *server) listPlans(ctx context.Context, req directory.Request, in *keyListInput) (*Plain[Plans], error) {
	f, err := in.page("plans")
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListPlans(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &Plain[Plans]{Plans{
		Plans:    each(page.Items, func(p account.Versioned[account.Plan]) Plan { return planOf(p.Value, p.Version) }),
		PageInfo: pageInfo("plans", page, func(p account.Plan) account.PlanKey { return p.Key }),
	}}, nil
}

func writtenPlan(r directory.Result[account.Plan]) WrittenPlan {
	return WrittenPlan{planOf(r.Value, r.ETag), applied(r)}
}
