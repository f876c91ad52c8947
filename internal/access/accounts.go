package access

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Sort is an order of a user's accounts.
type Sort string

// The orders (W1).
const (
	ByTree Sort = "tree" // parents before their children, siblings by name
	ByName Sort = "name"
	ByDate Sort = "date" // the newest first
)

// Filter selects and orders a user's accounts (W1).
type Filter struct {
	Query      string     // part of the name or id, whatever the case; "" for all
	Under      account.ID // this account and all below it; "" for all
	Permission string     // only where the user holds it; "" wherever they may open the account
	Sort       Sort       // "" is ByTree
	Limit      int        // 0 is directory.DefaultLimit; at most directory.MaxLimit
	All        bool       // all in one page, whatever the limit; for the command line
	Cursor     string     // of the page before; "" for the first
}

// Via says how a user comes by the access to an account (S5).
type Via string

// The ways.
const (
	Direct   Via = "direct"    // member of the account itself
	Grant    Via = "grant"     // sub-account access granted at an account above
	Kept     Via = "kept"      // sub-account access kept from an ended always_on at an account above (S4)
	AlwaysOn Via = "always_on" // always_on at an account above (S3)
)

// Source is one reason why a user may open an account (S5).
type Source struct {
	At    account.ID // where the membership is
	Via   Via
	Roles []account.RoleKey
}

// Reachable is an account that a user may open.
type Reachable struct {
	account.Account
	Path    []account.Account // from the root, without the account itself
	Sources []Source
}

// Depth is the number of accounts above.
func (r Reachable) Depth() int { return len(r.Path) }

// Reach is a page of the accounts that a user may open.
type Reach struct {
	Accounts []Reachable
	Total    int             // that match the filter, on all pages
	Next     string          // the cursor of the next page; "" on the last
	Version  account.Version // as of which the engine answered
}

// Accounts lists the accounts that a user may open (W1). The list is complete,
// or an error. Users may ask for themselves, operators who may view the back
// office for anybody.
//
// Faults: NotFound (user_not_found), Invalid (invalid_cursor, invalid_sort,
// invalid_limit, unknown_permission), Denied, Unavailable.
func (s *Service) Accounts(ctx context.Context, actor account.Actor, user account.UserID, f Filter, version account.Version) (Reach, error) {
	env := actor.Environment
	list, err := s.prepare(&f)
	if err != nil {
		return Reach{}, err
	}
	if err := account.CheckID("user", user); err != nil {
		return Reach{}, err
	}
	consistency, seen, err := s.at(ctx, env, version)
	if err != nil {
		return Reach{}, err
	}
	blocked, err := s.mayAskAbout(ctx, consistency, actor, user)
	if err != nil {
		return Reach{}, err
	}
	var ids []account.ID
	if !blocked {
		if ids, err = s.reachable(ctx, consistency, env, user, list.permission); err != nil {
			return Reach{}, err
		}
	}
	reach := Reach{Version: seen}
	err = s.names.Read(ctx, env, func(r directory.Reader) error {
		if _, err := r.User(ctx, user); err != nil {
			return err
		}
		memberships, err := r.MembershipsOf(ctx, user)
		if err != nil {
			return err
		}
		accounts, err := r.WithAncestors(ctx, ids)
		if err != nil {
			return err
		}
		forest := newForest(accounts)
		reach.Accounts, reach.Total, reach.Next = list.page(forest, ids)
		for i := range reach.Accounts {
			reach.Accounts[i].Sources = forest.sources(reach.Accounts[i].ID, memberships, s.cfg.Now())
		}
		return nil
	})
	return reach, err
}

// prepare checks a filter and fills in what it leaves out.
func (s *Service) prepare(f *Filter) (*listing, error) {
	var err error
	if f.Limit, err = directory.CheckLimit(f.Limit); err != nil {
		return nil, err
	}
	if f.Sort == "" {
		f.Sort = ByTree
	}
	if !slices.Contains([]Sort{ByTree, ByName, ByDate}, f.Sort) {
		return nil, fault.New(fault.Invalid, "invalid_sort", "sort is tree, name or date, not %s", account.Quote(string(f.Sort))).In("sort")
	}
	if f.Under != "" {
		if err := account.CheckID("under", f.Under); err != nil {
			return nil, err
		}
	}
	if len(f.Query) > account.MaxNameLength {
		return nil, fault.New(fault.Invalid, "invalid_query", "q has at most %d bytes", account.MaxNameLength).In("q")
	}
	list := &listing{filter: *f, permission: "member_access", query: account.Fold(f.Query)}
	if f.Permission != "" {
		p, ok := s.catalogue.Lookup(f.Permission)
		switch {
		case ok:
			list.permission = "member_" + p.Relation
		case f.Permission != "access":
			return nil, fault.New(fault.Invalid, "unknown_permission", "there is no permission %s in the catalogue", account.Quote(f.Permission)).In("permission")
		}
	}
	return list, list.resume(f.Cursor)
}

