package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// NewUser is a user to be created, with the first memberships.
type NewUser struct {
	ID          *account.UserID `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment; generated if absent." example:"ada"`
	Email       string          `json:"email" doc:"Unique in the environment." example:"ada@globex.example"`
	Name        string          `json:"name,omitempty" doc:"At most 200 characters."`
	Memberships []NewMembership `json:"memberships" nullable:"false" doc:"At least one: a user is a member of some account."`
}

// NewMembership is a first membership of a new user.
type NewMembership struct {
	Account account.ID `json:"account" example:"globex"`
	Grant
}

// UserPatch changes what it names. A field that is null is as if absent.
type UserPatch struct {
	Email *string `json:"email,omitempty" doc:"Unique in the environment."`
	Name  *string `json:"name,omitempty" doc:"At most 200 characters; empty for none."`
}

// WrittenUser is a user after a change.
type WrittenUser struct {
	User
	Applied
}

type createUserInput struct {
	Caller
	Idempotent
	WithBody[NewUser]
}

type updateUserInput struct {
	Caller
	Precondition
	UserPath
	WithBody[UserPatch]
}

// Block is how a user is blocked.
type Block struct {
	RevokeAPITokens bool `json:"revoke_api_tokens,omitempty" doc:"Whether the API tokens that they made, and those made with these, are revoked as well."`
}

// BlockedUser is a user who was blocked.
type BlockedUser struct {
	WrittenUser
	APITokens int `json:"api_tokens" doc:"How many API tokens they had made: revoked if that was asked for, otherwise still good."`
}

type blockUserInput struct {
	Caller
	Precondition
	UserPath
	MayHaveBody[Block]
}

type changeUserInput struct {
	Caller
	Precondition
	UserPath
}

func (s *server) registerUserWrites() {
	register(s, huma.Operation{
		OperationID: "createUser", Method: http.MethodPost, Path: "/v1/users", Tags: []string{tagUsers}, DefaultStatus: http.StatusCreated,
		Summary: "Create a user with at least one membership", Description: "For operators: users invite. Each membership needs what setMember needs of a new member.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.createUser)
	register(s, huma.Operation{
		OperationID: "updateUser", Method: http.MethodPatch, Path: "/v1/users/{user}", Tags: []string{tagUsers},
		Summary: "Change a user's address or name", Description: "For operators.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updateUserInput) (*Written[WrittenUser], error) {
		return changedUser(req)(s.directory.UpdateUser(ctx, req, in.User, directory.UserPatch{Email: in.body().Email, Name: in.body().Name}))
	})
	register(s, huma.Operation{
		OperationID: "blockUser", Method: http.MethodPost, Path: "/v1/users/{user}/block", Tags: []string{tagUsers},
		Summary:     "Block a user",
		Description: "With the answer 200, the user passes no check and opens no account until unblocked; nothing else about them changes. Impersonations of them end. API tokens that they made belong to their accounts and go on, unless the body says otherwise. For operators.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, s.blockUser)
	register(s, huma.Operation{
		OperationID: "unblockUser", Method: http.MethodPost, Path: "/v1/users/{user}/unblock", Tags: []string{tagUsers},
		Summary: "Lift the block of a user", Description: "For operators.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *changeUserInput) (*Written[WrittenUser], error) {
		return changedUser(req)(s.directory.UnblockUser(ctx, req, in.User))
	})
	register(s, huma.Operation{
		OperationID: "deleteUser", Method: http.MethodDelete, Path: "/v1/users/{user}", Tags: []string{tagUsers},
		Summary: "Delete a user with all memberships", Description: "For operators. Answers with the user as they were.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *changeUserInput) (*Written[WrittenUser], error) {
		r, err := s.directory.DeleteUser(ctx, req, in.User)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenUser(r)), nil
	})
}

func (s *server) blockUser(ctx context.Context, req directory.Request, in *blockUserInput) (*Written[BlockedUser], error) {
	r, err := s.directory.BlockUser(ctx, req, in.User, in.body().RevokeAPITokens)
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusOK, BlockedUser{WrittenUser{userOf(r.Value.User, r.ETag), applied(r)}, r.Value.APITokens}), nil
}

func writtenUser(r directory.Result[account.User]) WrittenUser {
	return WrittenUser{userOf(r.Value, r.ETag), applied(r)}
}

// changedUser answers a change of a user.
func changedUser(req directory.Request) func(directory.Result[account.User], error) (*Written[WrittenUser], error) {
	return func(r directory.Result[account.User], err error) (*Written[WrittenUser], error) {
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenUser(r)), nil
	}
}

func (s *server) createUser(ctx context.Context, req directory.Request, in *createUserInput) (*Written[WrittenUser], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.directory.CreateUser(ctx, req, directory.NewUser{
		ID: id, Email: b.Email, Name: b.Name,
		Memberships: each(b.Memberships, func(m NewMembership) directory.Grant { return m.of(m.Account, "") }),
	})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, writtenUser(r)), nil
}
