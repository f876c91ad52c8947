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

// Client is a machine of the vendor's that calls Tenantry (C1).
type Client struct {
	ID          account.ClientID     `json:"id" example:"shop"`
	Name        string               `json:"name" example:"Web shop"`
	Roles       []account.PortalRole `json:"roles" nullable:"false" doc:"Its portal roles: admin, backoffice_editor, backoffice_viewer, entitlements_editor, entitlements_viewer, impersonator."`
	ActForUsers bool                 `json:"act_for_users" doc:"Whether it may call in the name of users, with Act-For-User."`
	CreatedAt   time.Time            `json:"created_at"`
}

func clientOf(c account.Client) Client {
	return Client{ID: c.ID, Name: c.Name, Roles: account.Set(c.Roles), ActForUsers: c.ActForUsers, CreatedAt: c.CreatedAt.UTC()}
}

// Clients is the environment's clients, in the order of their ids.
type Clients struct {
	Clients []Client `json:"clients" nullable:"false"`
	PageInfo
}

// NewClient is a client to be created.
type NewClient struct {
	ID          *account.ClientID    `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment; generated if absent." example:"shop"`
	Name        string               `json:"name,omitempty" doc:"At most 200 characters; the id if absent."`
	Roles       []account.PortalRole `json:"roles" nullable:"false" doc:"Portal roles, at least one: admin, backoffice_editor, backoffice_viewer, entitlements_editor, entitlements_viewer, impersonator."`
	ActForUsers bool                 `json:"act_for_users,omitempty" doc:"Whether it may call in the name of users."`
}

// WrittenClient is a client after a change.
type WrittenClient struct {
	Client
	Applied
}

// CreatedClient is a new client with its token.
type CreatedClient struct {
	Client
	Applied
	Token string `json:"token" doc:"What the client sends as its bearer token. Shown here and never again."`
}

type createClientInput struct {
	Caller
	WithBody[NewClient]
}

type revokeClientInput struct {
	Caller
	Client account.ClientID `path:"client"`
}

func (s *server) registerClients() {
	register(s, huma.Operation{
		OperationID: "listClients", Method: http.MethodGet, Path: "/v1/environment/clients", Tags: []string{tagEnvironment},
		Summary: "List the clients of the environment", Description: "Needs manage_security.",
	}, func(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[Clients], error) {
		all, err := s.directory.Clients(ctx, req.Actor)
		if err != nil {
			return nil, err
		}
		return &Plain[Clients]{Clients{each(all, clientOf), PageInfo{Total: len(all)}}}, nil
	})
	register(s, huma.Operation{
		OperationID: "createClient", Method: http.MethodPost, Path: "/v1/environment/clients", Tags: []string{tagEnvironment}, DefaultStatus: http.StatusCreated,
		Summary:     "Create a client and show its token, once",
		Description: "Needs manage_security. Takes no Idempotency-Key, since the token is not kept to be shown again: choose the id to make a repeat harmless.",
		Errors:      []int{http.StatusConflict},
	}, s.createClient)
	register(s, huma.Operation{
		OperationID: "revokeClient", Method: http.MethodDelete, Path: "/v1/environment/clients/{client}", Tags: []string{tagEnvironment},
		Summary: "Revoke a client", Description: "Its token opens nothing from then on. Needs manage_security. Answers with the client as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *revokeClientInput) (*Written[WrittenClient], error) {
		r, err := s.directory.RevokeClient(ctx, req, in.Client)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, WrittenClient{clientOf(r.Value), applied(r)}), nil
	})
}

func (s *server) createClient(ctx context.Context, req directory.Request, in *createClientInput) (*Written[CreatedClient], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	r, secret, err := s.directory.CreateClient(ctx, req, account.Client{ID: id, Name: b.Name, Roles: b.Roles, ActForUsers: b.ActForUsers})
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusCreated, CreatedClient{
		clientOf(r.Value), applied(r), identity.FormatToken(req.Actor.Environment, r.Value.ID, secret),
	}), nil
}
