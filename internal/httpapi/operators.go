package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Operator is a person of the vendor's who signs in at an OpenID provider (E4).
type Operator struct {
	ID        account.ClientID     `json:"id" example:"mara"`
	Email     string               `json:"email" example:"mara@vendor.example"`
	Name      string               `json:"name" doc:"Empty if there is none."`
	Roles     []account.PortalRole `json:"roles" nullable:"false" doc:"Their portal roles: admin, backoffice_editor, backoffice_viewer, entitlements_editor, entitlements_viewer, impersonator."`
	Issuer    string               `json:"issuer" doc:"Address of the OpenID provider where they sign in; empty until they did." example:"https://staff.example"`
	Subject   string               `json:"subject" doc:"Who they are there; empty until they signed in."`
	CreatedAt time.Time            `json:"created_at"`
	Version   account.Version      `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func operatorOf(o account.Operator, version account.Version) Operator {
	return Operator{
		ID: o.ID, Email: o.Email, Name: o.Name, Roles: account.Set(o.Roles), Issuer: o.Issuer, Subject: o.Subject,
		CreatedAt: o.CreatedAt.UTC(), Version: version,
	}
}

// Operators is a page of operators, in the order of their ids.
type Operators struct {
	Operators []Operator `json:"operators" nullable:"false"`
	PageInfo
}

// NewOperator is a person to be made an operator.
type NewOperator struct {
	ID      *account.ClientID    `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unlike that of any operator or client of the environment; generated if absent." example:"mara"`
	Email   string               `json:"email" doc:"Unique among the operators." example:"mara@vendor.example"`
	Name    string               `json:"name,omitempty" doc:"At most 200 characters."`
	Roles   []account.PortalRole `json:"roles" nullable:"false" doc:"Portal roles, at least one: admin, backoffice_editor, backoffice_viewer, entitlements_editor, entitlements_viewer, impersonator."`
	Issuer  string               `json:"issuer,omitempty" doc:"With subject: the address of one of the environment's issuers for operators. Without both, their first request with the verified address links them, if such an issuer links by addresses."`
	Subject string               `json:"subject,omitempty" doc:"Who they are there: sub in the provider's tokens."`
}

// OperatorPatch changes what it names. A field that is null is as if absent.
type OperatorPatch struct {
	Email *string               `json:"email,omitempty" doc:"Unique among the operators. Who has signed in already is known by the subject."`
	Name  *string               `json:"name,omitempty" doc:"At most 200 characters; empty for none."`
	Roles *[]account.PortalRole `json:"roles,omitempty" nullable:"false" doc:"All portal roles that they are to have."`
}

// WrittenOperator is an operator after a change.
type WrittenOperator struct {
	Operator
	Applied
}

// OperatorPath is embedded by inputs about one operator.
type OperatorPath struct {
	Operator account.ClientID `path:"operator"`
}

type operatorInput struct {
	Caller
	OperatorPath
}

type createOperatorInput struct {
	Caller
	Idempotent
	WithBody[NewOperator]
}

type updateOperatorInput struct {
	Caller
	Precondition
	OperatorPath
	WithBody[OperatorPatch]
}

type deleteOperatorInput struct {
	Caller
	Precondition
	OperatorPath
}

func (s *server) registerOperators() {
	register(s, huma.Operation{
		OperationID: "listOperators", Method: http.MethodGet, Path: "/v1/environment/operators", Tags: []string{tagSignIn},
		Summary: "List the people who are operators", Description: "Needs manage_security. Machines are the environment's clients.",
	}, s.listOperators)
	register(s, huma.Operation{
		OperationID: "getOperator", Method: http.MethodGet, Path: "/v1/environment/operators/{operator}", Tags: []string{tagSignIn},
		Summary: "See an operator", Description: "Needs manage_security.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *operatorInput) (*Tagged[Operator], error) {
		o, err := s.directory.GetOperator(ctx, req.Actor, in.Operator)
		if err != nil {
			return nil, err
		}
		return &Tagged[Operator]{ETag: etag(o.Version), Body: operatorOf(o.Value, o.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "createOperator", Method: http.MethodPost, Path: "/v1/environment/operators", Tags: []string{tagSignIn}, DefaultStatus: http.StatusCreated,
		Summary: "Make a person an operator", Description: "They sign in at one of the environment's issuers for operators. Needs manage_security.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, s.createOperator)
	register(s, huma.Operation{
		OperationID: "updateOperator", Method: http.MethodPatch, Path: "/v1/environment/operators/{operator}", Tags: []string{tagSignIn},
		Summary:     "Change an operator's address, name or roles",
		Description: "Who loses impersonator has their impersonations ended. The last admin stays one (409 last_admin). Needs manage_security.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *updateOperatorInput) (*Written[WrittenOperator], error) {
		r, err := s.directory.UpdateOperator(ctx, req, in.Operator, directory.OperatorPatch(*in.body()))
		if err != nil {
			return nil, err
		}
		return written(req, r, http.StatusOK, writtenOperator(r)), nil
	})
	register(s, huma.Operation{
		OperationID: "deleteOperator", Method: http.MethodDelete, Path: "/v1/environment/operators/{operator}", Tags: []string{tagSignIn},
		Summary:     "Delete an operator",
		Description: "Their tokens open nothing from then on, and their impersonations end. The last admin stays (409 last_admin). Needs manage_security. Answers with the operator as they were.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, func(ctx context.Context, req directory.Request, in *deleteOperatorInput) (*Written[WrittenOperator], error) {
		r, err := s.directory.DeleteOperator(ctx, req, in.Operator)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenOperator(r)), nil
	})
}

func (s *server) createOperator(ctx context.Context, req directory.Request, in *createOperatorInput) (*Written[WrittenOperator], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.directory.CreateOperator(ctx, req, account.Operator{ID: id, Email: b.Email, Name: b.Name, Roles: b.Roles, Issuer: b.Issuer, Subject: b.Subject})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, writtenOperator(r)), nil
}

func (s *server) listOperators(ctx context.Context, req directory.Request, in *keyListInput) (*Plain[Operators], error) {
	f, err := in.page("operators")
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListOperators(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &Plain[Operators]{Operators{
		Operators: each(page.Items, func(o account.Versioned[account.Operator]) Operator { return operatorOf(o.Value, o.Version) }),
		PageInfo:  pageInfo("operators", page, func(o account.Operator) account.ClientID { return o.ID }),
	}}, nil
}

func writtenOperator(r directory.Result[account.Operator]) WrittenOperator {
	return WrittenOperator{operatorOf(r.Value, r.ETag), applied(r)}
}
