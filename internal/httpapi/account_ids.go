package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// AccountIDs are the ids of accounts that a user may open.
type AccountIDs struct {
	IDs        []account.ID  `json:"ids" nullable:"false"`
	AnsweredBy access.Teller `json:"answered_by" enum:"index,engine" doc:"Who made the list: index, from memory, or engine, by a lookup in SpiceDB. They say the same."`
	PageInfo
}

// IDsQuery is embedded by the inputs of lists of ids.
type IDsQuery struct {
	Limit      int         `query:"limit" doc:"1 to 100000; absent for 100000."`
	Cursor     string      `query:"cursor" doc:"next_cursor of the page before; absent for the first."`
	Query      string      `query:"q" doc:"Part of the name or id, whatever the case."`
	Under      account.ID  `query:"under" doc:"Only this account and those below it."`
	Permission string      `query:"permission" doc:"Only accounts at which the user holds this permission: a key of the catalogue, or feature:KEY for where they may use a feature."`
	Sort       access.Sort `query:"sort" doc:"tree (parents before children, siblings by name; the default), name, or date (newest first)."`
}

type userIDsInput struct {
	Caller
	IDsQuery
	User account.UserID `path:"user"`
}

type myIDsInput struct {
	Caller
	IDsQuery
}

func (s *server) registerAccountIDs() {
	const about = "For applications that select their own things by account: all ids at once, up to 100,000, and a cursor if there are more. Complete, or the request fails."
	register(s, huma.Operation{
		OperationID: "listUserAccountIDs", Method: http.MethodGet, Path: "/v1/users/{user}/accounts/ids", Tags: []string{tagAccess},
		Summary: "The ids of the accounts that a user may open", Description: about, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *userIDsInput) (*Answer[AccountIDs], error) {
		return s.reachIDs(ctx, req, access.Subject{User: in.User}, in.IDsQuery)
	})
	register(s, huma.Operation{
		OperationID: "listMyAccountIDs", Method: http.MethodGet, Path: "/v1/me/accounts/ids", Tags: []string{tagAccess},
		Summary: "The ids of the accounts that the caller may open", Description: about,
	}, func(ctx context.Context, req directory.Request, in *myIDsInput) (*Answer[AccountIDs], error) {
		whose, err := oneself(req)
		if err != nil {
			return nil, err
		}
		return s.reachIDs(ctx, req, whose, in.IDsQuery)
	})
}

func (s *server) reachIDs(ctx context.Context, req directory.Request, whose access.Subject, q IDsQuery) (*Answer[AccountIDs], error) {
	found, err := s.access.AccountIDs(ctx, req.Actor, whose, access.Filter{
		Query: q.Query, Under: q.Under, Permission: q.Permission, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor,
	}, req.AtLeast)
	if err != nil {
		return nil, err
	}
	ids := found.IDs
	if ids == nil {
		ids = []account.ID{}
	}
	return &Answer[AccountIDs]{Token: tokenAt(req, found.Version), Body: AccountIDs{
		IDs: ids, AnsweredBy: found.By, PageInfo: PageInfo{Total: found.Total, NextCursor: found.Next},
	}}, nil
}
