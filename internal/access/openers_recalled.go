package access

import (
	"context"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
	"github.com/tenantry/tenantry/internal/switcher"
)

// recallOpeners is Openers from the index, with names from the directory; ok is whether the index
// has it: it does not know names and addresses, and so answers no searches. The actor's right is looked at
// again, at the version of the page.
func (s *Service) recallOpeners(ctx context.Context, actor account.Actor, f OpenersFilter, limit int, head account.Version) (out Openers, ok bool, err error) {
	if f.Query != "" {
		return Openers{}, false, nil
	}
	now, err := s.from(ctx, actor.Environment, head)
	if err != nil || now.view == nil {
		return Openers{}, false, err
	}
	q := switcher.OpenersQuery{Account: f.Account, Kind: subjectKinds[f.Type], Limit: limit}
	q.After = switcher.Subject{Kind: subjectKinds[f.After.Type], ID: f.After.ID}
	page, there := now.view.Openers(q)
	if !there {
		return Openers{}, true, fault.New(fault.NotFound, "account_not_found", "there is no account %s", account.Quote(string(f.Account)))
	}
	if err := now.mayStillListOpeners(ctx, actor, f.Account); err != nil {
		return Openers{}, true, err
	}
	out = Openers{Total: page.Total, More: page.More, Version: now.version, By: now.by()}
	err = s.names.Read(ctx, actor.Environment, func(r directory.Reader) error {
		if out.Items, err = namedOpeners(ctx, r, page.Subjects); err != nil {
			return err
		}
		if !actor.IsMember() {
			out.Operators, err = operatorsIn(ctx, r)
		}
		return err
	})
	if n := len(page.Subjects); n > 0 {
		out.Last = openerOf(page.Subjects[n-1].Subject)
	}
	return out, true, err
}

func (m *moment) mayStillListOpeners(ctx context.Context, actor account.Actor, id account.ID) error {
	if actor.System {
		return nil
	}
	subject, err := subjectOf(actor)
	if err != nil {
		return err
	}
	right := openersRight(actor, id)
	allowed, err := m.askAll(ctx, []item{{right.Resource, right.Permission, subject}})
	if err == nil && !allowed[0] {
		err = mayNotListOpeners(actor, id)
	}
	return err
}

// openerOf is a subject of the index as the directory has it, without names.
func openerOf(who switcher.Subject) directory.Opener {
	if who.Kind == switcher.APIToken {
		return directory.Opener{Type: relation.TypeAPIToken, ID: who.ID}
	}
	return directory.Opener{Type: relation.TypeUser, ID: who.ID}
}

// namedOpeners adds what the directory calls those who can open an account. Who has gone since is left out.
func namedOpeners(ctx context.Context, r directory.Reader, found []switcher.Opener) ([]Opener, error) {
	var users []account.UserID
	var tokens []account.APITokenID
	for _, o := range found {
		if o.Subject.Kind == switcher.APIToken {
			tokens = append(tokens, account.APITokenID(o.Subject.ID))
		} else {
			users = append(users, account.UserID(o.Subject.ID))
		}
	}
	people, err := r.UsersByID(ctx, users)
	if err != nil {
		return nil, err
	}
	machines, err := r.APITokensByID(ctx, tokens)
	if err != nil {
		return nil, err
	}
	known := make(map[directory.Opener]directory.Opener, len(found))
	for _, u := range people {
		known[directory.Opener{Type: relation.TypeUser, ID: string(u.ID)}] = directory.Opener{Type: relation.TypeUser, ID: string(u.ID), Name: u.Name, Email: u.Email}
	}
	for _, t := range machines {
		known[directory.Opener{Type: relation.TypeAPIToken, ID: string(t.ID)}] = directory.Opener{Type: relation.TypeAPIToken, ID: string(t.ID), Name: t.Name}
	}
	out := make([]Opener, 0, len(found))
	for _, o := range found {
		if named, ok := known[openerOf(o.Subject)]; ok {
			out = append(out, Opener{named, o.Sources})
		}
	}
	return out, nil
}
