package directory

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// The brakes on letters (I1): an address is not to be flooded by sending one
// invitation again and again, nor a mail server by one account.
const (
	ResendPause        = time.Minute // between two letters of one invitation
	MaxOpenInvitations = 200         // to one account that its members can have; operators may go on
)

// notTooSoon refuses to write another letter while the one before is younger than
// ResendPause: a Conflict fault (resent_too_soon) that says when it may. Links that
// go by hand reach nobody by themselves, so they neither wait nor are waited for.
func (s *sending) notTooSoon(ctx context.Context, r Reader, p *plan, inv account.Invitation) error {
	again := inv.SentAt.Add(ResendPause)
	if s.byHand() || !again.After(p.now) {
		return nil
	}
	letters, err := r.Deliveries(ctx, []account.InvitationID{inv.ID})
	if _, written := letters[inv.ID]; err == nil && written {
		err = fault.New(fault.Conflict, "resent_too_soon", "the invitation was sent just now; it can be sent again from %s on", again.UTC().Format(time.RFC3339))
	}
	return err
}

// notTooMany refuses members one more invitation to an account that has
// MaxOpenInvitations open ones: a Conflict fault (too_many_invitations).
func notTooMany(ctx context.Context, r Reader, p *plan, id account.ID) error {
	if !p.byUser {
		return nil
	}
	open, err := r.OpenInvitations(ctx, id, p.now)
	if err == nil && open >= MaxOpenInvitations {
		err = fault.New(fault.Conflict, "too_many_invitations", "account %s has %d open invitations, which is as many as there can be; wait until some are accepted or expire, or withdraw some", id, open)
	}
	return err
}
