package directory

import (
	"context"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// The bounds of lists.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	MaxTree      = 10_000 // accounts in one tree
)

// Page is a part of a list, in its order.
type Page[T any] struct {
	Items []account.Versioned[T]
	Total int  // how many there are in all
	More  bool // there are items after these
}

// CheckLimit returns limit, or DefaultLimit for 0; an Invalid fault (invalid_limit) outside 1 to MaxLimit.
func CheckLimit(limit int) (int, error) {
	switch {
	case limit == 0:
		return DefaultLimit, nil
	case limit < 0 || limit > MaxLimit:
		return 0, fault.New(fault.Invalid, "invalid_limit", "limit is between 1 and %d, not %d", MaxLimit, limit).In("limit")
	default:
		return limit, nil
	}
}

// read carries out a read use case: it reads one snapshot, and returns what it
// read only if the actor has the rights that the plan came to need.
func read[T any](ctx context.Context, d *Directory, actor account.Actor, look func(context.Context, Reader, *plan) (T, error)) (T, error) {
	p := d.newPlan(Request{Actor: actor})
	var value T
	readErr := d.store.Read(ctx, actor.Environment, func(r Reader) error {
		var err error
		value, err = look(ctx, r, &p)
		return err
	})
	if err := d.authorise(ctx, actor, p.needs, readErr); err != nil {
		var none T
		return none, err
	}
	return value, readErr
}

// page reads one item more than asked for, to know whether there are more.
func page[T any](limit int, list func(limit int) ([]account.Versioned[T], int, error)) (Page[T], error) {
	items, total, err := list(limit + 1)
	if err != nil {
		return Page[T]{}, err
	}
	more := len(items) > limit
	if more {
		items = items[:limit]
	}
	return Page[T]{Items: items, Total: total, More: more}, nil
}

// GetEnvironment returns the environment with its settings; for operators who may view the back office.
func (d *Directory) GetEnvironment(ctx context.Context, actor account.Actor) (account.Versioned[account.Environment], error) {
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (account.Versioned[account.Environment], error) {
		p.environment("view_backoffice", "see the environment")
		return r.Environment(ctx)
	})
}

// Environments returns every environment; for the system only.
func (d *Directory) Environments(ctx context.Context, actor account.Actor) ([]account.Environment, error) {
	if !actor.System {
		return nil, fault.New(fault.Denied, "permission_denied", "environments are listed on the command line")
	}
	return d.store.Environments(ctx)
}

// Clients returns the environment's clients; it needs manage_security.
func (d *Directory) Clients(ctx context.Context, actor account.Actor) ([]account.Client, error) {
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) ([]account.Client, error) {
		p.environment("manage_security", "see the clients")
		return r.Clients(ctx)
	})
}

// GetAccount returns an account that the actor may open.
func (d *Directory) GetAccount(ctx context.Context, actor account.Actor, id account.ID) (account.Versioned[account.Account], error) {
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (account.Versioned[account.Account], error) {
		if err := account.CheckID("account", id); err != nil {
			return account.Versioned[account.Account]{}, err
		}
		p.account("access", id, "see this account")
		return r.Account(ctx, id)
	})
}

