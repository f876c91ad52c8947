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
	Scopes      []account.TokenScope `json:"scopes" nullable:"false" doc:"What it may be used for at all: admin, check, read, write."`
	CreatedAt   time.Time            `json:"created_at"`
	LastUsedAt  *time.Time           `json:"last_used_at,omitempty" doc:"When one of the secrets that it has was used last, to the minute or so. Absent if none was, in the journal, and in answers to changes."`
	Version     account.Version      `json:"version,omitempty" doc:"The number in its ETag. Not in the journal."`
}

func clientOf(c directory.UsedClient, version account.Version) Client {
	return Client{
		ID: c.ID, Name: c.Name, Roles: account.Set(c.Roles), ActForUsers: c.ActForUsers, Scopes: c.Scopes.List(),
		CreatedAt: c.CreatedAt.UTC(), LastUsedAt: inUTC(c.LastUsed), Version: version,
	}
}

// Clients is a page of the environment's clients, in the order of their ids.
type Clients struct {
	Clients []Client `json:"clients" nullable:"false"`
	PageInfo
}

// NewClient is a client to be created.
type NewClient struct {
	ID          *account.ClientID     `json:"id,omitempty" doc:"1 to 64 of A-Z a-z 0-9 _ -, unique in the environment; generated if absent." example:"shop"`
	Name        string                `json:"name,omitempty" doc:"At most 200 characters; the id if absent."`
	Roles       []account.PortalRole  `json:"roles" nullable:"false" doc:"Portal roles, at least one: admin, backoffice_editor, backoffice_viewer, entitlements_editor, entitlements_viewer, impersonator."`
	ActForUsers bool                  `json:"act_for_users,omitempty" doc:"Whether it may call in the name of users."`
	Scopes      *[]account.TokenScope `json:"scopes,omitempty" nullable:"false" doc:"What it may be used for at all, at least one of admin, check, read, write; all if absent."`
}

// ClientPatch changes what it names. A field that is null is as if absent.
type ClientPatch struct {
	Name        *string               `json:"name,omitempty" doc:"1 to 200 characters."`
	Roles       *[]account.PortalRole `json:"roles,omitempty" nullable:"false" doc:"All portal roles that it is to have, at least one."`
	ActForUsers *bool                 `json:"act_for_users,omitempty" doc:"Whether it may call in the name of users."`
	Scopes      *[]account.TokenScope `json:"scopes,omitempty" nullable:"false" doc:"All scopes that it is to have, at least one of admin, check, read, write."`
}

// WrittenClient is a client after a change.
type WrittenClient struct {
	Client
	Applied
}

// CreatedClient is a new client with its token.
type CreatedClient struct {
	WrittenClient
	Token string `json:"token" doc:"Its secret: what the client sends as its bearer token, or as client_secret to /oauth2/token. Shown here and never again."`
}

type listClientsInput struct {
	Caller
	KeyPageQuery
}

type createClientInput struct {
	Caller
	WithBody[NewClient]
}

// ClientPath is embedded by inputs about one client.
type ClientPath struct {
	Client account.ClientID `path:"client"`
}

type clientInput struct {
	Caller
	ClientPath
}

type updateClientInput struct {
	Caller
	Precondition
	ClientPath
	WithBody[ClientPatch]
}

