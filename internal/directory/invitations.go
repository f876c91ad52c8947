package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// LinkBy is the way that an invitation's link takes.
type LinkBy string

// The ways of a link.
const (
	ByMail LinkBy = "mail" // in a letter that Tenantry sends
	ByHand LinkBy = "link" // in the answer, once: for operators who send mail of their own
)

// NewInvitation is an invitation as a caller asks for one (I1).
type NewInvitation struct {
	Account account.ID        `json:"account"`
	Email   string            `json:"email"`
	Name    string            `json:"name"` // for the letter, and for a user who is new; "" for none
	Roles   []account.RoleKey `json:"roles"`

	SubAccountAccess    *bool      `json:"sub_account_access"`    // as in Grant
	MembershipExpiresAt *time.Time `json:"membership_expires_at"` // U6; nil is never
	Sending
}

// Sending is how an invitation is sent, for the first time or again.
type Sending struct {
	Hours int    `json:"hours"` // until it expires; 0 is the environment's
	Link  LinkBy `json:"link"`  // "" is ByMail
}

// Invite invites an e-mail address to an account. It needs what SetMembership
// needs of a new member: invite_users, the permissions of the roles (U4), and
// write_sub_account_access to decide about sub-account access (S2, S3), which is
// settled now. The address is looked for among the account's open invitations
// and nowhere else, so the answer tells nothing of who has it. An invitation that
// has expired is replaced.
//
// The token is returned if the link goes by hand, which needs edit_backoffice, and
// if this call has made it; otherwise it is zero.
//
// Faults: those of SetMembership, without user_not_found; Exists (already_invited);
// Invalid (invalid_email, invalid_lifetime, invalid_delivery, …); Conflict
// (too_many_invitations, mail_not_configured, invitation_url_missing).
func (d *Directory) Invite(ctx context.Context, req Request, in NewInvitation) (Result[Invited], error) {
	if err := errors.Join(notWhileImpersonating(req), account.CheckID("account", in.Account), in.check()); err != nil {
		return Result[Invited]{}, err
	}
	if err := checkTerms(in.Roles, "membership_expires_at", in.MembershipExpiresAt); err != nil {
		return Result[Invited]{}, err
	}
	token := newInvitationToken(req.Actor.Environment, account.InvitationID(account.NewID("inv")))
	sending := &sending{Sending: in.Sending, token: token}
	result, err := write(ctx, d, req, "invitation.create", in, func(ctx context.Context, r Reader, p *plan) (account.Invitation, error) {
		p.kind = account.InvitationCreated
		p.account("invite_users", in.Account, "invite users")
		sending.needs(p)
		holder, err := r.Account(ctx, in.Account)
		if err != nil {
			return account.Invitation{}, err
		}
		inv, err := invitationOf(ctx, r, p, holder.Value, in)
		if err != nil {
			return inv, err
		}
		inv.ID = token.Invitation
		if err := usableRoles(ctx, r, p, d, holder.Value.ID, nil, inv.Roles); err != nil {
			return inv, err
		}
		if err := makeRoom(ctx, r, p, inv); err != nil {
			return inv, err
		}
		if err := notTooMany(ctx, r, p, holder.Value.ID); err != nil {
			return inv, err
		}
		if err := sending.send(ctx, r, p, d, &inv); err != nil {
			return inv, err
		}
		p.change(nil, account.Of(inv))
		return inv, nil
	})
	return d.sent(result, err, sending)
}

// invitationOf checks what is asked for, and settles the sub-account access (S2, S3).
func invitationOf(ctx context.Context, r Reader, p *plan, holder account.Account, in NewInvitation) (account.Invitation, error) {
	inv := account.Invitation{
		Account: holder.ID, Roles: account.Set(in.Roles), Mode: holder.AccessMode, InvitedBy: p.actor, CreatedAt: p.now, SentAt: p.now,
	}
	var err error
	if inv.Email, inv.Name, err = cleanUser(in.Email, in.Name); err != nil {
		return inv, err
	}
	if in.MembershipExpiresAt != nil {
		at := in.MembershipExpiresAt.UTC().Truncate(time.Second)
		if !at.After(p.now) {
			return inv, expiryPast("membership_expires_at", at)
		}
		inv.MembershipExpiresAt = &at
	}
	own, err := branchAccess(ctx, r, p, holder, nil, Grant{SubAccountAccess: in.SubAccountAccess})
	inv.SubAccountAccess = own != account.NoBranchAccess || holder.AccessMode == account.AlwaysOn
	return inv, err
}

// makeRoom removes an invitation of the same address that has expired; one that has not is in the way.
func makeRoom(ctx context.Context, r Reader, p *plan, inv account.Invitation) error {
	other, err := r.InvitationTo(ctx, inv.Account, inv.Email)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case !other.Value.Expired(p.now):
		return fault.New(fault.Exists, "already_invited", "%s is invited to account %s already; withdraw that invitation, or send it again", account.Quote(inv.Email), inv.Account).In("email")
	}
	p.change(account.Of(other.Value), nil)
	return nil
}

// WithdrawInvitation ends an invitation: its links open nothing from then on. It
// needs invite_users at the account.
//
// Faults: NotFound (invitation_not_found), Denied, Stale.
func (d *Directory) WithdrawInvitation(ctx context.Context, req Request, id account.ID, invitation account.InvitationID) (Result[account.Invitation], error) {
	if err := checkInvitation(id, invitation); err != nil {
		return Result[account.Invitation]{}, err
	}
	return write(ctx, d, req, "invitation.withdraw "+string(invitation), nil, func(ctx context.Context, r Reader, p *plan) (account.Invitation, error) {
		p.kind = account.InvitationRevoked
		p.account("invite_users", id, "withdraw invitations")
		gone, err := begin(ctx, p, invitationTo(r, id), invitation)
		if err != nil {
			return gone, err
		}
		p.change(account.Of(gone), nil)
		return gone, nil
	})
}

func checkInvitation(id account.ID, invitation account.InvitationID) error {
	return errors.Join(account.CheckID("account", id), account.CheckID("invitation", invitation))
}

// invitationTo finds an invitation to an account.
func invitationTo(r Reader, id account.ID) func(context.Context, account.InvitationID) (account.Versioned[account.Invitation], error) {
	return func(ctx context.Context, invitation account.InvitationID) (account.Versioned[account.Invitation], error) {
		found, err := r.Invitation(ctx, invitation)
		if err == nil && found.Value.Account != id {
			err = fault.New(fault.NotFound, "invitation_not_found", "there is no invitation %s", account.Quote(string(invitation))) // as of one that is nowhere
		}
		return found, err
	}
}
