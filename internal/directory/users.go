package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// NewUser is a user as a caller asks for one, with the first memberships.
type NewUser struct {
	ID          account.UserID `json:"id"` // "" for a generated one
	Email       string         `json:"email"`
	Name        string         `json:"name"`
	Memberships []Grant        `json:"memberships"` // at least one (U1); their User is ignored
}

// MaxFirstMemberships is the most memberships that a user can be created with;
// the rights that they need are asked of the engine in one call.
const MaxFirstMemberships = 100

// CreateUser creates a user with at least one membership (U1); an operator's to do:
// users invite. Each membership needs what SetMembership needs of a new member.
//
// Faults: those of SetMembership; Exists (user_exists, email_taken), Invalid
// (missing_membership, too_many_memberships, duplicate_membership, invalid_email, …).
func (d *Directory) CreateUser(ctx context.Context, req Request, in NewUser) (Result[account.User], error) {
	id, err := orNew("id", in.ID, "usr")
	if err != nil {
		return Result[account.User]{}, err
	}
	if n := len(in.Memberships); n > MaxFirstMemberships {
		return Result[account.User]{}, fault.New(fault.Invalid, "too_many_memberships", "a user is created with at most %d memberships, not %d; add more afterwards", MaxFirstMemberships, n).In("memberships")
	}
	grants := make([]Grant, len(in.Memberships))
	seen := map[account.ID]bool{}
	for i, g := range in.Memberships {
		g.User = id
		if err := checkGrant(g); err != nil {
			return Result[account.User]{}, err
		}
		if seen[g.Account] {
			return Result[account.User]{}, fault.New(fault.Invalid, "duplicate_membership", "account %s is named twice", g.Account).In("memberships")
		}
		seen[g.Account] = true
		grants[i] = g
	}
	if len(grants) == 0 {
		return Result[account.User]{}, fault.New(fault.Invalid, "missing_membership", "a user is a member of at least one account").In("memberships")
	}
	return write(ctx, d, req, "user.create", in, func(ctx context.Context, r Reader, p *plan) (account.User, error) {
		p.kind = account.UserCreated
		u := account.User{ID: id, CreatedAt: p.now}
		p.environment("edit_backoffice", "create users") // a user would learn which ids and addresses are taken
		for _, g := range grants {
			p.account("invite_users", g.Account, "add members")
		}
		var err error
		if u.Email, u.Name, err = cleanUser(in.Email, in.Name); err != nil {
			return u, err
		}
		if err := userMustBeFree(ctx, r, u); err != nil {
			return u, err
		}
		p.change(nil, account.Of(u))
		for _, g := range grants {
			holder, err := r.Account(ctx, g.Account)
			if err != nil {
				return u, inField(err, "memberships")
			}
			if _, err := setMembership(ctx, r, p, d, holder.Value, nil, g); err != nil {
				return u, err
			}
		}
		return u, nil
	})
}

// cleanUser checks an e-mail address and a name; the name may be empty.
func cleanUser(email, name string) (string, string, error) {
	email, err := account.CleanEmail("email", email)
	if err != nil || name == "" {
		return email, "", err
	}
	name, err = account.CleanName("name", name)
	return email, name, err
}

func userMustBeFree(ctx context.Context, r Reader, u account.User) error {
	_, err := r.User(ctx, u.ID)
	if err == nil {
		return fault.New(fault.Exists, "user_exists", "there is a user %s already", u.ID).In("id")
	}
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	return emailMustBeFree(ctx, r, u)
}

func emailMustBeFree(ctx context.Context, r Reader, u account.User) error {
	other, err := r.UserByEmail(ctx, u.Email)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case other.Value.ID == u.ID:
		return nil
	default:
		return fault.New(fault.Exists, "email_taken", "another user has the address %s", u.Email).In("email")
	}
}

// UserPatch changes what is not nil.
type UserPatch struct {
	Email *string `json:"email,omitempty"`
	Name  *string `json:"name,omitempty"`
}

// UpdateUser changes a user's address or name; an operator's to do. Where users sign
// in at OpenID providers another address needs manage_security: whoever has it can become the user.
func (d *Directory) UpdateUser(ctx context.Context, req Request, id account.UserID, patch UserPatch) (Result[account.User], error) {
	return d.changeUser(ctx, req, id, account.UserChanged, "change users", patch, func(ctx context.Context, r Reader, p *plan, u *account.User) error {
		before, email, name := u.Email, u.Email, u.Name
		if patch.Email != nil {
			email = *patch.Email
		}
		if patch.Name != nil {
			name = *patch.Name
		}
		var err error
		if u.Email, u.Name, err = cleanUser(email, name); err != nil {
			return err
		}
		if u.Email != before {
			if err := needsForAddress(ctx, r, p); err != nil {
				return err
			}
		}
		return emailMustBeFree(ctx, r, *u)
	})
}

// needsForAddress adds what it takes to change the address that a user can be linked by.
func needsForAddress(ctx context.Context, r Reader, p *plan) error {
	issuers, err := r.Issuers(ctx)
	if slices.ContainsFunc(issuers, func(i account.Versioned[account.Issuer]) bool { return i.Value.Purpose == account.ForUsers }) {
		p.environment("manage_security", "change the address of a user, who may sign in by it")
	}
	return err
}

func (d *Directory) changeUser(ctx context.Context, req Request, id account.UserID, kind account.Kind, doing string, input any, change func(context.Context, Reader, *plan, *account.User) error) (Result[account.User], error) {
	if err := account.CheckID("user", id); err != nil {
		return Result[account.User]{}, err
	}
	return write(ctx, d, req, string(kind)+" "+string(id), input, func(ctx context.Context, r Reader, p *plan) (account.User, error) {
		p.kind = kind
		p.environment("edit_backoffice", doing)
		before, err := begin(ctx, p, r.User, id)
		if err != nil {
			return before, err
		}
		u := before
		if err := change(ctx, r, p, &u); err != nil {
			return u, err
		}
		if u != before {
			p.change(account.Of(before), account.Of(u))
		}
		return u, nil
	})
}

// DeleteUser deletes a user with all memberships and identities, and ends the impersonations of
// them; an operator's to do. API tokens that they made stay: these are their accounts'.
func (d *Directory) DeleteUser(ctx context.Context, req Request, id account.UserID) (Result[account.User], error) {
	if err := account.CheckID("user", id); err != nil {
		return Result[account.User]{}, err
	}
	return write(ctx, d, req, "user.delete "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.User, error) {
		p.kind = account.UserDeleted
		p.environment("edit_backoffice", "delete users")
		gone, err := begin(ctx, p, r.User, id)
		if err != nil {
			return gone, err
		}
		memberships, err := r.MembershipsOf(ctx, id)
		if err != nil {
			return account.User{}, err
		}
		for _, m := range memberships {
			holder, err := r.Account(ctx, m.Account)
			if err != nil {
				return account.User{}, err
			}
			p.change(account.Of(m), nil)
			if err := useRoles(ctx, r, p, holder.Value, m.Roles, nil); err != nil {
				return account.User{}, err
			}
		}
		p.change(account.Of(gone), nil)
		if err := dropIdentities(ctx, r, p, id); err != nil {
			return account.User{}, err
		}
		return gone, endSessions(ctx, r, p, func(i account.Impersonation) bool { return i.User == id })
	})
}
