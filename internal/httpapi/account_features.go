package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// AccountPlan is the plan that an account is to have.
type AccountPlan struct {
	Plan account.PlanKey `json:"plan" doc:"The key of a plan." example:"pro"`
}

// FeatureSwitch turns a feature on or off at an account, whatever its plan says.
type FeatureSwitch struct {
	Account account.ID         `json:"account" example:"globex"`
	Feature account.FeatureKey `json:"feature" example:"reports"`
	Scope   account.Scope      `json:"scope" enum:"account,branch" doc:"For the account alone, or also for all accounts below it."`
	Enabled bool               `json:"enabled"`
	Version account.Version    `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func switchOf(s account.FeatureSwitch, version account.Version) FeatureSwitch {
	return FeatureSwitch{Account: s.Account, Feature: s.Feature, Scope: s.Scope(), Enabled: s.On, Version: version}
}

// NewSwitch is what a switch is to be.
type NewSwitch struct {
	Enabled bool          `json:"enabled" doc:"On or off."`
	Scope   account.Scope `json:"scope" doc:"account: for the account alone. branch: also for all accounts below it, unless a nearer switch says otherwise." example:"branch"`
}

// WrittenSwitch is a switch after a change.
type WrittenSwitch struct {
	FeatureSwitch
	Applied
}

// FeatureSource says by what an account has a feature, or has it not.
type FeatureSource struct {
	By      access.Reason    `json:"by" enum:"switch,plan,none" doc:"The nearest switch; the account's plan or that of its nearest ancestor with one; neither gives it."`
	Account *account.ID      `json:"account,omitempty" doc:"Where the switch is, or the account that the plan was given to. Not with none."`
	Scope   *account.Scope   `json:"scope,omitempty" enum:"account,branch" doc:"Of the switch."`
	Plan    *account.PlanKey `json:"plan,omitempty" doc:"The plan."`
}

// AccountFeature is a feature, and whether the account has it.
type AccountFeature struct {
	Feature
	Enabled bool          `json:"enabled" doc:"Whether the account has it. Who uses it needs its permission there besides."`
	Source  FeatureSource `json:"source"`
}

// AccountFeatures is a page of the environment's features, in the order of their keys.
type AccountFeatures struct {
	Features []AccountFeature `json:"features" nullable:"false"`
	PageInfo
}

type putPlanInput struct {
	Caller
	Precondition
	AccountPath
	WithBody[AccountPlan]
}

type deletePlanOfInput struct {
	Caller
	Precondition
	AccountPath
}

type accountFeaturesInput struct {
	Caller
	AccountPath
	KeyPageQuery
}

type putSwitchInput struct {
	Caller
	Precondition
	AccountPath
	FeaturePath
	WithBody[NewSwitch]
}

type deleteSwitchInput struct {
	Caller
	Precondition
	AccountPath
	FeaturePath
	Scope account.Scope `query:"scope" doc:"account or branch: which of the two switches. Required."`
}

func (s *server) registerAccountFeatures() {
	register(s, huma.Operation{
		OperationID: "setAccountPlan", Method: http.MethodPut, Path: "/v1/accounts/{account}/plan", Tags: []string{tagFeatures},
		Summary: "Give an account a plan of its own", Description: "It takes the place of the plan above, for the account and for those below that have none. Needs edit_entitlements.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *putPlanInput) (*Written[WrittenAccount], error) {
		if err := account.CheckID("plan", in.body().Plan); err != nil {
			return nil, err
		}
		return s.setPlan(ctx, req, in.Account, in.body().Plan)
	})
	register(s, huma.Operation{
		OperationID: "removeAccountPlan", Method: http.MethodDelete, Path: "/v1/accounts/{account}/plan", Tags: []string{tagFeatures},
		Summary: "Take an account's own plan away", Description: "It has that of its nearest ancestor with one again. Needs edit_entitlements.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deletePlanOfInput) (*Written[WrittenAccount], error) {
		return s.setPlan(ctx, req, in.Account, "")
	})
	register(s, huma.Operation{
		OperationID: "listAccountFeatures", Method: http.MethodGet, Path: "/v1/accounts/{account}/features", Tags: []string{tagFeatures},
		Summary:     "List all features, which of them the account has, and where from",
		Description: "For who may open the account. Decided with all in force that is recorded.", Errors: []int{http.StatusNotFound},
	}, s.listAccountFeatures)
	register(s, huma.Operation{
		OperationID: "setFeatureSwitch", Method: http.MethodPut, Path: "/v1/accounts/{account}/features/{feature}", Tags: []string{tagFeatures},
		Summary:     "Switch a feature on or off at an account",
		Description: "A switch comes before every plan, a nearer switch before one above, and that for the account alone before that for its branch. An account can have one of each scope. Needs edit_entitlements.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *putSwitchInput) (*Written[WrittenSwitch], error) {
		b := in.body()
		if err := account.CheckScope("scope", b.Scope); err != nil {
			return nil, err
		}
		r, err := s.directory.SetFeatureSwitch(ctx, req, account.FeatureSwitch{
			Account: in.Account, Feature: in.Feature, Branch: b.Scope == account.ForBranch, On: b.Enabled,
		})
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenSwitch(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "removeFeatureSwitch", Method: http.MethodDelete, Path: "/v1/accounts/{account}/features/{feature}", Tags: []string{tagFeatures},
		Summary: "Remove a switch", Description: "The account has the feature again as the switches above and its plan say. Needs edit_entitlements. Answers with the switch as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteSwitchInput) (*Written[WrittenSwitch], error) {
		if err := account.CheckScope("scope", in.Scope); err != nil {
			return nil, err
		}
		r, err := s.directory.RemoveFeatureSwitch(ctx, req, account.FeatureSwitch{
			Account: in.Account, Feature: in.Feature, Branch: in.Scope == account.ForBranch,
		})
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenSwitch(r)), nil
	})
}

func (s *server) setPlan(ctx context.Context, req directory.Request, id account.ID, plan account.PlanKey) (*Written[WrittenAccount], error) {
	r, err := s.directory.SetAccountPlan(ctx, req, id, plan)
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusOK, writtenAccount(r)), nil
}

func (s *server) listAccountFeatures(ctx context.Context, req directory.Request, in *accountFeaturesInput) (*Answer[AccountFeatures], error) {
	const list = "account-features"
	f, err := in.page(list)
	if err != nil {
		return nil, err
	}
	found, err := s.access.AccountFeatures(ctx, req.Actor, in.Account, f, req.AtLeast)
	if err != nil {
		return nil, err
	}
	out := AccountFeatures{Features: each(found.Features, accountFeatureOf), PageInfo: PageInfo{Total: found.Total}}
	if n := len(found.Features); found.More && n > 0 {
		out.NextCursor = encodeCursor(list, found.Features[n-1].Key)
	}
	return &Answer[AccountFeatures]{Token: tokenAt(req, found.Version), Body: out}, nil
}

func accountFeatureOf(f access.AccountFeature) AccountFeature {
	return AccountFeature{Feature: featureOf(f.Feature, 0), Enabled: f.Enabled, Source: FeatureSource{
		By: f.Origin.Reason, Account: orNull(f.Origin.At), Scope: orNull(f.Origin.Scope), Plan: orNull(f.Origin.Plan),
	}}
}

func writtenSwitch(r directory.Result[account.FeatureSwitch]) WrittenSwitch {
	return WrittenSwitch{switchOf(r.Value, r.ETag), applied(r)}
}
