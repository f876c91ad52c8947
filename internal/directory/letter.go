package directory

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// LetterJob is the sending of one invitation's letter, claimed from the queue.
type LetterJob struct {
	Environment account.EnvironmentID
	ID          string // unique in the deployment
	Attempt     int    // how often it has been claimed, this time included
}

// Delivery is what became of an invitation's letter.
type Delivery struct {
	State     DeliveryState
	Attempts  int       // how often it was tried since the invitation was last sent
	LastError string    // of the last try; "" if it did not fail
	At        time.Time // of the last change
}

// DeliveryState is how far a letter has come.
type DeliveryState string

// The states of a letter.
const (
	LetterQueued DeliveryState = "queued" // to be tried, for the first time or again
	LetterSent   DeliveryState = "sent"   // the mail server has taken it
	LetterFailed DeliveryState = "failed" // given up
)

// InvitationLetter is what the letter of an invitation says. Nothing in it comes
// from the user who has the address, if there is one.
type InvitationLetter struct {
	Invitation  account.Invitation
	Environment string // the environment's name
	AccountName string
	InviterName string // "" if who invites has none
	Link        string
}

// WriteLetter makes the letter of a job, with a link of its own: only the hash of
// its secret is kept, beside those of letters that were tried before and may have
// arrived. ok is false if there is nothing to send any more; the job is gone then.
//
// Faults: Conflict (invitation_url_missing), Unavailable.
func (d *Directory) WriteLetter(ctx context.Context, job LetterJob) (letter InvitationLetter, ok bool, err error) {
	err = d.store.Write(ctx, job.Environment, func(tx Tx) error {
		letter, ok, err = d.writeLetter(ctx, tx, job)
		return err
	})
	return letter, ok && err == nil, err
}

func (d *Directory) writeLetter(ctx context.Context, tx Tx, job LetterJob) (InvitationLetter, bool, error) {
	id, current, err := tx.QueuedLetter(ctx, job)
	if err != nil || !current {
		return InvitationLetter{}, false, err
	}
	found, err := tx.Invitation(ctx, id)
	if err != nil {
		return InvitationLetter{}, false, err
	}
	inv := found.Value
	if inv.Expired(d.cfg.Now()) {
		return InvitationLetter{}, false, tx.GiveUpLetter(ctx, id, "the invitation expired before the letter could be sent")
	}
	env, err := tx.Environment(ctx)
	if err != nil {
		return InvitationLetter{}, false, err
	}
	if env.Value.InvitationURL == "" {
		return InvitationLetter{}, false, invitationURLMissing(job.Environment)
	}
	holder, err := tx.Account(ctx, inv.Account)
	if err != nil {
		return InvitationLetter{}, false, err
	}
	inviter, err := nameOf(ctx, tx, inv.InvitedBy.User)
	if err != nil {
		return InvitationLetter{}, false, err
	}
	token := newInvitationToken(job.Environment, id)
	return InvitationLetter{
		Invitation: inv, Environment: env.Value.Name, AccountName: holder.Value.Name, InviterName: inviter,
		Link: token.Link(env.Value.InvitationURL),
	}, true, tx.AddInvitationSecret(ctx, id, HashSecret(token.Secret))
}

// nameOf returns a user's name; "" for no user, or one without a name.
func nameOf(ctx context.Context, r Reader, id account.UserID) (string, error) {
	if id == "" {
		return "", nil
	}
	user, err := r.User(ctx, id)
	if errors.Is(err, fault.NotFound) {
		return "", nil
	}
	return user.Value.Name, err
}

func invitationURLMissing(env account.EnvironmentID) *fault.Error {
	return fault.New(fault.Conflict, "invitation_url_missing", "environment %s does not say which page accepts invitations: set its invitation_url", env)
}
