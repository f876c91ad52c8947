package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// Opener is a user or an API token that can open an account, and why (S5).
type Opener struct {
	directory.Opener
	Sources []Source
}

// OpenersFilter selects who can open an account.
type OpenersFilter struct {
	Account account.ID
	Type    string           // directory.OpenerUser or OpenerAPIToken; "" for both
	Query   string           // part of the name, e-mail address or id, whatever the case; "" for all
	After   directory.Opener // its Type and ID are where the page before ended; none for the first page
	Limit   int              // 0 is directory.DefaultLimit; at most directory.MaxLimit
}

// Openers is a page of those who can open an account: users first, each in the order of their ids.
type Openers struct {
	Items     []Opener
	Total     int              // by what the directory holds, on all pages
	More      bool             // there are some after Last
	Last      directory.Opener // of the page, also if the engine denied it
	Operators *Operators       // told to operators alone
	Version   account.Version
	By        Teller // who confirmed it
}

// Operators are the clients that can open an account by a portal role (E4).
type Operators struct {
	Items []Operator // the first maxOperators, in the order of their ids
	Total int
}

// Operator is a client that can open an account.
type Operator struct {
	account.Client
	Sources []Source
}

const maxOperators = 100

// Openers lists everybody who can open an account, directly or not, each with
// every reason (S5). It needs read_users there, of operators view_backoffice. All
// that is recorded when it is called is in force for it.
//
// The index says who it is. For a search, or without the index, the directory does, and it is decided for each
// of the page: who is denied is left out, and noted in the log.
//
// Faults: NotFound (account_not_found), Invalid (invalid_limit, invalid_query, invalid_type), Denied, Unavailable.
func (s *Service) Openers(ctx context.Context, actor account.Actor, f OpenersFilter, version account.Version) (Openers, error) {
	limit, err := f.check()
	if err == nil {
		err = within(actor, relation.AccountObject(actor.Environment, f.Account))
	}
	if err != nil {
		return Openers{}, err
	}
	head, err := s.mayListOpeners(ctx, actor, f.Account, version)
	if err != nil {
		return Openers{}, err
	}
	if err := s.admitted(ctx, actor, f.Account); err != nil {
		return Openers{}, err
	}
	out, ok, err := s.recallOpeners(ctx, actor, f, limit, head)
	if ok || err != nil {
		return out, err
	}
	err = s.names.Read(ctx, actor.Environment, func(r directory.Reader) (err error) {
		out, err = s.openersIn(ctx, r, actor, f, limit)
		return err
	})
	if err != nil {
		return Openers{}, err
	}
	return out, s.confirm(ctx, actor, f.Account, &out)
}

func (f *OpenersFilter) check() (limit int, err error) {
	if err := account.CheckID("account", f.Account); err != nil {
		return 0, err
	}
	switch f.Type {
	case "", directory.OpenerUser, directory.OpenerAPIToken:
	default:
		return 0, fault.New(fault.Invalid, "invalid_type", "type is %s or %s, not %s", directory.OpenerUser, directory.OpenerAPIToken, account.Quote(f.Type)).In("type")
	}
	if err := account.CheckQuery("q", f.Query); err != nil {
		return 0, err
	}
	return directory.CheckLimit(f.Limit)
}

// mayListOpeners refuses who may not see who can open an account, before anything is read for
// them. It returns the newest version that there is.
func (s *Service) mayListOpeners(ctx context.Context, actor account.Actor, id account.ID, version account.Version) (head account.Version, err error) {
	err = s.names.Read(ctx, actor.Environment, func(r directory.Reader) (err error) {
		if head, err = r.Head(ctx); err == nil {
			err = directory.CheckKnown(version, head)
		}
		return err
	})
	if err != nil || actor.System {
		return head, err
	}
	answers, err := s.Decide(ctx, actor, head, []directory.Question{openersRight(actor, id)})
	if err == nil && !answers[0] {
		err = mayNotListOpeners(actor, id)
	}
	return head, err
}

func openersRight(actor account.Actor, id account.ID) directory.Question {
	if actor.IsMember() {
		return directory.Question{Permission: "read_users", Resource: relation.AccountObject(actor.Environment, id)}
	}
	return directory.Question{Permission: "view_backoffice", Resource: relation.EnvironmentObject(actor.Environment)}
}

func mayNotListOpeners(actor account.Actor, id account.ID) error {
	where := "read_users on account " + string(id)
	if !actor.IsMember() {
		where = "view_backoffice on the environment"
	}
	return fault.New(fault.Denied, "permission_denied", "%s may not list who can open this account: needs %s", actor.Name(), where)
}