// ListAccounts returns a page of accounts: of the whole environment for
// operators, of a branch for who holds read_sub_accounts at its top (A7).
func (d *Directory) ListAccounts(ctx context.Context, actor account.Actor, f AccountFilter) (Page[account.Account], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.Account]{}, err
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (Page[account.Account], error) {
		top := f.Under
		if top == "" && f.Child != nil {
			top = *f.Child
		}
		if top == "" {
			p.environment("view_backoffice", "list all accounts")
		} else {
			if err := account.CheckID("under", top); err != nil {
				return Page[account.Account]{}, err
			}
			p.account("read_sub_accounts", top, "list this branch")
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
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (Tree, error) {
		if err := account.CheckID("account", id); err != nil {
			return Tree{}, err
		}
		p.account("read_sub_accounts", id, "see this branch")
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
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (Summary, error) {
		if err := account.CheckID("account", id); err != nil {
			return Summary{}, err
		}
		p.account("read_sub_accounts", id, "see this summary")
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

// GetUser returns a user; users may see themselves, operators anybody.
func (d *Directory) GetUser(ctx context.Context, actor account.Actor, id account.UserID) (account.Versioned[account.User], []account.Membership, error) {
	type both struct {
		user        account.Versioned[account.User]
		memberships []account.Membership
	}
	found, err := read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (both, error) {
		if err := account.CheckID("user", id); err != nil {
			return both{}, err
		}
		if actor.User != id {
			p.environment("view_backoffice", "see other users")
		}
		user, err := r.User(ctx, id)
		if err != nil {
			return both{}, err
		}
		memberships, err := r.MembershipsOf(ctx, id)
		return both{user, memberships}, err
	})
	return found.user, found.memberships, err
}

// ListUsers returns a page of the environment's users, for operators.
func (d *Directory) ListUsers(ctx context.Context, actor account.Actor, f UserFilter) (Page[account.User], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[account.User]{}, err
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (Page[account.User], error) {
		p.environment("view_backoffice", "list users")
		return page(limit, func(limit int) ([]account.Versioned[account.User], int, error) {
			f.Limit = limit
			return r.Users(ctx, f)
		})
	})
}

// Member is a membership with its user.
type Member struct {
	account.Membership
	User account.User
}

// ListMembers returns a page of an account's members; it needs read_users there.
func (d *Directory) ListMembers(ctx context.Context, actor account.Actor, f MemberFilter) (Page[Member], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[Member]{}, err
	}
	f.Query = account.Fold(f.Query)
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) (Page[Member], error) {
		if err := account.CheckID("account", f.Account); err != nil {
			return Page[Member]{}, err
		}
		p.account("read_users", f.Account, "list members")
		if _, err := r.Account(ctx, f.Account); err != nil {
			return Page[Member]{}, err
		}
		return page(limit, func(limit int) ([]account.Versioned[Member], int, error) {
			f.Limit = limit
			found, total, err := r.Members(ctx, f)
			if err != nil {
				return nil, 0, err
			}
			ids := make([]account.UserID, len(found))
			for i, m := range found {
				ids[i] = m.Value.User
			}
			users, err := r.UsersByID(ctx, ids)
			if err != nil {
				return nil, 0, err
			}
			byID := make(map[account.UserID]account.User, len(users))
			for _, u := range users {
				byID[u.ID] = u
			}
			members := make([]account.Versioned[Member], len(found))
			for i, m := range found {
				members[i] = account.Versioned[Member]{Value: Member{m.Value, byID[m.Value.User]}, Version: m.Version}
			}
			return members, total, nil
		})
	})
}

// ListRoles returns the roles that can be given in an account, for who holds
// read_roles there; or, with id "", all roles of the environment, for operators who may view entitlements.
func (d *Directory) ListRoles(ctx context.Context, actor account.Actor, id account.ID) ([]account.Versioned[account.Role], error) {
	return read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) ([]account.Versioned[account.Role], error) {
		if id == "" {
			p.environment("view_entitlements", "list all roles")
			return r.Roles(ctx)
		}
		if err := account.CheckID("account", id); err != nil {
			return nil, err
		}
		p.account("read_roles", id, "list the roles of this account")
		above, err := r.Ancestors(ctx, id)
		if err != nil {
			return nil, err
		}
		branch := []account.ID{"", id}
		for _, a := range above {
			branch = append(branch, a.ID)
		}
		roles, err := r.Roles(ctx)
		return slices.DeleteFunc(roles, func(role account.Versioned[account.Role]) bool {
			return !slices.Contains(branch, role.Value.Account)
		}), err
	})
}

// Journal returns a page of the environment's journal, oldest first (L1); for operators who may view the back office.
func (d *Directory) Journal(ctx context.Context, actor account.Actor, after account.Version, limit int) (entries []account.Entry, more bool, err error) {
	limit, err = CheckLimit(limit)
	if err != nil {
		return nil, false, err
	}
	entries, err = read(ctx, d, actor, func(ctx context.Context, r Reader, p *plan) ([]account.Entry, error) {
		p.environment("view_backoffice", "read the journal")
		return r.Entries(ctx, after, limit+1)
	})
	more = len(entries) > limit
	return entries[:min(limit, len(entries))], more, err
}

// Export calls fn for every entity of the environment, all of one version; for operators with every right.
func (d *Directory) Export(ctx context.Context, actor account.Actor, fn func(account.Entity) error) error {
	if err := d.authorise(ctx, actor, []need{{Question{"manage_security", relation.EnvironmentObject(actor.Environment)}, "export the environment"}}, nil); err != nil {
		return err
	}
	return d.store.Read(ctx, actor.Environment, func(r Reader) error {
		return r.Entities(ctx, fn)
	})
}
