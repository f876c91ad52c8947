package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Invited is an invitation with its link, if that goes by hand.
type Invited struct {
	account.Invitation
	Delivery *Delivery       // nil if the link goes by hand
	Token    InvitationToken // zero unless the link goes by hand, and was made just now
	Link     string          // with the token; "" also if the environment names no page for it
}

// check finds fault with what a caller can ask for.
func (s Sending) check() error {
	if s.Link != "" && s.Link != ByMail && s.Link != ByHand {
		return fault.New(fault.Invalid, "invalid_delivery", "delivery is mail or link, not %s", account.Quote(string(s.Link))).In("delivery")
	}
	if s.Hours == 0 {
		return nil
	}
	return account.CheckLifetime("invitation_hours", s.Hours, account.MaxInvitationHours)
}

// sending is the sending of one invitation while it is planned.
type sending struct {
	Sending
	token InvitationToken // fresh; used if the link goes by hand
	page  string          // the environment's
}

func (s *sending) byHand() bool { return s.Link == ByHand }

// needs adds what the way of the link needs besides: a link opens the mailbox's
// door without its owner, so users are never given one.
func (s *sending) needs(p *plan) {
	if s.byHand() {
		p.environment("edit_backoffice", "be given the link of an invitation")
	}
}

// send plans that the invitation's link goes out and all older ones are void, and sets until when it can be accepted.
//
// Faults: Conflict (mail_not_configured, invitation_url_missing).
func (s *sending) send(ctx context.Context, r Reader, p *plan, d *Directory, inv *account.Invitation) error {
	env, err := r.Environment(ctx)
	if err != nil {
		return err
	}
	s.page = env.Value.InvitationURL
	hours := s.Hours
	if hours == 0 {
		hours = env.Value.InvitationHours
	}
	inv.ExpiresAt = p.now.Add(time.Duration(hours) * time.Hour)
	if ends := inv.MembershipExpiresAt; ends != nil && ends.Before(inv.ExpiresAt) {
		inv.ExpiresAt = *ends
	}
	id := inv.ID
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error { return tx.DropInvitationSecrets(ctx, id) })
	if s.byHand() {
		p.beside = append(p.beside,
			func(ctx context.Context, tx Tx) error { return tx.DropLetter(ctx, id) },
			func(ctx context.Context, tx Tx) error {
				return tx.AddInvitationSecret(ctx, id, HashSecret(s.token.Secret))
			})
		return nil
	}
	if d.cfg.Letters == nil {
		return fault.New(fault.Conflict, "mail_not_configured", "this Tenantry sends no mail: start it with --smtp-address and --mail-from, or have an operator ask for the link (\"delivery\": \"link\")").In("delivery")
	}
	if s.page == "" {
		return invitationURLMissing(p.env)
	}
	p.beside = append(p.beside, func(ctx context.Context, tx Tx) error {
		return tx.QueueLetter(ctx, id, account.NewID("let"))
	})
	return nil
}

// sent is the answer to who has sent an invitation.
func (d *Directory) sent(r Result[account.Invitation], err error, s *sending) (Result[Invited], error) {
	out := Result[Invited]{Value: Invited{Invitation: r.Value}, Version: r.Version, ETag: r.ETag, Applied: r.Applied}
	switch {
	case err != nil:
		return Result[Invited]{}, err
	case !s.byHand():
		out.Value.Delivery = &Delivery{State: LetterQueued, At: r.Value.SentAt}
		if d.cfg.Letters != nil { // a repeat can come to a server that sends no mail
			d.cfg.Letters()
		}
	case s.token.Invitation == r.Value.ID: // otherwise it is a repeat of a request that was answered before
		out.Value.Token = s.token
		if s.page != "" {
			out.Value.Link = s.token.Link(s.page)
		}
	}
	return out, nil
}

// ResendInvitation sends an invitation again, in the caller's name from then on:
// it gets a new link, older ones are void, and the time to accept starts anew. It
// needs what Invite needs for the same offer.
//
// Faults: NotFound (invitation_not_found, role_not_found), Invalid (role_out_of_branch,
// expiry_past, …), Conflict (not_a_parent_account, resent_too_soon, mail_not_configured, invitation_url_missing), Denied, Stale.
func (d *Directory) ResendInvitation(ctx context.Context, req Request, id account.ID, invitation account.InvitationID, in Sending) (Result[Invited], error) {
	if err := notWhileImpersonating(req); err != nil {
		return Result[Invited]{}, err
	}
	if err := checkInvitation(id, invitation); err != nil {
		return Result[Invited]{}, err
	}
	if err := in.check(); err != nil {
		return Result[Invited]{}, err
	}
	sending := &sending{Sending: in, token: newInvitationToken(req.Actor.Environment, invitation)}
	req.IdempotencyKey = "" // to send once more is what is asked for
	result, err := write(ctx, d, req, "invitation.resend "+string(invitation), in, func(ctx context.Context, r Reader, p *plan) (account.Invitation, error) {
		p.kind = account.InvitationResent
		p.account("invite_users", id, "invite users")
		sending.needs(p)
		before, err := begin(ctx, p, invitationTo(r, id), invitation)
		if err != nil {
			return before, err
		}
		if err := d.offerAgain(ctx, r, p, before); err != nil {
			return before, err
		}
		if err := sending.notTooSoon(ctx, r, p, before); err != nil {
			return before, err
		}
		inv := before
		inv.InvitedBy, inv.SentAt = p.actor, p.now
		if err := sending.send(ctx, r, p, d, &inv); err != nil {
			return inv, err
		}
		p.change(account.Of(before), account.Of(inv))
		return inv, nil
	})
	return d.sent(result, err, sending)
}

// offerAgain adds what a user needs to make the same offer today as well.
func (d *Directory) offerAgain(ctx context.Context, r Reader, p *plan, inv account.Invitation) error {
	holder, err := r.Account(ctx, inv.Account)
	if err != nil {
		return err
	}
	if ends := inv.MembershipExpiresAt; ends != nil && !ends.After(p.now) {
		return expiryPast("membership_expires_at", *ends)
	}
	if holder.Value.AccessMode != account.AlwaysOn {
		if _, err := branchAccess(ctx, r, p, holder.Value, nil, Grant{SubAccountAccess: &inv.SubAccountAccess}); err != nil {
			return err
		}
	}
	return d.offerStands(ctx, r, p, inv)
}

// offerStands adds what who sent an invitation has to hold for it still to be
// good: all that they needed to make it (U4, S2).
func (d *Directory) offerStands(ctx context.Context, r Reader, p *plan, inv account.Invitation) error {
	p.account("invite_users", inv.Account, "invite users")
	if inv.Mode == account.DefaultOff && inv.SubAccountAccess || inv.Mode == account.DefaultOn && !inv.SubAccountAccess {
		p.account("write_sub_account_access", inv.Account, "give or take sub-account access")
	}
	return usableRoles(ctx, r, p, d, inv.Account, nil, inv.Roles)
}
