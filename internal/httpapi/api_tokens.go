package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// APIToken is a machine member of an account (C1).
type APIToken struct {
	ID               account.APITokenID `json:"id" example:"tok_k3vqm2xw7c5hj4d6zt2a"`
	Account          account.ID         `json:"account" example:"globex"`
	Name             string             `json:"name" example:"Nightly export"`
	Roles            []account.RoleKey  `json:"roles" nullable:"false"`
	SubAccountAccess bool               `json:"sub_account_access" doc:"Sub-account access of the token's own. Where the account's mode is always_on, every member has it besides."`
	KeptFromAlwaysOn bool               `json:"kept_from_always_on,omitempty" doc:"The sub-account access was left when the account's mode ceased to be always_on."`
	ExpiresAt        *time.Time         `json:"expires_at" doc:"From then on the token opens nothing; null is never."`
	CreatedBy        Actor              `json:"created_by" doc:"Who made it. The user is named also when they made it with an API token of theirs."`
	CreatedAt        time.Time          `json:"created_at"`
	LastUsedAt       *time.Time         `json:"last_used_at,omitempty" doc:"When it was used last, to the minute or so. Absent if it never was, in the journal, and in answers to changes."`
	Version          account.Version    `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func apiTokenOf(t directory.UsedAPIToken, version account.Version) APIToken {
	return APIToken{
		ID: t.ID, Account: t.Account, Name: t.Name, Roles: account.Set(t.Roles),
		SubAccountAccess: t.BranchAccess != account.NoBranchAccess, KeptFromAlwaysOn: t.BranchAccess == account.KeptFromAlwaysOn,
		ExpiresAt: inUTC(t.ExpiresAt), CreatedBy: actorOf(t.CreatedBy), CreatedAt: t.CreatedAt.UTC(), LastUsedAt: inUTC(t.LastUsed), Version: version,
	}
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

// APITokens is a page of an account's API tokens, in the order of their ids.
type APITokens struct {
	APITokens []APIToken `json:"api_tokens" nullable:"false"`
	PageInfo
}

// NewAPIToken is an API token to be made.
type NewAPIToken struct {
	Name             string            `json:"name" doc:"What it is for; 1 to 200 characters." example:"Nightly export"`
	Roles            []account.RoleKey `json:"roles" nullable:"false" doc:"Keys of roles that can be given in the account; at least one."`
	SubAccountAccess *bool             `json:"sub_account_access,omitempty" doc:"Whether the roles hold in every account below. Absent: what the account's mode says for a new member."`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty" nullable:"true" doc:"When the token ends, in whole seconds; null or absent is never."`
}

// WrittenAPIToken is an API token after a change.
type WrittenAPIToken struct {
	APIToken
	Applied
}

// CreatedAPIToken is a new API token.
type CreatedAPIToken struct {
	WrittenAPIToken
	Token string `json:"token" doc:"What the machine sends as its bearer token. Shown here and never again."`
}

type listAPITokensInput struct {
	Caller
	AccountPath
	PageQuery
}

type createAPITokenInput struct {
	Caller
	AccountPath
	WithBody[NewAPIToken]
}

type apiTokenInput struct {
	Caller
	AccountPath
	TokenID account.APITokenID `path:"token"`
}

type revokeAPITokenInput struct {
	Caller
	Precondition
	AccountPath
	TokenID account.APITokenID `path:"token"`
}

func (s *server) registerAPITokens() {
	register(s, huma.Operation{
		OperationID: "listAPITokens", Method: http.MethodGet, Path: "/v1/accounts/{account}/api-tokens", Tags: []string{tagMachines},
		Summary: "List the API tokens of an account", Description: "Needs fe.secure.read.tenantApiTokens there. Secrets are not shown: they are not kept.",
		Errors: []int{http.StatusNotFound},
	}, s.listAPITokens)
	register(s, huma.Operation{
		OperationID: "createAPIToken", Method: http.MethodPost, Path: "/v1/accounts/{account}/api-tokens", Tags: []string{tagMachines}, DefaultStatus: http.StatusCreated,
		Summary:     "Create an API token and show it, once",
		Description: "Needs fe.secure.write.tenantApiTokens there, and for a choice about sub-account access fe.account-hierarchy.write.subAccountAccess. A user, or an API token, can give it only permissions that they hold there themselves. The token belongs to the account: it goes on when whoever made it leaves. Not while impersonating. Takes no Idempotency-Key, since the token is not kept to be shown again.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, s.createAPIToken)
	register(s, huma.Operation{
		OperationID: "getAPIToken", Method: http.MethodGet, Path: "/v1/accounts/{account}/api-tokens/{token}", Tags: []string{tagMachines},
		Summary: "See an API token of an account", Description: "Needs fe.secure.read.tenantApiTokens there.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *apiTokenInput) (*Tagged[APIToken], error) {
		t, err := s.directory.GetAPIToken(ctx, req.Actor, in.Account, in.TokenID)
		if err != nil {
			return nil, err
		}
		return &Tagged[APIToken]{ETag: etag(t.Version), Body: apiTokenOf(t.Value, t.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "revokeAPIToken", Method: http.MethodDelete, Path: "/v1/accounts/{account}/api-tokens/{token}", Tags: []string{tagMachines},
		Summary: "Revoke an API token", Description: "It opens nothing from then on. Needs fe.secure.write.tenantApiTokens at the account. Answers with the token as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *revokeAPITokenInput) (*Written[WrittenAPIToken], error) {
		r, err := s.directory.RevokeAPIToken(ctx, req, in.Account, in.TokenID)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenAPIToken(r)), nil
	})
}

func writtenAPIToken(r directory.Result[account.APIToken]) WrittenAPIToken {
	return WrittenAPIToken{apiTokenOf(directory.UsedAPIToken{APIToken: r.Value}, r.ETag), applied(r)}
}

func (s *server) createAPIToken(ctx context.Context, req directory.Request, in *createAPITokenInput) (*Written[CreatedAPIToken], error) {
	b := in.body()
	r, secret, err := s.directory.CreateAPIToken(ctx, req, directory.NewAPIToken{
		Account: in.Account, Name: b.Name, Roles: b.Roles, SubAccountAccess: b.SubAccountAccess, ExpiresAt: b.ExpiresAt,
	})
	if err != nil {
		return nil, err
	}
	token := identity.FormatAPIToken(req.Actor.Environment, r.Value.ID, secret)
	return written(req, r, http.StatusCreated, CreatedAPIToken{writtenAPIToken(r), token}), nil
}

func (s *server) listAPITokens(ctx context.Context, req directory.Request, in *listAPITokensInput) (*Plain[APITokens], error) {
	after, err := decodeCursor[account.APITokenID]("api-tokens", in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListAPITokens(ctx, req.Actor, directory.AccountItems{Account: in.Account, Query: in.Query, After: string(after), Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &Plain[APITokens]{APITokens{
		APITokens: each(page.Items, func(t account.Versioned[directory.UsedAPIToken]) APIToken { return apiTokenOf(t.Value, t.Version) }),
		PageInfo:  pageInfo("api-tokens", page, func(t directory.UsedAPIToken) account.APITokenID { return t.ID }),
	}}, nil
}
