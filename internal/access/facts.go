package access

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relation"
)

// facts is what the directory holds of a subject and an account, in one snapshot.
type facts struct {
	head     account.Version
	env      account.Environment
	line     []account.Account // from the root to the account; none if there is no such account
	known    bool              // the subject exists
	blocked  bool
	holdings []holding
	grants   map[account.RoleKey]map[string]bool // what the roles hold that are held near the account, by relation
	operator bool                                // the subject is one, who holds portal roles
	portal   []account.PortalRole
	hidden   bool // what is not of the account itself was left out: the asker may not know
}

// facts reads what explains a subject's permissions at an account.
func (s *Service) facts(ctx context.Context, env account.EnvironmentID, subject relation.Object, id account.ID) (*facts, error) {
	f := &facts{grants: map[account.RoleKey]map[string]bool{}}
	err := s.names.Read(ctx, env, func(r directory.Reader) (err error) {
		if f.head, err = r.Head(ctx); err != nil {
			return err
		}
		found, err := r.Environment(ctx)
		if err != nil {
			return err
		}
		f.env = found.Value
		if f.line, err = lineTo(ctx, r, id); err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		if err := f.subject(ctx, r, env, subject); err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		return f.readRoles(ctx, r, s)
	})
	return f, err
}

// lineTo returns the accounts from the root to id.
func lineTo(ctx context.Context, r directory.Reader, id account.ID) ([]account.Account, error) {
	found, err := r.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	above, err := r.Ancestors(ctx, id)
	return append(above, found.Value), err
}

// subject reads what the subject is and holds; a NotFound fault if there is no such subject.
func (f *facts) subject(ctx context.Context, r directory.Reader, env account.EnvironmentID, subject relation.Object) error {
	id, _ := subject.Local(env)
	switch subject.Type {
	case relation.TypeUser:
		user, err := r.User(ctx, account.UserID(id))
		if err != nil {
			return err
		}
		f.known, f.blocked = true, user.Value.Blocked
		memberships, err := r.MembershipsOf(ctx, user.Value.ID)
		for _, m := range memberships {
			f.holdings = append(f.holdings, holdingOf(m))
		}
		return err
	case relation.TypeAPIToken:
		token, err := r.APIToken(ctx, account.APITokenID(id))
		if err != nil {
			return err
		}
		f.known, f.holdings = true, []holding{holdingOfToken(token.Value)}
	default:
		found, err := directory.FindOfficer(ctx, r, account.ClientID(id))
		f.operator = true
		if err != nil {
			return err
		}
		f.known, f.portal = true, found.Roles
	}
	return nil
}

// readRoles reads what the roles hold that the subject holds on the line; and
// drops what is held elsewhere, which explains nothing.
func (f *facts) readRoles(ctx context.Context, r directory.Reader, s *Service) error {
	f.holdings = slices.DeleteFunc(f.holdings, func(h holding) bool {
		return !slices.ContainsFunc(f.line, func(a account.Account) bool { return a.ID == h.at })
	})
	for _, h := range f.holdings {
		for _, key := range h.roles {
			if f.grants[key] != nil {
				continue
			}
			role, err := r.Role(ctx, key)
			if err != nil {
				return err
			}
			f.grants[key] = map[string]bool{}
			for _, permission := range role.Value.Permissions {
				if p, ok := s.catalogue.Lookup(string(permission)); ok {
					f.grants[key][p.Relation] = true
				}
			}
		}
	}
	return nil
}

// onlyAt leaves what a subject may know who may not open the account: what they
// hold in it. Where it lies, and whether it is there, they are not told.
func (f *facts) onlyAt(id account.ID) {
	f.hidden = true
	f.holdings = slices.DeleteFunc(f.holdings, func(h holding) bool { return h.at != id })
	if len(f.line) > 0 {
		f.line = f.line[len(f.line)-1:]
	}
}
