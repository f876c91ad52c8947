package access

import (
	"context"
	"errors"
	"io"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/engine"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// Sort is an order of a user's accounts.
type Sort = switcher.Sort

// The orders (W1).
const (
	ByTree = switcher.ByTree // parents before their children, siblings by name
	ByName = switcher.ByName
	ByDate = switcher.ByDate // the newest first
)

// Filter selects and orders a user's accounts (W1).
type Filter struct {
	Query      string     // part of the name or id, whatever the case; "" for all
	Under      account.ID // this account and all below it; "" for all
	Permission string     // only where the user holds it, or may use it ("feature:reports"); "" wherever they may open the account
	Sort       Sort       // "" is ByTree
	Limit      int        // 0 is directory.DefaultLimit; at most directory.MaxLimit
	All        bool       // all in one page, whatever the limit; for the command line
	Cursor     string     // of the page before; "" for the first

	bare bool // ids alone
}

// memberAccess is the permission that lookups follow for accounts that a user may open.
const memberAccess = "member_access"

// Reachable is an account that a user may open.
type Reachable = account.Reachable

// Reach is a page of the accounts that a user may open.
type Reach struct {
	Accounts []Reachable
	IDs      []account.ID    // in place of Accounts, if they were asked for
	Total    int             // that match the filter, on all pages
	Next     string          // the cursor of the next page; "" on the last
	Version  account.Version // as of which this is so
	By       Teller
}

// Accounts lists the accounts that a user, or an API token, may open (W1). The
// list is complete, or an error. Users and API tokens may ask for themselves, but for
// who has a token for one account; operators who may view the back office for anybody.
//
// Faults: NotFound (user_not_found, api_token_not_found; account_not_found for f.Under, also for a user
// who may open neither it nor anything below it), Invalid (invalid_cursor,
// invalid_sort, invalid_limit, unknown_permission, unknown_feature), Denied, Unavailable.
func (s *Service) Accounts(ctx context.Context, actor account.Actor, whose Subject, f Filter, version account.Version) (Reach, error) {
	env := actor.Environment
	if err := within(actor, relation.EnvironmentObject(env)); err != nil {
		return Reach{}, err
	}
	list, err := s.prepare(&f)
	if err != nil {
		return Reach{}, err
	}
	if err := whose.check(); err != nil {
		return Reach{}, err
	}
	now, features, err := s.atFeatures(ctx, env, version, list.features())
	if err != nil {
		return Reach{}, err
	}
	if err := s.settle(list, features); err != nil {
		return Reach{}, err
	}
	blocked, err := now.mayAskAbout(ctx, actor, whose)
	if err != nil {
		return Reach{}, err
	}
	reach, ok, err := now.recallReach(actor, whose, list)
	if !ok {
		reach, err = now.lookUpReach(ctx, actor, whose, list, blocked)
	}
	if err != nil {
		return Reach{}, err
	}
	reach.Version, reach.By = now.version, now.by()
	s.metrics.lists.WithLabelValues(string(reach.By)).Inc()
	return reach, nil
}

// lookUpReach is the list from the engine, with names and order from the directory.
func (m *moment) lookUpReach(ctx context.Context, actor account.Actor, whose Subject, list *listing, blocked bool) (reach Reach, err error) {
	var ids []account.ID
	if !blocked {
		if ids, err = m.reachable(ctx, whose, list.permission); err != nil {
			return Reach{}, err
		}
		if list.feature != "" {
			if ids, err = m.withFeature(ctx, ids, list.feature); err != nil {
				return Reach{}, err
			}
		}
	}
	outside := false // for a user who asks, the branch is nowhere near what the list holds
	err = m.service.names.Read(ctx, m.env, func(r directory.Reader) error {
		memberships, err := whose.memberships(ctx, r)
		if err != nil {
			return err
		}
		accounts, err := r.WithAncestors(ctx, ids)
		if err != nil {
			return err
		}
		forest := newForest(accounts)
		if _, near := forest[list.filter.Under]; list.filter.Under != "" && !near {
			if outside = actor.IsMember(); outside {
				return nil
			}
			if _, err := r.Account(ctx, list.filter.Under); errors.Is(err, fault.NotFound) {
				return noBranch(list.filter.Under)
			} else if err != nil {
				return err
			}
		}
		reach.Accounts, reach.Total, reach.Next = list.page(forest, ids)
		if list.filter.bare {
			reach.IDs = make([]account.ID, len(reach.Accounts))
			for i, a := range reach.Accounts {
				reach.IDs[i] = a.ID
			}
			reach.Accounts = nil
		}
		for i := range reach.Accounts {
			reach.Accounts[i].Sources = forest.sources(reach.Accounts[i].ID, memberships, m.service.cfg.Now())
		}
		return nil
	})
	if err == nil && outside {
		err = m.nearReach(ctx, whose, list)
	}
	return reach, err
}

// nearReach returns nil if a branch that the list says nothing of has at its top
// an account that the user may open, or one above such an account; then the list
// is empty. Otherwise the user is told the same, whether or not there is such an
// account: a NotFound fault (account_not_found).
func (m *moment) nearReach(ctx context.Context, whose Subject, list *listing) error {
	if list.permission == memberAccess && list.feature == "" { // the list was of all accounts that the user may open
		return noBranch(list.filter.Under)
	}
	ids, err := m.reachable(ctx, whose, memberAccess)
	if err != nil {
		return err
	}
	return m.service.names.Read(ctx, m.env, func(r directory.Reader) error {
		accounts, err := r.WithAncestors(ctx, ids)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(accounts, func(a account.Account) bool { return a.ID == list.filter.Under }) {
			return noBranch(list.filter.Under)
		}
		return nil
	})
}

func noBranch(under account.ID) error {
	return fault.New(fault.NotFound, "account_not_found", "there is no account %s", account.Quote(string(under))).In("under")
}

// prepare checks a filter and fills in what it leaves out.
func (s *Service) prepare(f *Filter) (*listing, error) {
	var err error
	if f.Limit, err = f.checkLimit(); err != nil {
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
	if err := account.CheckQuery("q", f.Query); err != nil {
		return nil, err
	}
	list := &listing{filter: *f, permission: memberAccess, query: account.Fold(f.Query)}
	if key, ok := featureNamed(f.Permission); ok {
		if err := account.CheckID("permission", key); err != nil {
			return nil, err
		}
		list.feature = key
	} else if f.Permission != "" {
		p, ok := s.catalogue.Lookup(f.Permission)
		switch {
		case ok:
			list.permission = "member_" + p.Relation
		case f.Permission != "access":
			return nil, fault.New(fault.Invalid, "unknown_permission", "there is no permission %s in the catalogue", account.Quote(f.Permission)).In("permission")
		}
	}
	return list, nil
}

// settle completes a list with what its feature asks of users, and finds its place.
func (s *Service) settle(list *listing, features features) error {
	if list.feature != "" {
		feature, err := features.find(list.feature)
		if err != nil {
			return err
		}
		right, named, err := s.rightFor(feature)
		if err != nil {
			return err
		}
		if named {
			list.permission = "member_" + right.Relation
		}
	}
	return list.resume(list.filter.Cursor)
}

// mayAskAbout refuses who may not see whose accounts these are, and reports whether that is a blocked user (U5).
func (m *moment) mayAskAbout(ctx context.Context, actor account.Actor, whose Subject) (blocked bool, err error) {
	env := actor.Environment
	items := []item{m.service.blocked(env, subjectRef{Object: whose.object(env)})}
	denied := fault.New(fault.Denied, "permission_denied", "%s may not see the accounts of %s: needs view_backoffice on the environment", actor.Name(), whose.name())
	switch {
	case actor.System, whose.is(actor):
	case actor.IsMember():
		return false, denied
	default:
		subject, err := subjectOf(actor)
		if err != nil {
			return false, err
		}
		items = append(items, item{relation.EnvironmentObject(env), "view_backoffice", subject})
	}
	answers, err := m.ask(ctx, items)
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

// reachable asks the engine for every account on which the subject holds the
// permission. All or nothing: what came before an error is dropped.
func (m *moment) reachable(ctx context.Context, whose Subject, permission string) ([]account.ID, error) {
	consistency, err := m.engine(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := v1.NewPermissionsServiceClient(m.service.engine).LookupResources(ctx, &v1.LookupResourcesRequest{
		Consistency:        consistency,
		ResourceObjectType: relation.TypeAccount,
		Permission:         permission,
		Subject:            &v1.SubjectReference{Object: whose.object(m.env).Proto()},
	})
	if err != nil {
		return nil, engine.Fault(err)
	}
	var ids []account.ID
	for {
		found, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return nil, engine.Fault(err)
		}
		if found.GetPermissionship() != v1.LookupPermissionship_LOOKUP_PERMISSIONSHIP_HAS_PERMISSION {
			continue
		}
		if id, ok := (relation.Object{ID: found.GetResourceObjectId()}).Local(m.env); ok {
			ids = append(ids, account.ID(id))
		}
	}
}
