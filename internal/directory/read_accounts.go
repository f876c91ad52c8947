package directory

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
)

// GetAccount returns an account that the actor may open.
func (d *Directory) GetAccount(ctx context.Context, actor account.Actor, id account.ID) (account.Versioned[account.Account], error) {
	return read(ctx, d, actor, at("access", id, "see this account"), func(ctx context.Context, r Reader) (account.Versioned[account.Account], error) {
		return r.Account(ctx, id)
	})
}

// SeesAllowList reports whether an actor who may open an account is told its allow
// list: those may see it who may change it, and operators who may view the back
// office. That there is none is told to everybody.
func (d *Directory) SeesAllowList(ctx context.Context, actor account.Actor, a account.Account) (bool, error) {
	if a.IPAllowList == "" {
		return true, nil
	}
	verdict, _, err := d.decideAtHead(ctx, actor, []need{{anyOf: []Question{
		{"manage_ip_restrictions", relation.AccountObject(actor.Environment, a.ID)},
		{"view_backoffice", relation.EnvironmentObject(actor.Environment)},
	}}})
	return verdict.refusal == nil, err
}

// at declares the need of one permission at an account.
func at(permission string, id account.ID, doing string) func(*plan) error {
	return func(p *plan) error {
		p.account(permission, id, doing)
		return account.CheckID("account", id)
	}
}

// ListAccounts returns a page of accounts: of the whole environment for
// operators, of a branch for who holds read_sub_accounts at its top (A7).
func (d *Directory) ListAccounts(ctx context.Context, actor account.Actor, f AccountFilter) (Page[account.Account], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.Account]{}, err
	}
	f.Query = account.Fold(f.Query)
	top := f.Under
	if top == "" && f.Child != nil {
		top = *f.Child
	}
	declare := func(p *plan) error {
		if top == "" {
			p.environment("view_backoffice", "list all accounts")
			return nil
		}
		p.account("read_sub_accounts", top, "list this branch")
		return account.CheckID("under", top)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (Page[account.Account], error) {
		if top != "" {
			if _, err := r.Account(ctx, top); err != nil {
				return Page[account.Account]{}, err
			}
		}
		return page(limit, func(limit int) ([]account.Versioned[account.Account], int, error) {
			f.Limit = limit
			return r.Accounts(ctx, f)
		})
	})
}

// Node is an account in a tree.
type Node struct {
	account.Account
	Depth    int // levels below the top of the tree, which is 0
	Children []*Node
}

// Tree is a branch: the account at its top with all below (A7).
type Tree struct {
	Top      *Node
	Accounts int  // in the tree
	Complete bool // false if there are more accounts than MaxTree; the deepest are left out
}

// GetTree returns the branch at an account; it needs read_sub_accounts there (A7).
func (d *Directory) GetTree(ctx context.Context, actor account.Actor, id account.ID) (Tree, error) {
	return read(ctx, d, actor, at("read_sub_accounts", id, "see this branch"), func(ctx context.Context, r Reader) (Tree, error) {
		top, err := r.Account(ctx, id)
		if err != nil {
			return Tree{}, err
		}
		below, err := r.Descendants(ctx, id, MaxTree)
		if err != nil {
			return Tree{}, err
		}
		tree := Tree{Top: &Node{Account: top.Value}, Complete: len(below) < MaxTree}
		below = below[:min(len(below), MaxTree-1)]
		tree.Accounts = 1 + len(below)
		nodes := map[account.ID]*Node{id: tree.Top}
		for _, a := range below { // level by level: a parent is there before its children
			parent := nodes[a.Parent]
			node := &Node{Account: a, Depth: parent.Depth + 1}
			parent.Children = append(parent.Children, node)
			nodes[a.ID] = node
		}
		return tree, nil
	})
}

// Summary is what an account's page shows (A6).
type Summary struct {
	account.Versioned[account.Account]
	Path   []account.Account // from the root, without the account itself
	Counts Counts
}

// GetSummary returns an account's summary; it needs read_sub_accounts there.
func (d *Directory) GetSummary(ctx context.Context, actor account.Actor, id account.ID) (Summary, error) {
	return read(ctx, d, actor, at("read_sub_accounts", id, "see this summary"), func(ctx context.Context, r Reader) (Summary, error) {
		found, err := r.Account(ctx, id)
		if err != nil {
			return Summary{}, err
		}
		path, err := r.Ancestors(ctx, id)
		if err != nil {
			return Summary{}, err
		}
		counts, err := r.Counts(ctx, id)
		return Summary{Versioned: found, Path: path, Counts: counts}, err
	})
}
