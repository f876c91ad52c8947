package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// NewAccount is an account to be created (A4).
type NewAccount struct {
	ID                   *account.ID        `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment; generated if absent." example:"globex"`
	Name                 string             `json:"name" doc:"1 to 200 characters." example:"Globex"`
	Parent               *account.ID        `json:"parent,omitempty" nullable:"true" doc:"The account that it is a sub-account of; null or absent for a root account, which only operators create."`
	SubAccountManagement bool               `json:"sub_account_management,omitempty" doc:"Whether it may have sub-accounts."`
	SubAccountAccess     account.AccessMode `json:"sub_account_access,omitempty" doc:"default_off, default_on or always_on; the environment's default if absent."`
}

// AccountPatch changes what it names. A field that is null is as if absent.
type AccountPatch struct {
	Name                 *string             `json:"name,omitempty" doc:"1 to 200 characters."`
	SubAccountManagement *bool               `json:"sub_account_management,omitempty" doc:"Whether it may have sub-accounts."`
	SubAccountAccess     *account.AccessMode `json:"sub_account_access,omitempty" doc:"default_off, default_on or always_on. Changes no present member, but for a change to always_on, which covers all, and from it, which leaves them what they had."`
	IPAllowList          *[]string           `json:"ip_allow_list,omitempty" nullable:"false" doc:"At most 100 addresses and networks that its members' requests may come from; empty for those of its nearest ancestor with some. Needs fe.secure.write.ipRestrictions. A member's own has to hold the address that this request comes from."`
}

// WrittenAccount is an account after a change.
type WrittenAccount struct {
	Account
	Applied
}

type createAccountInput struct {
	Caller
	Idempotent
	WithBody[NewAccount]
}

type updateAccountInput struct {
	Caller
	Precondition
	AccountPath
	WithBody[AccountPatch]
}

type deleteAccountInput struct {
	Caller
	Precondition
	AccountPath
	DeleteUsers bool `query:"delete_users" doc:"Also delete the users who would be members of no account; otherwise they stand in the way (409)."`
}

func (s *server) registerAccountWrites() {
	register(s, huma.Operation{
		OperationID: "createAccount", Method: http.MethodPost, Path: "/v1/accounts", Tags: []string{tagAccounts}, DefaultStatus: http.StatusCreated,
		Summary:     "Create an account or a sub-account",
		Description: "A sub-account needs fe.account-hierarchy.write.subAccount at its parent, which must have sub-account management on; a root account is an operator's to create.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, s.createAccount)
	register(s, huma.Operation{
		OperationID: "updateAccount", Method: http.MethodPatch, Path: "/v1/accounts/{account}", Tags: []string{tagAccounts},
		Summary: "Rename an account, change its sub-account settings, or say from where it can be used",
		Errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, s.updateAccount)
	s.registerMove()
	register(s, huma.Operation{
		OperationID: "deleteAccount", Method: http.MethodDelete, Path: "/v1/accounts/{account}", Tags: []string{tagAccounts},
		Summary:     "Delete an account without sub-accounts",
		Description: "Needs fe.account-hierarchy.delete.subAccount at its parent. Answers with the account as it was.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, s.deleteAccount)
}

func writtenAccount(r directory.Result[account.Account]) WrittenAccount {
	return WrittenAccount{accountOf(r.Value, r.ETag), applied(r)}
}

func (s *server) createAccount(ctx context.Context, req directory.Request, in *createAccountInput) (*Written[WrittenAccount], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	parent, err := idOrNone("parent", b.Parent)
	if err != nil {
		return nil, err
	}
	r, err := s.directory.CreateAccount(ctx, req, directory.NewAccount{
		ID: id, Name: b.Name, Parent: parent, SubAccountManagement: b.SubAccountManagement, AccessMode: b.SubAccountAccess,
	})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, writtenAccount(r)), nil
}

func (s *server) updateAccount(ctx context.Context, req directory.Request, in *updateAccountInput) (*Written[WrittenAccount], error) {
	b := in.body()
	r, err := s.directory.UpdateAccount(ctx, req, in.Account, directory.AccountPatch{
		Name: b.Name, SubAccountManagement: b.SubAccountManagement, AccessMode: b.SubAccountAccess, IPAllowList: b.IPAllowList,
	})
	if err != nil {
		return nil, err
	}
	body := writtenAccount(r)
	if b.IPAllowList != nil { // who may change it is told it
		body.Account = body.withList(r.Value)
	}
	return written(req, r, http.StatusOK, body), nil
}

func (s *server) deleteAccount(ctx context.Context, req directory.Request, in *deleteAccountInput) (*Written[WrittenAccount], error) {
	r, err := s.directory.DeleteAccount(ctx, req, in.Account, in.DeleteUsers)
	if err != nil {
		return nil, err
	}
	return deleted(req, r, writtenAccount(r)), nil
}
