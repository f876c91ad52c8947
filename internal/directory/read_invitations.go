package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/relation"
)

// OpenInvitation is an invitation as those see it who may list it.
type OpenInvitation struct {
	account.Invitation
	Expired  bool
	Delivery *Delivery // nil if the link went by hand
}

// seeInvitations declares what one needs to see the invitations to an account.
func seeInvitations(id account.ID) func(*plan) error {
	return func(p *plan) error {
		at := relation.AccountObject(p.env, id)
		p.need(need{anyOf: []Question{{"read_users", at}, {"invite_users", at}}, doing: "see the invitations to account " + string(id)})
		return account.CheckID("account", id)
	}
}

// ListInvitations returns a page of the invitations to an account, for who holds
// read_users or invite_users there; or, with no account, of all invitations of
// the environment, for operators who may view the back office.
func (d *Directory) ListInvitations(ctx context.Context, actor account.Actor, f AccountItems) (Page[OpenInvitation], error) {
	limit, err := CheckLimit(f.Limit)
	if err != nil {
		return Page[OpenInvitation]{}, err
	}
	f.Query = account.Fold(f.Query)
	declare := inEnvironment("view_backoffice", "see all invitations")
	if f.Account != "" {
		declare = seeInvitations(f.Account)
	}
	return read(ctx, d, actor, declare, func(ctx context.Context, r Reader) (Page[OpenInvitation], error) {
		if f.Account != "" {
			if _, err := r.Account(ctx, f.Account); err != nil {
				return Page[OpenInvitation]{}, err
			}
		}
		return page(limit, func(limit int) ([]account.Versioned[OpenInvitation], int, error) {
			f.Limit = limit
			found, total, err := r.Invitations(ctx, f)
			if err != nil {
				return nil, 0, err
			}
			open, err := openInvitations(ctx, r, actor.IsMember(), d.cfg.Now(), found)
			return open, total, err
		})
	})
}

// GetInvitation returns an invitation to an account, for who holds read_users or invite_users there.
func (d *Directory) GetInvitation(ctx context.Context, actor account.Actor, id account.ID, invitation account.InvitationID) (account.Versioned[OpenInvitation], error) {
	if err := account.CheckID("invitation", invitation); err != nil {
		return account.Versioned[OpenInvitation]{}, err
	}
	return read(ctx, d, actor, seeInvitations(id), func(ctx context.Context, r Reader) (account.Versioned[OpenInvitation], error) {
		found, err := invitationTo(r, id)(ctx, invitation)
		if err != nil {
			return account.Versioned[OpenInvitation]{}, err
		}
		open, err := openInvitations(ctx, r, actor.IsMember(), d.cfg.Now(), []account.Versioned[account.Invitation]{found})
		if err != nil {
			return account.Versioned[OpenInvitation]{}, err
		}
		return open[0], nil
	})
}

// openInvitations adds to invitations what is not part of them. Who is not the
// vendor is not told which of its people or machines sent them.
func openInvitations(ctx context.Context, r Reader, byMember bool, now time.Time, found []account.Versioned[account.Invitation]) ([]account.Versioned[OpenInvitation], error) {
	ids := make([]account.InvitationID, len(found))
	for i, inv := range found {
		ids[i] = inv.Value.ID
		if byMember {
			found[i].Value.InvitedBy = inv.Value.InvitedBy.Masked()
		}
	}
	deliveries, err := r.Deliveries(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]account.Versioned[OpenInvitation], len(found))
	for i, inv := range found {
		open := OpenInvitation{Invitation: inv.Value, Expired: inv.Value.Expired(now)}
		if delivery, ok := deliveries[inv.Value.ID]; ok {
			open.Delivery = &delivery
		}
		out[i] = account.Versioned[OpenInvitation]{Value: open, Version: inv.Version}
	}
	return out, nil
}

// Offer is what an invitation offers, for the page at which it is accepted.
type Offer struct {
	account.Invitation
	Environment string // the environment's name
	AccountName string
	InviterName string // "" if who invites has none
}

// PreviewInvitation returns what a token's invitation offers; the token is the
// credential, and of the actor only the address counts. Faults: NotFound
// (invitation_invalid), Conflict (invitation_expired), Denied (ip_not_allowed).
func (d *Directory) PreviewInvitation(ctx context.Context, actor account.Actor, token string) (Offer, error) {
	t, err := parseInvitationToken(token)
	if err != nil {
		return Offer{}, err
	}
	var offer Offer
	err = d.store.Read(ctx, t.Environment, func(r Reader) error {
		found, err := offered(ctx, r, t, d.cfg.Now())
		if err != nil {
			return err
		}
		if err := admitIn(ctx, r, actor); err != nil {
			return err
		}
		offer.Invitation = found.Value
		env, err := r.Environment(ctx)
		if err != nil {
			return err
		}
		holder, err := r.Account(ctx, found.Value.Account)
		if err != nil {
			return err
		}
		offer.Environment, offer.AccountName = env.Value.Name, holder.Value.Name
		offer.InviterName, err = nameOf(ctx, r, found.Value.InvitedBy.User)
		return err
	})
	return offer, unopened(err)
}
