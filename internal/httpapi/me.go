package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// Me is who calls, as Tenantry understands the credential.
type Me struct {
	Kind          string                   `json:"kind" enum:"client,operator,user,api_token" doc:"By whose rights the call is judged: those of a client or of an operator (a person) by portal roles, those of a user or an API token by memberships."`
	Environment   account.EnvironmentID    `json:"environment" example:"production"`
	ID            string                   `json:"id" doc:"Of the client, operator, user or API token." example:"ada"`
	Name          string                   `json:"name" doc:"Empty if there is none."`
	Email         string                   `json:"email" doc:"Of a person; empty for machines."`
	Account       *account.ID              `json:"account" doc:"The account that the API token is of, or the only one that the user's token opens; null otherwise."`
	Roles         []account.PortalRole     `json:"roles" nullable:"false" doc:"The portal roles of a client or an operator; empty for others."`
	Scopes        []account.TokenScope     `json:"scopes" nullable:"false" doc:"The parts of the API that the credential may be used for."`
	Client        *account.ClientID        `json:"client" doc:"The client that calls in the user's name, or the operator who impersonates the user; null otherwise."`
	Impersonation *account.ImpersonationID `json:"impersonation" doc:"The session in which an operator acts as the user; null otherwise."`
}

func (s *server) registerMe() {
	register(s, huma.Operation{
		OperationID: "whoAmI", Method: http.MethodGet, Path: "/v1/me", Tags: []string{tagSignIn},
		Summary: "Who is calling", Description: "For every caller: whom Tenantry takes the credential for, and what it may be used for.",
	}, s.me)
}

func (s *server) me(ctx context.Context, req directory.Request, _ *callerInput) (*Plain[Me], error) {
	a := req.Actor
	known, err := s.directory.WhoAmI(ctx, a)
	if err != nil {
		return nil, err
	}
	out := Me{
		Environment: a.Environment, Name: known.Name, Email: known.Email, Account: orNull(known.Account), Roles: account.Set(known.Roles),
		Scopes: infoFrom(ctx).scopes.List(), Impersonation: orNull(a.Impersonation),
	}
	switch {
	case a.User != "":
		out.Kind, out.ID, out.Client = "user", string(a.User), orNull(a.Client)
	case a.APIToken != "":
		out.Kind, out.ID = "api_token", string(a.APIToken)
	case a.Person:
		out.Kind, out.ID = "operator", string(a.Client)
	default:
		out.Kind, out.ID = "client", string(a.Client)
	}
	return &Plain[Me]{out}, nil
}
