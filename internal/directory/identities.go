package directory

import (
	"context"
	"errors"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// MaxIdentities is the most subjects that a user can be linked to.
const MaxIdentities = 20

// NewIdentity is a subject of an OpenID provider that a user is to be linked to.
type NewIdentity struct {
	Issuer  string `json:"issuer"`  // address of one of the environment's issuers for users
	Subject string `json:"subject"` // as the provider writes it
}

// LinkIdentity says which subject of an OpenID provider a user is; whoever signs in
// there as the subject is the user from then on. It needs edit_backoffice.
//
// Faults: Invalid (invalid_subject, invalid_purpose), NotFound (user_not_found;
// issuer_not_found, field issuer), Exists (identity_exists), Conflict (too_many_identities), Denied.
func (d *Directory) LinkIdentity(ctx context.Context, req Request, user account.UserID, in NewIdentity) (Result[account.Identity], error) {
	if err := errors.Join(account.CheckID("user", user), account.CheckSubject("subject", in.Subject)); err != nil {
		return Result[account.Identity]{}, err
	}
	return write(ctx, d, req, "identity.link "+string(user), in, func(ctx context.Context, r Reader, p *plan) (account.Identity, error) {
		p.kind = account.IdentityLinked
		p.environment("manage_security", "link users to OpenID providers") // who links is, by a subject of theirs, the user
		if _, err := r.User(ctx, user); err != nil {
			return account.Identity{}, err
		}
		if err := issuerFor(ctx, r, in.Issuer, account.ForUsers); err != nil {
			return account.Identity{}, err
		}
		known, err := r.IdentityAt(ctx, in.Issuer, in.Subject)
		taken := fault.New(fault.Exists, "identity_exists", "this subject of the provider is linked to user %s already", known.Value.User).In("subject")
		if err = free(err, taken); err != nil {
			return account.Identity{}, err
		}
		others, err := r.IdentitiesOf(ctx, user)
		if err != nil {
			return account.Identity{}, err
		}
		if len(others) >= MaxIdentities {
			return account.Identity{}, fault.New(fault.Conflict, "too_many_identities", "a user is linked to at most %d subjects; unlink one that is not used", MaxIdentities)
		}
		return p.link(in.Issuer, in.Subject, user), nil
	})
}

// issuerFor returns nil if the environment has an issuer with this address and
// purpose; NotFound (issuer_not_found), Invalid (invalid_purpose).
func issuerFor(ctx context.Context, r Reader, url string, purpose account.Purpose) error {
	found, err := r.IssuerAt(ctx, url)
	if err == nil && found.Value.Purpose != purpose {
		err = fault.New(fault.Invalid, "invalid_purpose", "issuer %s is for %s, not for %s", found.Value.ID, found.Value.Purpose, purpose)
	}
	return inField(err, "issuer")
}

// UnlinkIdentity takes a user's link to a subject away: the subject is nobody from
// then on, until an operator or the acceptance of an invitation links it again; an
// address links it to nobody, and nobody to the user. It needs manage_security.
//
// Faults: NotFound (identity_not_found), Denied, Stale.
func (d *Directory) UnlinkIdentity(ctx context.Context, req Request, user account.UserID, id account.IdentityID) (Result[account.Identity], error) {
	if err := errors.Join(account.CheckID("user", user), account.CheckID("identity", id)); err != nil {
		return Result[account.Identity]{}, err
	}
	return write(ctx, d, req, "identity.unlink "+string(user)+" "+string(id), nil, func(ctx context.Context, r Reader, p *plan) (account.Identity, error) {
		p.kind = account.IdentityUnlinked
		p.environment("manage_security", "unlink users from OpenID providers")
		gone, err := begin(ctx, p, func(ctx context.Context, id account.IdentityID) (account.Versioned[account.Identity], error) {
			found, err := r.Identity(ctx, id)
			if err == nil && found.Value.User != user {
				err = fault.New(fault.NotFound, "identity_not_found", "user %s has no identity %s", user, account.Quote(string(id)))
			}
			return found, err
		}, id)
		if err != nil {
			return account.Identity{}, err
		}
		p.change(account.Of(gone), nil)
		p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.SetUnlinked(ctx, gone.Issuer, gone.Subject, user) })
		return gone, nil
	})
}

// ListIdentities returns every subject that a user is linked to, by id; users may
// see their own, operators everybody's.
func (d *Directory) ListIdentities(ctx context.Context, actor account.Actor, user account.UserID) ([]account.Versioned[account.Identity], error) {
	declare := func(p *plan) error {
		if actor.User != user {
			p.environment("view_backoffice", "see the identities of other users")
		}
		return account.CheckID("user", user)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) ([]account.Versioned[account.Identity], error) {
		if _, err := r.User(ctx, user); err != nil {
			return nil, err
		}
		return r.IdentitiesOf(ctx, user)
	})
}

// dropIdentities plans the end of the links of users who are deleted: who is made
// anew with the same id is not whom they signed in as.
func dropIdentities(ctx context.Context, r Reader, p *plan, users ...account.UserID) error {
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.ForgetUnlinked(ctx, users...) })
	identities, err := r.IdentitiesOf(ctx, users...)
	for _, i := range identities {
		p.change(account.Of(i.Value), nil)
	}
	return err
}

// linkInvitee plans that whoever accepts an invitation is the user who results, if
// neither is linked to another: a link in a mail may be in wrong hands, and shall
// not add a way in to a user who signs in already. A user who was there before is
// linked by a link that was sent by mail only: who was given one to hand over has not
// shown that the address is theirs.
//
// Faults: Conflict (identity_conflict), Unauthenticated (identity_unknown).
func linkInvitee(ctx context.Context, r Reader, p *plan, inv account.InvitationID, in Accepted, v Vouched) error {
	user := in.User.ID
	now, err := r.IssuerAt(ctx, v.Issuer.URL)
	if errors.Is(err, fault.NotFound) || account.CheckSubject("sub", v.Subject) != nil {
		return identityUnknown("the issuer is trusted no more, or the subject is not one that can be kept")
	}
	if err != nil {
		return err
	}
	if now.Value.Purpose != account.ForUsers {
		return identityConflict("its provider is for operators")
	}
	known, err := r.IdentityAt(ctx, v.Issuer.URL, v.Subject)
	switch {
	case err == nil && known.Value.User == user:
		return nil
	case err == nil:
		return identityConflict("it is another user's")
	case !errors.Is(err, fault.NotFound):
		return err
	}
	others, err := r.IdentitiesOf(ctx, user)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return identityConflict("the user who is invited signs in as somebody else; sign in so, or accept without a token")
	}
	if !in.NewUser {
		letters, err := r.Deliveries(ctx, []account.InvitationID{inv})
		if err != nil {
			return err
		}
		if _, mailed := letters[inv]; !mailed {
			return identityConflict("the user who is invited is there already, and the link was not sent by mail; accept without a token")
		}
	}
	p.link(v.Issuer.URL, v.Subject, user)
	return nil
}

func identityConflict(why string) *fault.Error {
	return fault.New(fault.Conflict, "identity_conflict", "the invitation cannot be accepted with this token: %s", why).In("Authorization")
}
