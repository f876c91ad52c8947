package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// Acceptance is what whoever accepts an invitation adds to it.
type Acceptance struct {
	Name string         // of a user who is new; "" for that of the invitation
	User account.UserID // the id of a user who is new; "" for a generated one

	// Identity is what an OpenID provider says of who accepts, in the environment of the
	// request's actor: the user is linked to that subject. nil if nobody vouches.
	Identity *Vouched
}

// Accepted is what an invitation has led to.
type Accepted struct {
	Environment account.EnvironmentID // which the token named
	User        account.User
	Membership  account.Membership
	NewUser     bool // there was none with the address
	NewMember   bool // there was no membership, or it had expired; otherwise it is left as it was
}

// AcceptInvitation makes the user to whom the address belongs, or a new one, a
// member, and ends the invitation, all in one entry of the journal (I1). The token
// is the credential: the request's actor is nobody, unless the user's id is
// chosen, which needs edit_backoffice, or a provider vouches for who accepts: then
// the user is linked to that subject, unless either is linked to another.
//
// Who sent the invitation must still be able to: their rights are asked for again
// (U4), as are the roles. The sub-account access is what was settled when it was
// made (S3). A present membership is left as it is.
//
// Faults: NotFound (invitation_invalid), the same for every token that opens
// nothing; Conflict (invitation_expired, invitation_void, identity_conflict); Denied (user_blocked, ip_not_allowed); Exists
// (user_exists, email_taken) about a chosen id; Invalid (invalid_name, …).
func (d *Directory) AcceptInvitation(ctx context.Context, req Request, token string, in Acceptance) (Result[Accepted], error) {
	t, err := parseInvitationToken(token)
	if err != nil {
		return Result[Accepted]{}, err
	}
	if in.Name != "" {
		if in.Name, err = account.CleanName("name", in.Name); err != nil {
			return Result[Accepted]{}, err
		}
	}
	if in.User != "" {
		if err := d.mayChooseID(ctx, req.Actor, t, in.User); err != nil {
			return Result[Accepted]{}, err
		}
	}
	if in.Identity != nil && req.Actor.Environment != t.Environment {
		return Result[Accepted]{}, invitationInvalid()
	}
	fresh := account.UserID(account.NewID("usr"))
	req.Actor = account.Actor{Environment: t.Environment, Client: req.Actor.Client, Person: req.Actor.Person, Invitation: t.Invitation, From: req.Actor.From}
	req.IdempotencyKey, req.IfMatch = "", 0
	result, err := write(ctx, d, req, "invitation.accept", nil, func(ctx context.Context, r Reader, p *plan) (Accepted, error) {
		p.kind = account.InvitationAccepted
		found, err := offered(ctx, r, t, p.now)
		if err != nil {
			return Accepted{}, err
		}
		if err := admitIn(ctx, r, req.Actor); err != nil {
			return Accepted{}, err
		}
		inv := found.Value
		if err := d.vouchedFor(ctx, r, p, inv); err != nil {
			return Accepted{}, err
		}
		return accept(ctx, r, p, inv, in, fresh)
	})
	return result, unopened(err)
}

// unopened says of an invitation that cannot be accepted no more than it may.
func unopened(err error) error {
	switch {
	case fault.HasCode(err, "environment_not_found"):
		return invitationInvalid()
	case fault.HasCode(err, "permission_denied"): // the rights asked for are those of who sent it
		return invitationVoid()
	default:
		return err
	}
}

func invitationVoid() *fault.Error {
	return fault.New(fault.Conflict, "invitation_void", "this invitation is void: who sent it may not give any more what it offers; ask for another").In("token")
}

// mayChooseID lets those choose the id of a new user who may create users: others
// could try which ids there are, or take one that is meant for somebody else.
func (d *Directory) mayChooseID(ctx context.Context, actor account.Actor, t InvitationToken, id account.UserID) error {
	if err := account.CheckID("user_id", id); err != nil {
		return err
	}
	if actor.Environment != t.Environment {
		return invitationInvalid()
	}
	p := d.newPlan(Request{Actor: actor})
	p.environment("edit_backoffice", "choose the id of a user")
	verdict, _, err := d.decideAtHead(ctx, actor, p.needs)
	if err == nil && verdict.refusal != nil {
		return verdict.refusal
	}
	return err
}

// vouchedFor has the invitation judged by the rights of who sent it, as they are
// now. A Conflict fault (invitation_void) if they or the roles are gone.
func (d *Directory) vouchedFor(ctx context.Context, r Reader, p *plan, inv account.Invitation) error {
	by := inv.InvitedBy
	by.Environment = p.env // which the journal leaves out
	by.Account = ""        // it bound the request in which they invited; their rights are theirs
	p.judgedBy(by)
	err := stillThere(ctx, r, by, inv.SentAt)
	if err == nil {
		err = d.offerStands(ctx, r, p, inv)
	}
	if errors.Is(err, fault.NotFound) || errors.Is(err, fault.Invalid) {
		return invitationVoid()
	}
	return err
}