func (s *server) registerClients() {
	register(s, huma.Operation{
		OperationID: "listClients", Method: http.MethodGet, Path: "/v1/environment/clients", Tags: []string{tagEnvironment},
		Summary: "List the clients of the environment", Description: "Needs manage_security.",
	}, s.listClients)
	register(s, huma.Operation{
		OperationID: "createClient", Method: http.MethodPost, Path: "/v1/environment/clients", Tags: []string{tagEnvironment}, DefaultStatus: http.StatusCreated,
		Summary:     "Create a client and show its token, once",
		Description: "Needs manage_security. Takes no Idempotency-Key, since the token is not kept to be shown again: choose the id to make a repeat harmless.",
		Errors:      []int{http.StatusConflict},
	}, s.createClient)
	register(s, huma.Operation{
		OperationID: "getClient", Method: http.MethodGet, Path: "/v1/environment/clients/{client}", Tags: []string{tagEnvironment},
		Summary: "See a client", Description: "Needs manage_security.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *clientInput) (*Tagged[Client], error) {
		c, err := s.directory.GetClient(ctx, req.Actor, in.Client)
		if err != nil {
			return nil, err
		}
		return &Tagged[Client]{ETag: etag(c.Version), Body: clientOf(c.Value, c.Version)}, nil
	})
	register(s, huma.Operation{
		OperationID: "updateClient", Method: http.MethodPatch, Path: "/v1/environment/clients/{client}", Tags: []string{tagEnvironment},
		Summary:     "Change a client",
		Description: "Needs manage_security. It counts from the next request on, whatever tokens the client has. Impersonations end that it may not begin any more, or not with the scopes that it had. The last admin stays one (409 last_admin).",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, s.updateClient)
	register(s, huma.Operation{
		OperationID: "revokeClient", Method: http.MethodDelete, Path: "/v1/environment/clients/{client}", Tags: []string{tagEnvironment},
		Summary: "Revoke a client", Description: "Its secrets open nothing from then on, and its impersonations end. The last admin stays (409 last_admin). Needs manage_security. Answers with the client as it was.",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, req directory.Request, in *clientInput) (*Written[WrittenClient], error) {
		r, err := s.directory.RevokeClient(ctx, req, in.Client)
		if err != nil {
			return nil, err
		}
		return deleted(req, r, writtenClient(r)), nil
	})
}

func writtenClient(r directory.Result[account.Client]) WrittenClient {
	return WrittenClient{clientOf(directory.UsedClient{Client: r.Value}, r.ETag), applied(r)}
}

func (s *server) listClients(ctx context.Context, req directory.Request, in *listClientsInput) (*Plain[Clients], error) {
	f, err := in.page("clients")
	if err != nil {
		return nil, err
	}
	page, err := s.directory.ListClients(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &Plain[Clients]{Clients{
		Clients:  each(page.Items, func(c account.Versioned[directory.UsedClient]) Client { return clientOf(c.Value, c.Version) }),
		PageInfo: pageInfo("clients", page, func(c directory.UsedClient) account.ClientID { return c.ID }),
	}}, nil
}

func (s *server) createClient(ctx context.Context, req directory.Request, in *createClientInput) (*Written[CreatedClient], error) {
	b := in.body()
	id, err := idOrNone("id", b.ID)
	if err != nil {
		return nil, err
	}
	c := account.Client{ID: id, Name: b.Name, Roles: b.Roles, ActForUsers: b.ActForUsers}
	if b.Scopes != nil {
		if c.Scopes, err = account.NamedScopes("scopes", *b.Scopes); err != nil {
			return nil, err
		}
	}
	r, secret, err := s.directory.CreateClient(ctx, req, c)
	if err != nil {
		return nil, err
	}
	token := identity.FormatToken(req.Actor.Environment, r.Value.ID, secret)
	return written(req, r, http.StatusCreated, CreatedClient{writtenClient(r), token}), nil
}

func (s *server) updateClient(ctx context.Context, req directory.Request, in *updateClientInput) (*Written[WrittenClient], error) {
	b := in.body()
	patch := directory.ClientPatch{Name: b.Name, Roles: b.Roles, ActForUsers: b.ActForUsers}
	if b.Scopes != nil {
		scopes, err := account.NamedScopes("scopes", *b.Scopes)
		if err != nil {
			return nil, err
		}
		patch.Scopes = &scopes
	}
	r, err := s.directory.UpdateClient(ctx, req, in.Client, patch)
	if err != nil {
		return nil, err
	}
	return written(req, r, http.StatusOK, writtenClient(r)), nil
}