// openersIn reads a page of openers with their sources; Version is that of the snapshot.
func (s *Service) openersIn(ctx context.Context, r directory.Reader, actor account.Actor, f OpenersFilter, limit int) (Openers, error) {
	head, err := r.Head(ctx)
	if err != nil {
		return Openers{}, err
	}
	line, err := lineTo(ctx, r, f.Account)
	if err != nil {
		return Openers{}, err
	}
	above := make([]account.ID, len(line)-1)
	for i := range above {
		above[i] = line[i].ID
	}
	now := s.cfg.Now()
	found, total, err := r.Openers(ctx, directory.OpenerFilter{
		Account: f.Account, Above: above, Type: f.Type, Query: account.Fold(f.Query), At: now, After: f.After, Limit: limit + 1,
	})
	if err != nil {
		return Openers{}, err
	}
	out := Openers{Total: total, More: len(found) > limit, Version: head}
	found = found[:min(len(found), limit)]
	holdings, err := holdingsOf(ctx, r, line, found)
	if err != nil {
		return Openers{}, err
	}
	for _, o := range found {
		out.Last = o
		out.Items = append(out.Items, Opener{o, sourcesOf(line, holdings[subjectOfOpener(o)], now)})
	}
	if !actor.IsMember() {
		out.Operators, err = operatorsIn(ctx, r)
	}
	return out, err
}

func subjectOfOpener(o directory.Opener) string { return o.Type + ":" + o.ID }

// holdingsOf reads what the openers of a page hold on a line of accounts.
func holdingsOf(ctx context.Context, r directory.Reader, line []account.Account, openers []directory.Opener) (map[string][]holding, error) {
	var users []account.UserID
	var tokens []account.APITokenID
	for _, o := range openers {
		if o.Type == directory.OpenerUser {
			users = append(users, account.UserID(o.ID))
		} else {
			tokens = append(tokens, account.APITokenID(o.ID))
		}
	}
	ids := make([]account.ID, len(line))
	for i, a := range line {
		ids[i] = a.ID
	}
	holdings := make(map[string][]holding, len(openers))
	memberships, err := r.MembershipsAt(ctx, ids, users)
	if err != nil {
		return nil, err
	}
	for _, m := range memberships {
		key := relation.TypeUser + ":" + string(m.User)
		holdings[key] = append(holdings[key], holdingOf(m))
	}
	found, err := r.APITokensByID(ctx, tokens)
	for _, t := range found {
		key := relation.TypeAPIToken + ":" + string(t.ID)
		holdings[key] = append(holdings[key], holdingOfToken(t))
	}
	return holdings, err
}

// operatorsIn reads which clients can open every account.
func operatorsIn(ctx context.Context, r directory.Reader) (*Operators, error) {
	clients, err := r.Clients(ctx)
	out := &Operators{}
	for _, c := range clients {
		sources := portalSources(c.Roles, derived["access"].operator)
		if len(sources) == 0 {
			continue
		}
		if out.Total++; out.Total <= maxOperators {
			out.Items = append(out.Items, Operator{c, sources})
		}
	}
	return out, err
}

// confirm asks the engine, with all in force that the page holds, whether the
// actor may still see it, and drops from it whom the engine denies.
func (s *Service) confirm(ctx context.Context, actor account.Actor, id account.ID, page *Openers) error {
	env := actor.Environment
	now, err := s.from(ctx, env, page.Version)
	if err != nil {
		return err
	}
	resource := relation.AccountObject(env, id)
	var items []item
	for _, o := range page.Items {
		items = append(items, item{resource, "access", subjectRef{Object: relation.In(env, o.Type, o.ID)}})
	}
	if page.Operators != nil {
		for _, o := range page.Operators.Items {
			items = append(items, item{resource, "access", subjectRef{Object: relation.OperatorObject(env, o.ID)}})
		}
	}
	if !actor.System {
		subject, err := subjectOf(actor)
		if err != nil {
			return err
		}
		right := openersRight(actor, id)
		items = append(items, item{right.Resource, right.Permission, subject})
	}
	allowed, err := now.askAll(ctx, items)
	if err != nil {
		return err
	}
	page.Version, page.By = now.version, now.by()
	if !actor.System && !allowed[len(allowed)-1] {
		return mayNotListOpeners(actor, id)
	}
	n := len(page.Items)
	page.Items = keep(page.Items, allowed)
	denied := n - len(page.Items)
	if page.Operators != nil {
		m := len(page.Operators.Items)
		page.Operators.Items = keep(page.Operators.Items, allowed[n:])
		denied += m - len(page.Operators.Items)
	}
	if denied > 0 {
		s.cfg.Log.WarnContext(ctx, "left out of an access list whom the engine denies", "environment", env, "account", id, "left_out", denied, "version", now.version)
	}
	return nil
}

// keep returns the items of which the answer with the same place is yes.
func keep[T any](items []T, allowed []bool) []T {
	var out []T
	for i, item := range items {
		if allowed[i] {
			out = append(out, item)
		}
	}
	return out
}