// stillThere returns a NotFound fault if an actor is gone, or another one has the same id since.
func stillThere(ctx context.Context, r Reader, by account.Actor, since time.Time) error {
	var made time.Time
	var err error
	switch {
	case by.User != "":
		var found account.Versioned[account.User]
		found, err = r.User(ctx, by.User)
		made = found.Value.CreatedAt
	case by.APIToken != "":
		var found account.Versioned[account.APIToken]
		found, err = r.APIToken(ctx, by.APIToken)
		made = found.Value.CreatedAt
	case by.Client != "":
		var found Officer
		found, err = FindOfficer(ctx, r, by.Client)
		made = found.CreatedAt
		if err == nil && found.Person != by.Person {
			return invitationInvalid()
		}
	}
	if err == nil && made.After(since) {
		return invitationInvalid()
	}
	return err
}

// accept plans the user, the membership, and the end of the invitation.
func accept(ctx context.Context, r Reader, p *plan, inv account.Invitation, in Acceptance, fresh account.UserID) (Accepted, error) {
	out := Accepted{Environment: p.env}
	var err error
	if out.User, out.NewUser, err = invitee(ctx, r, p, inv, in, fresh); err != nil {
		return out, err
	}
	p.actor.User = out.User.ID
	if in.Identity != nil {
		if err := linkInvitee(ctx, r, p, inv.ID, out, *in.Identity); err != nil {
			return out, err
		}
	}
	holder, err := r.Account(ctx, inv.Account)
	if err != nil {
		return out, err
	}
	if out.Membership, out.NewMember, err = join(ctx, r, p, holder.Value, inv, out.User.ID); err != nil {
		return out, err
	}
	p.change(account.Of(inv), nil)
	return out, nil
}

// invitee returns the user with the invitation's address, or plans a new one.
func invitee(ctx context.Context, r Reader, p *plan, inv account.Invitation, in Acceptance, fresh account.UserID) (_ account.User, isNew bool, _ error) {
	found, err := r.UserByEmail(ctx, inv.Email)
	switch {
	case err == nil && found.Value.Blocked:
		return found.Value, false, fault.New(fault.Denied, "user_blocked", "the user who is invited is blocked")
	case err == nil && in.User != "" && in.User != found.Value.ID:
		return found.Value, false, fault.New(fault.Exists, "email_taken", "user %s has the address that is invited", found.Value.ID).In("user_id")
	case err == nil || !errors.Is(err, fault.NotFound):
		return found.Value, false, err
	}
	u := account.User{ID: fresh, Email: inv.Email, Name: inv.Name, CreatedAt: p.now}
	if in.Name != "" {
		u.Name = in.Name
	}
	if in.User != "" {
		u.ID = in.User
	}
	if _, err := r.User(ctx, u.ID); err == nil {
		return u, false, fault.New(fault.Exists, "user_exists", "there is a user %s already", u.ID).In("user_id")
	} else if !errors.Is(err, fault.NotFound) {
		return u, false, err
	}
	p.change(nil, account.Of(u))
	return u, true, nil
}

// join plans the membership, unless there is one that has not expired: that is neither widened nor narrowed.
func join(ctx context.Context, r Reader, p *plan, holder account.Account, inv account.Invitation, user account.UserID) (_ account.Membership, isNew bool, _ error) {
	found, err := r.Membership(ctx, holder.ID, user)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return found.Value, false, err
	}
	var before *account.Membership
	if err == nil {
		if !found.Value.Expired(p.now) {
			return found.Value, false, nil
		}
		before = &found.Value
	}
	m := account.Membership{
		Account: holder.ID, User: user, Roles: inv.Roles, BranchAccess: settled(inv, holder.AccessMode), ExpiresAt: inv.MembershipExpiresAt, CreatedAt: p.now,
	}
	p.change(entityOf(before), account.Of(m))
	return m, true, useRoles(ctx, r, p, holder, rolesOf(before), m.Roles)
}

// settled is the sub-account access of its own that an invitation gives, in an
// account with the present mode: what was settled when it was made, however the
// mode has changed since (S3, S4). What always_on gives both then and now stays the account's.
func settled(inv account.Invitation, present account.AccessMode) account.BranchAccess {
	if !inv.SubAccountAccess || inv.Mode == account.AlwaysOn && present == account.AlwaysOn {
		return account.NoBranchAccess
	}
	return account.GrantedAccess
}
