package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Impersonation is a session in which an operator acts as a user (E4).
type Impersonation struct {
	ID        account.ImpersonationID `json:"id" example:"imp_k3vqm2xw7c5hj4d6zt2a"`
	User      account.UserID          `json:"user" doc:"Whom the operator acts as." example:"ada"`
	Operator  account.ClientID        `json:"operator" doc:"The client, or the person, that acts." example:"support"`
	Person    bool                    `json:"person" doc:"Whether the operator is a person who signs in, and not a client."`
	Reason    string                  `json:"reason" example:"Ticket 4711: cannot see the invoices"`
	CreatedAt time.Time               `json:"created_at"`
	ExpiresAt time.Time               `json:"expires_at" doc:"When it ends, unless it is ended before."`
}

func impersonationOf(i account.Impersonation) Impersonation {
	return Impersonation{ID: i.ID, User: i.User, Operator: i.Operator, Person: i.Person, Reason: i.Reason, CreatedAt: i.CreatedAt.UTC(), ExpiresAt: i.ExpiresAt.UTC()}
}

// NewImpersonation is an impersonation to begin.
type NewImpersonation struct {
	Reason  string `json:"reason" doc:"Why, for the log; 1 to 500 characters." example:"Ticket 4711: cannot see the invoices"`
	Minutes *int   `json:"minutes,omitempty" doc:"How long it may last: 1 to 60, and no longer than the environment's token_minutes. Absent: 15, or token_minutes if that is less."`
}

// WrittenImpersonation is an impersonation after a change.
type WrittenImpersonation struct {
	Impersonation
	Applied
}

// BegunImpersonation is a new impersonation with its token.
type BegunImpersonation struct {
	WrittenImpersonation
	Token string `json:"token" doc:"What is sent as the bearer token to act as the user. Shown here and never again."`
}

// Impersonations is a page of the impersonations that go on, in the order of their ids.
type Impersonations struct {
	Impersonations []Impersonation `json:"impersonations" nullable:"false"`
	PageInfo
}

type impersonateInput struct {
	Caller
	UserPath
	WithBody[NewImpersonation]
}

type endImpersonationInput struct {
	Caller
	Impersonation account.ImpersonationID `path:"impersonation"`
}

type listImpersonationsInput struct {
	Caller
	Limit  int    `query:"limit" doc:"The most items of a page, 1 to 1000; 50 if absent."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; absent for the first."`
}

func (s *server) registerImpersonations() {
	register(s, huma.Operation{
		OperationID: "impersonateUser", Method: http.MethodPost, Path: "/v1/users/{user}/impersonate", Tags: []string{tagSupport}, DefaultStatus: http.StatusCreated,
		Summary:     "Begin to act as a user",
		Description: "For operators with the portal role impersonator and one of admin, backoffice_editor and backoffice_viewer. Requests with the token are judged by the user's rights alone, cannot make API tokens, invite or impersonate, are in the journal with user, operator and impersonation, and are answered with the header Impersonated-By. The token may be used for what the credential may that it is asked for with: for a client, name the scopes check, read and write too, if the session is to have them. It opens nothing any more once the impersonation has ended or expired, the user is blocked, the operator lost the right, or the client's secret was revoked or its scopes narrowed; a person's, once they are unlinked or their provider is gone.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, s.impersonateUser)
	register(s, huma.Operation{
		OperationID: "listImpersonations", Method: http.MethodGet, Path: "/v1/impersonations", Tags: []string{tagSupport},
		Summary: "List the impersonations that go on", Description: "Needs view_backoffice. Those of the past are in the journal.",
	}, s.listImpersonations)
	register(s, huma.Operation{
		OperationID: "endImpersonation", Method: http.MethodDelete, Path: "/v1/impersonations/{impersonation}", Tags: []string{tagSupport},
		Summary: "End an impersonation", Description: "Its token opens nothing from then on. For the operator who began it, also with that token, and for who has edit_backoffice. Answers with the impersonation as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *endImpersonationInput) (*Written[WrittenImpersonation], error) {
		r, err := s.directory.EndImpersonation(ctx, req, in.Impersonation)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, WrittenImpersonation{impersonationOf(r.Value), applied(r)}), nil
	})
}

func (s *server) impersonateUser(ctx context.Context, req directory.Request, in *impersonateInput) (*Written[BegunImpersonation], error) {
	by := infoFrom(ctx)
	r, err := s.directory.BeginImpersonation(ctx, req, directory.NewImpersonation{
		User: in.User, Reason: in.body().Reason, Minutes: in.body().Minutes,
		Secret: by.secret, Scopes: by.scopes, SignedIn: by.signedIn,
	})
	if err != nil {
		return nil, err
	}
	token, err := s.issuer.Impersonation(ctx, req.Actor.Environment, r.Value)
	if err != nil {
		return nil, err
	}
	s.noteIssued(token)
	return written(req, r, http.StatusCreated, BegunImpersonation{WrittenImpersonation{impersonationOf(r.Value), applied(r)}, token}), nil
}

func (s *server) listImpersonations(ctx context.Context, req directory.Request, in *listImpersonationsInput) (*Plain[Impersonations], error) {
	after, err := decodeCursor[account.ImpersonationID]("impersonations", in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListImpersonations(ctx, req.Actor, after, in.Limit)
	if err != nil {
		return nil, err
	}
	return &Plain[Impersonations]{Impersonations{
		Impersonations: each(page.Items, func(i account.Versioned[account.Impersonation]) Impersonation { return impersonationOf(i.Value) }),
		PageInfo:       pageInfo("impersonations", page, func(i account.Impersonation) account.ImpersonationID { return i.ID }),
	}}, nil
}
