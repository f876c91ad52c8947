package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// AccountMove says where an account goes.
type AccountMove struct {
	Parent *account.ID `json:"parent" doc:"The new parent; null to make it a root account."`
	DryRun bool        `json:"dry_run,omitempty" doc:"Only say what would come of it: nothing is moved."`
}

// MovedAccount is an account after a move, or as it would be.
type MovedAccount struct {
	Account
	Moved  bool   `json:"moved" doc:"Whether this request moved it: false for a dry run, and if it was there already."`
	Impact Impact `json:"impact" doc:"What the move does to who can open the accounts of the moved branch."`
	Applied
}

// Impact is what a move does to who can open the accounts of the moved branch.
type Impact struct {
	Gains Shift `json:"gains" doc:"What users can open after the move and not before."`
	Loses Shift `json:"loses" doc:"What users can open before the move and not after."`
}

// Shift is how many users gain, or lose, access to how many accounts. API tokens
// and operators, blocked users and expired memberships are not counted.
type Shift struct {
	Users    int `json:"users" doc:"How many users it concerns."`
	Accounts int `json:"accounts" doc:"How many accounts it concerns."`
	Pairs    int `json:"pairs" doc:"How many pairs of a user and an account."`
}

type moveAccountInput struct {
	Caller
	Precondition
	AccountPath
	WithBody[AccountMove]
}

func (s *server) registerMove() {
	register(s, huma.Operation{
		OperationID: "moveAccount", Method: http.MethodPost, Path: "/v1/accounts/{account}/move", Tags: []string{tagAccounts},
		Summary: "Put an account with its branch below another, or make it a root",
		Description: "Operators with edit_backoffice move anything anywhere. A user moves an account that has a parent below another one: needs fe.account-hierarchy.delete.subAccount at the old parent; at the new one what creating the account there takes; and, held in all of the moved branch, every permission that a role with sub-account access at an account newly above hands out there. " +
			"The answer says how many users gain and lose access to how many accounts, exactly: users alone, not API tokens or operators; blocked users and expired memberships open nothing. With dry_run it says so and moves nothing; send the ETag of that answer as If-Match to move what was looked at.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, s.moveAccount)
}

func (s *server) moveAccount(ctx context.Context, req directory.Request, in *moveAccountInput) (*Written[MovedAccount], error) {
	parent, err := idOrNone("parent", in.body().Parent)
	if err != nil {
		return nil, err
	}
	req.DryRun = in.body().DryRun
	r, err := s.directory.MoveAccount(ctx, req, in.Account, parent)
	if err != nil {
		return nil, err
	}
	out := written(req, r, http.StatusOK, MovedAccount{
		Account: accountOf(r.Value.Account, r.ETag), Moved: r.Value.Moved,
		Impact:  Impact{Shift(r.Value.Impact.Gains), Shift(r.Value.Impact.Loses)},
		Applied: applied(r),
	})
	if req.DryRun {
		out.Status = http.StatusOK // there is nothing to be applied
	}
	return out, nil
}
