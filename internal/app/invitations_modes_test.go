package app_test

import (
	"testing"
	"time"
)

// TestS4_WhatAnInvitationSettles: mode when it is made × what is asked × mode when
// it is accepted, then with always_on over. What is settled holds, however the
// mode changes before it is accepted; and what always_on gives besides is
// nobody's own until it ends.
func TestS4_WhatAnInvitationSettles(t *testing.T) {
	w := newWorld(t, oneMachine)
	modes := []string{"default_off", "default_on", "always_on"}
	settled := map[string]map[string]bool{ // by mode and what is asked
		"default_off": {"": false, "true": true, "false": false},
		"default_on":  {"": true, "true": true, "false": false},
		"always_on":   {"": true, "true": true},
	}
	for _, made := range modes {
		for _, asked := range []string{"", "true", "false"} {
			yes, allowed := settled[made][asked]
			for _, accepted := range modes {
				t.Run(made+" asked "+asked+" then "+accepted, func(t *testing.T) {
					w := w.within(t)
					top, child := w.branch(made)
					body := offer(top + "@new.example")
					if asked != "" {
						body["sub_account_access"] = asked == "true"
					}
					if !allowed {
						w.op.refuse("always_on", "POST", invitations(top), byHand(body))
						return
					}
					path, token := w.invite(top, body)
					if open := w.op.must("GET", path, nil); open.body["sub_account_access"] != yes || open.text("mode") != made {
						t.Errorf("the invitation: %s", open.raw)
					}
					w.mode(top, accepted)
					a := w.accept(token)
					user := a.part("user")["id"].(string)
					own := yes && (made != "always_on" || accepted != "always_on")
					if got := a.part("membership")["sub_account_access"]; got != own {
						t.Errorf("access of its own: %v, want %v", got, own)
					}
					w.opens(t, user, child, yes || accepted == "always_on")

					// over and over again; always_on leaves its members what they have
					w.mode(top, "default_on")
					w.opens(t, user, child, yes || accepted == "always_on")
					w.mode(top, "always_on")
					w.mode(top, "default_off")
					w.opens(t, user, child, true)
				})
			}
		}
	}
}

// TestS4_AMemberWhoIsInvitedAgainStaysAsTheyAre: never widened, never narrowed;
// one whose membership has expired gets the one that is offered.
func TestS4_AMemberWhoIsInvitedAgainStaysAsTheyAre(t *testing.T) {
	var c clock
	w := newWorld(t, oneMachine.mailing(nil, &c))
	for _, asked := range []bool{true, false} {
		top, child := w.branch("default_off")
		user := w.newUser("lobby")
		w.grant(top, user, obj{"roles": []string{"manager"}, "sub_account_access": !asked})
		_, token := w.invite(top, obj{"email": user + "@example.com", "roles": []string{"viewer"}, "sub_account_access": asked})
		a := w.accept(token)
		m := a.part("membership")
		if a.body["new_member"] != false || m["roles"].([]any)[0] != "manager" || m["sub_account_access"] != !asked {
			t.Errorf("accepted by a member: %s", a.raw)
		}
		w.opens(t, user, child, !asked)
		w.void(t, "invitation_invalid", token)
	}

	top, child := w.branch("default_off")
	user := w.newUser("lobby")
	w.grant(top, user, obj{"roles": []string{"admin"}, "expires_at": c.now().Add(time.Minute).UTC().Truncate(time.Second)})
	_, token := w.invite(top, obj{"email": user + "@example.com", "roles": []string{"viewer"}, "sub_account_access": true})
	c.forward(time.Hour)
	a := w.accept(token)
	if m := a.part("membership"); a.body["new_member"] != true || a.body["new_user"] != false || m["roles"].([]any)[0] != "viewer" || m["expires_at"] != nil {
		t.Errorf("accepted by a member of old: %s", a.raw)
	}
	w.opens(t, user, child, true)
	if w.op.allowed("user:"+user, deleteSubAccount, "account:"+top) {
		t.Error("the roles that had expired are back")
	}
}
