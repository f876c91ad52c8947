package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Place is an account on the way from the root.
type Place struct {
	ID   account.ID `json:"id" example:"globex"`
	Name string     `json:"name" example:"Globex"`
}

// Source is one reason why a user may open an account (S5).
type Source struct {
	Account account.ID        `json:"account" doc:"Where the membership is."`
	Via     access.Via        `json:"via" enum:"direct,grant,kept,always_on" doc:"direct: member of the account itself. Otherwise sub-account access at an account above: granted there, kept from an ended always_on, or by always_on."`
	Roles   []account.RoleKey `json:"roles" nullable:"false" doc:"The roles that it gives."`

	ExpiresAt *time.Time `json:"expires_at" doc:"When it ends; null is never."`
}

// ReachableAccount is an account that a user may open.
type ReachableAccount struct {
	ID                   account.ID  `json:"id" example:"globex-east"`
	Name                 string      `json:"name" example:"Globex East"`
	Parent               *account.ID `json:"parent" doc:"null for a root account." example:"globex"`
	Depth                int         `json:"depth" doc:"The number of accounts above; 0 for a root account."`
	Path                 []Place     `json:"path" nullable:"false" doc:"The accounts above, the root first."`
	CreatedAt            time.Time   `json:"created_at"`
	SubAccountManagement bool        `json:"sub_account_management" doc:"Whether it may have sub-accounts."`
	Sources              []Source    `json:"sources" nullable:"false" doc:"Why the user may open it, the nearest first."`
}

// ReachableAccounts is a page of the accounts that a user may open.
type ReachableAccounts struct {
	Accounts   []ReachableAccount `json:"accounts" nullable:"false"`
	AnsweredBy access.Teller      `json:"answered_by" enum:"index,engine" doc:"Who made the list: index, from memory, or engine, by a lookup in SpiceDB. They say the same."`
	PageInfo
}

// ReachQuery is embedded by the inputs of switcher lists.
type ReachQuery struct {
	PageQuery
	Under      account.ID  `query:"under" doc:"Only this account and those below it."`
	Permission string      `query:"permission" doc:"Only accounts at which the user holds this permission: a key of the catalogue, or feature:KEY for where they may use a feature."`
	Sort       access.Sort `query:"sort" doc:"tree (parents before children, siblings by name; the default), name, or date (newest first)."`
}

type userAccountsInput struct {
	Caller
	ReachQuery
	User account.UserID `path:"user"`
}

type myAccountsInput struct {
	Caller
	ReachQuery
}

func (s *server) registerSwitcher() {
	const about = "The list is complete, or the request fails: it is never cut short in silence. It shows where each access comes from. Opening an account is a check of its own."
	register(s, huma.Operation{
		OperationID: "listUserAccounts", Method: http.MethodGet, Path: "/v1/users/{user}/accounts", Tags: []string{tagAccess},
		Summary: "The accounts that a user may open", Description: about, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *userAccountsInput) (*Answer[ReachableAccounts], error) {
		return s.reach(ctx, req, access.Subject{User: in.User}, in.ReachQuery)
	})
	register(s, huma.Operation{
		OperationID: "listMyAccounts", Method: http.MethodGet, Path: "/v1/me/accounts", Tags: []string{tagAccess},
		Summary: "The accounts that the caller may open", Description: about + " For a user, in whose name a client calls with Act-For-User, or an API token.",
	}, func(ctx context.Context, req directory.Request, in *myAccountsInput) (*Answer[ReachableAccounts], error) {
		me, err := oneself(req)
		if err != nil {
			return nil, err
		}
		return s.reach(ctx, req, me, in.ReachQuery)
	})
}

// oneself is the user or the API token that asks; an Invalid fault (no_acting_user) if it is neither.
func oneself(req directory.Request) (access.Subject, error) {
	if !req.Actor.IsMember() {
		return access.Subject{}, fault.New(fault.Invalid, "no_acting_user", "name the user in the header Act-For-User, or ask for /v1/users/{user}/accounts").In("Act-For-User")
	}
	return access.Subject{User: req.Actor.User, APIToken: req.Actor.APIToken}, nil
}

func (s *server) reach(ctx context.Context, req directory.Request, whose access.Subject, q ReachQuery) (*Answer[ReachableAccounts], error) {
	found, err := s.access.Accounts(ctx, req.Actor, whose, access.Filter{
		Query: q.Query, Under: q.Under, Permission: q.Permission, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor,
	}, req.AtLeast)
	if err != nil {
		return nil, err
	}
	return &Answer[ReachableAccounts]{Token: tokenAt(req, found.Version), Body: ReachableAccounts{
		Accounts: each(found.Accounts, reachableOf), AnsweredBy: found.By,
		PageInfo: PageInfo{Total: found.Total, NextCursor: found.Next},
	}}, nil
}

func reachableOf(r access.Reachable) ReachableAccount {
	return ReachableAccount{
		ID: r.ID, Name: r.Name, Parent: orNull(r.Parent), Depth: r.Depth(), Path: each(r.Path, stepOf),
		CreatedAt: r.CreatedAt.UTC(), SubAccountManagement: r.SubAccountManagement,
		Sources: each(r.Sources, func(s access.Source) Source {
			return Source{Account: s.At, Via: s.Via, Roles: account.Set(s.Roles), ExpiresAt: utc(s.ExpiresAt)}
		}),
	}
}

func stepOf(p account.Place) Place { return Place(p) }

func placeOf(a account.Account) Place { return Place{ID: a.ID, Name: a.Name} }
