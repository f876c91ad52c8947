package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// Account is a tenant (A1).
type Account struct {
	ID                   account.ID         `json:"id" example:"globex"`
	Name                 string             `json:"name" example:"Globex"`
	Parent               *account.ID        `json:"parent" doc:"null for a root account."`
	SubAccountManagement bool               `json:"sub_account_management" doc:"Whether it may have sub-accounts."`
	SubAccountAccess     account.AccessMode `json:"sub_account_access" enum:"default_off,default_on,always_on" doc:"Whether its members may open the accounts below: only if asked for, unless asked otherwise, or always."`
	Plan                 *account.PlanKey   `json:"plan" doc:"The account's own plan; null for that of its nearest ancestor with one."`
	IPAllowList          *[]string          `json:"ip_allow_list,omitempty" doc:"The networks that its members' requests may come from; empty for those of its nearest ancestor with some. Only where a single account is asked for, and in the journal; absent if the caller is not told it." nullable:"false"`
	CreatedAt            time.Time          `json:"created_at"`
	Version              account.Version    `json:"version,omitempty" doc:"The number in its ETag. Not in trees and in the journal."`
}

func accountOf(a account.Account, version account.Version) Account {
	return Account{
		ID: a.ID, Name: a.Name, Parent: orNull(a.Parent), SubAccountManagement: a.SubAccountManagement,
		SubAccountAccess: a.AccessMode, Plan: orNull(a.Plan), CreatedAt: a.CreatedAt.UTC(), Version: version,
	}
}

// withList is the account with its allow list, for who is told it.
func (a Account) withList(of account.Account) Account {
	a.IPAllowList = new(networksOf(of.IPAllowList))
	return a
}

// Accounts is a page of accounts, in the order of their ids.
type Accounts struct {
	Accounts []Account `json:"accounts" nullable:"false"`
	PageInfo
}

// Summary is what an account's page shows (A6).
type Summary struct {
	Account
	Path              []Place `json:"path" nullable:"false" doc:"The accounts above, the root first."`
	Members           int     `json:"members" doc:"How many users are members of the account, expired memberships included."`
	DirectSubAccounts int     `json:"direct_sub_accounts" doc:"How many accounts have it as their parent."`
	AllSubAccounts    int     `json:"all_sub_accounts" doc:"How many accounts are below it, on all levels."`
}

// TreeNode is an account with those below it.
type TreeNode struct {
	Account
	Depth    int        `json:"depth" doc:"Levels below the top of this tree."`
	Children []TreeNode `json:"children" nullable:"false"`
}

// Tree is a branch (A7).
type Tree struct {
	Tree     TreeNode `json:"tree"`
	Total    int      `json:"total" doc:"How many accounts are in this tree."`
	Complete bool     `json:"complete" doc:"false if the branch has more than 10,000 accounts: the deepest are left out."`
}

type listAccountsInput struct {
	Caller
	PageQuery
	Under  account.ID `query:"under" doc:"Only this account and those below it."`
	Parent account.ID `query:"parent" doc:"Only the children of this account."`
	Roots  bool       `query:"roots" doc:"Only root accounts."`
}

// AccountPath is embedded by inputs about one account.
type AccountPath struct {
	Account account.ID `path:"account"`
}

type accountInput struct {
	Caller
	AccountPath
}

func (s *server) registerAccounts() {
	register(s, huma.Operation{
		OperationID: "listAccounts", Method: http.MethodGet, Path: "/v1/accounts", Tags: []string{tagAccounts},
		Summary:     "List accounts",
		Description: "All of the environment needs view_backoffice; a branch or the children of an account need fe.account-hierarchy.read.subAccount there. For what a user may open, see listUserAccounts.",
		Errors:      []int{http.StatusNotFound},
	}, s.listAccounts)
	register(s, huma.Operation{
		OperationID: "getAccount", Method: http.MethodGet, Path: "/v1/accounts/{account}", Tags: []string{tagAccounts},
		Summary: "See an account", Description: "For who may open it. Its ip_allow_list, if there is one, is told to who may change it, and to operators.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *accountInput) (*Tagged[Account], error) {
		a, err := s.directory.GetAccount(ctx, req.Actor, in.Account)
		if err != nil {
			return nil, err
		}
		body := accountOf(a.Value, a.Version)
		told, err := s.directory.SeesAllowList(ctx, req.Actor, a.Value)
		if err != nil {
			return nil, err
		}
		if told {
			body = body.withList(a.Value)
		}
		return &Tagged[Account]{ETag: etag(a.Version), Body: body}, nil
	})
	register(s, huma.Operation{
		OperationID: "getAccountSummary", Method: http.MethodGet, Path: "/v1/accounts/{account}/summary", Tags: []string{tagAccounts},
		Summary: "See an account with its path and figures", Description: "Needs fe.account-hierarchy.read.subAccount there.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *accountInput) (*Tagged[Summary], error) {
		sum, err := s.directory.GetSummary(ctx, req.Actor, in.Account)
		if err != nil {
			return nil, err
		}
		return &Tagged[Summary]{ETag: etag(sum.Version), Body: Summary{
			Account: accountOf(sum.Value, sum.Version), Path: each(sum.Path, placeOf),
			Members: sum.Counts.Members, DirectSubAccounts: sum.Counts.Children, AllSubAccounts: sum.Counts.Descendants,
		}}, nil
	})
	register(s, huma.Operation{
		OperationID: "getAccountTree", Method: http.MethodGet, Path: "/v1/accounts/{account}/tree", Tags: []string{tagAccounts},
		Summary: "See the branch of an account", Description: "The account with all accounts below it. Needs fe.account-hierarchy.read.subAccount there.", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, req directory.Request, in *accountInput) (*Plain[Tree], error) {
		tree, err := s.directory.GetTree(ctx, req.Actor, in.Account)
		if err != nil {
			return nil, err
		}
		return &Plain[Tree]{Tree{Tree: nodeOf(tree.Top), Total: tree.Accounts, Complete: tree.Complete}}, nil
	})
}

func (s *server) listAccounts(ctx context.Context, req directory.Request, in *listAccountsInput) (*Plain[Accounts], error) {
	after, err := decodeCursor[account.ID]("accounts", in.Cursor)
	if err != nil {
		return nil, err
	}
	f := directory.AccountFilter{Under: in.Under, Query: in.Query, After: after, Limit: in.Limit}
	switch {
	case in.Roots && in.Parent != "":
		return nil, fault.New(fault.Invalid, "invalid_request", "roots and parent exclude each other").In("roots")
	case in.Roots:
		root := account.ID("")
		f.Child = &root
	case in.Parent != "":
		if err := account.CheckID("parent", in.Parent); err != nil {
			return nil, err
		}
		f.Child = &in.Parent
	}
	page, err := s.directory.ListAccounts(ctx, req.Actor, f)
	if err != nil {
		return nil, err
	}
	return &Plain[Accounts]{Accounts{
		Accounts: each(page.Items, func(a account.Versioned[account.Account]) Account { return accountOf(a.Value, a.Version) }),
		PageInfo: pageInfo("accounts", page, func(a account.Account) account.ID { return a.ID }),
	}}, nil
}

func nodeOf(n *directory.Node) TreeNode {
	return TreeNode{Account: accountOf(n.Account, 0), Depth: n.Depth, Children: each(n.Children, nodeOf)}
}