// mayAskAbout refuses who may not see the user's accounts, and reports whether the user is blocked (U5).
func (s *Service) mayAskAbout(ctx context.Context, consistency *v1.Consistency, actor account.Actor, user account.UserID) (blocked bool, err error) {
	items := []*v1.CheckBulkPermissionsRequestItem{s.blocked(actor.Environment, subjectRef{Object: relation.UserObject(actor.Environment, user)})}
	denied := fault.New(fault.Denied, "permission_denied", "%s may not see the accounts of %s: needs view_backoffice on the environment", actor.Name(), user)
	switch {
	case actor.System, actor.User == user:
	case actor.IsUser():
		return false, denied
	default:
		subject, err := subjectOf(actor)
		if err != nil {
			return false, err
		}
		items = append(items, item(relation.EnvironmentObject(actor.Environment), "view_backoffice", subject))
	}
	answers, err := s.ask(ctx, consistency, items)
	if err != nil {
		return false, err
	}
	for _, a := range answers {
		if a.Err != nil {
			return false, a.Err
		}
	}
	if len(answers) == 2 && !answers[1].Allowed {
		return false, denied
	}
	return answers[0].Allowed, nil
}

// reachable asks the engine for every account on which the user holds the
// permission. All or nothing: what came before an error is dropped.
func (s *Service) reachable(ctx context.Context, consistency *v1.Consistency, env account.EnvironmentID, user account.UserID, permission string) ([]account.ID, error) {
	stream, err := v1.NewPermissionsServiceClient(s.engine).LookupResources(ctx, &v1.LookupResourcesRequest{
		Consistency:        consistency,
		ResourceObjectType: relation.TypeAccount,
		Permission:         permission,
		Subject:            &v1.SubjectReference{Object: relation.UserObject(env, user).Proto()},
	})
	if err != nil {
		return nil, engine.Fault(err)
	}
	var ids []account.ID
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return nil, engine.Fault(err)
		}
		if m.GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION {
			continue
		}
		if id, ok := (relation.Object{ID: m.GetResourceObjectId()}).Local(env); ok {
			ids = append(ids, account.ID(id))
		}
	}
}

// forest is accounts with all their ancestors.
type forest map[account.ID]account.Account

func newForest(accounts []account.Account) forest {
	f := make(forest, len(accounts))
	for _, a := range accounts {
		f[a.ID] = a
	}
	return f
}

// path returns the accounts above id, the root first.
func (f forest) path(id account.ID) []account.Account {
	var path []account.Account
	for at := f[id].Parent; at != "" && len(path) <= account.MaxMaxDepth; at = f[at].Parent {
		path = append(path, f[at])
	}
	slices.Reverse(path)
	return path
}

// sources says by which memberships an account can be opened (S5), the nearest first.
func (f forest) sources(id account.ID, memberships []account.Membership, now time.Time) []Source {
	path := f.path(id)
	var out []Source
	for _, m := range memberships {
		if m.Expired(now) {
			continue
		}
		if m.Account == id {
			out = append(out, Source{At: id, Via: Direct, Roles: m.Roles})
			continue
		}
		i := slices.IndexFunc(path, func(a account.Account) bool { return a.ID == m.Account })
		if i < 0 {
			continue
		}
		switch {
		case path[i].AccessMode == account.AlwaysOn:
			out = append(out, Source{At: m.Account, Via: AlwaysOn, Roles: m.Roles})
		case m.BranchAccess == account.GrantedAccess:
			out = append(out, Source{At: m.Account, Via: Grant, Roles: m.Roles})
		case m.BranchAccess == account.KeptFromAlwaysOn:
			out = append(out, Source{At: m.Account, Via: Kept, Roles: m.Roles})
		}
	}
	depth := func(s Source) int {
		if s.At == id {
			return len(path)
		}
		return slices.IndexFunc(path, func(a account.Account) bool { return a.ID == s.At })
	}
	slices.SortFunc(out, func(a, b Source) int { return depth(b) - depth(a) })
	return out
}

// under reports whether top is the account or above it.
func (f forest) under(top, id account.ID) bool {
	return top == id || slices.ContainsFunc(f.path(id), func(a account.Account) bool { return a.ID == top })
}

func (l *listing) matches(f forest, a account.Account) bool {
	if l.filter.Under != "" && !f.under(l.filter.Under, a.ID) {
		return false
	}
	return l.query == "" || strings.Contains(account.Fold(a.Name), l.query) || strings.Contains(account.Fold(string(a.ID)), l.query)
}
