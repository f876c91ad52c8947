package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// AccessList is a page of those who can open an account: users first, then API
// tokens, each in the order of their ids.
type AccessList struct {
	Subjects  []Opener         `json:"subjects" nullable:"false"`
	Operators *OperatorsInside `json:"operators,omitempty" doc:"The clients that can open it by a portal role. Told to clients alone."`

	AnsweredBy access.Teller `json:"answered_by" enum:"index,engine" doc:"Who confirmed the page: index, from memory, or engine, which is SpiceDB. They say the same."`
	PageInfo
}

// Opener is a user or an API token that can open an account.
type Opener struct {
	Type    string   `json:"type" enum:"user,api_token"`
	ID      string   `json:"id" example:"ada"`
	Name    string   `json:"name" doc:"Empty if there is none."`
	Email   string   `json:"email,omitempty" doc:"A user's." example:"ada@globex.example"`
	Sources []Reason `json:"sources" nullable:"false" doc:"Why it can be opened, the nearest first."`
}

// OperatorsInside are the clients that can open an account by a portal role.
type OperatorsInside struct {
	Total   int              `json:"total"`
	Clients []OperatorInside `json:"clients" nullable:"false" doc:"At most 100 of them, in the order of their ids."`
}

// OperatorInside is a client that can open an account by a portal role.
type OperatorInside struct {
	ID      account.ClientID `json:"id" example:"shop"`
	Name    string           `json:"name"`
	Sources []Reason         `json:"sources" nullable:"false"`
}

type listOpenersInput struct {
	Caller
	AccountPath
	PageQuery
	Type string `query:"type" doc:"user or api_token: only these."`
}

func (s *server) registerOpeners() {
	register(s, huma.Operation{
		OperationID: "listAccountAccess", Method: http.MethodGet, Path: "/v1/accounts/{account}/access", Tags: []string{tagAccess},
		Summary: "Who can open an account, and why",
		Description: "Everybody who can open the account, as a member of it or by sub-account access at an account above, each with every reason. Needs fe.secure.read.users there. " +
			"Blocked users and expired memberships open nothing, and are not here. From the index it is all of one version; with q, or without the index, each entry is confirmed by a check, and one that is denied is left out while total counts it still.",
		Errors: []int{http.StatusNotFound},
	}, s.listOpeners)
}

// openersList names the lists that a cursor may belong to.
func openersList(kind string) string { return "access." + kind }

func (s *server) listOpeners(ctx context.Context, req directory.Request, in *listOpenersInput) (*Answer[AccessList], error) {
	after, err := openersAfter(in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.access.Openers(ctx, req.Actor, access.OpenersFilter{
		Account: in.Account, Type: in.Type, Query: in.Query, After: after, Limit: in.Limit,
	}, req.AtLeast)
	if err != nil {
		return nil, err
	}
	body := AccessList{Subjects: each(page.Items, openerOf), AnsweredBy: page.By, PageInfo: PageInfo{Total: page.Total}}
	if page.More {
		body.NextCursor = encodeCursor(openersList(page.Last.Type), page.Last.ID)
	}
	if page.Operators != nil {
		body.Operators = &OperatorsInside{Total: page.Operators.Total, Clients: each(page.Operators.Items, func(o access.Operator) OperatorInside {
			return OperatorInside{ID: o.ID, Name: o.Name, Sources: each(o.Sources, reasonOf)}
		})}
	}
	return &Answer[AccessList]{Token: tokenAt(req, page.Version), Body: body}, nil
}

// openersAfter is where the page before ended.
func openersAfter(cursor string) (directory.Opener, error) {
	if cursor == "" {
		return directory.Opener{}, nil
	}
	if id, err := decodeCursor[string](openersList(directory.OpenerUser), cursor); err == nil {
		return directory.Opener{Type: directory.OpenerUser, ID: id}, nil
	}
	id, err := decodeCursor[string](openersList(directory.OpenerAPIToken), cursor)
	return directory.Opener{Type: directory.OpenerAPIToken, ID: id}, err
}

func openerOf(o access.Opener) Opener {
	return Opener{Type: o.Type, ID: o.ID, Name: o.Name, Email: o.Email, Sources: each(o.Sources, reasonOf)}
}
