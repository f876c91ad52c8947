package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// TestU4_NobodyInvitesToWhatTheyLack: not with a role, not with sub-account
// access, not where they may not invite, and never with a link for themselves.
func TestU4_NobodyInvitesToWhatTheyLack(t *testing.T) {
	w := newInviting(t, oneMachine)
	clerk := w.as("clerk") // may invite to globex-eu, and little else
	denied := func(c caller, id string, body obj) {
		t.Helper()
		before := w.head("prod")
		c.refuse("permission_denied", "POST", invitations(id), body)
		if w.head("prod") != before {
			t.Error("it was refused, and something was written")
		}
	}
	puppet := func(roles ...string) obj { return offer("puppet@new.example", roles...) }
	with := func(body obj, name string, value any) obj { body[name] = value; return body }
	denied(clerk, "globex-eu", puppet("admin"))
	denied(clerk, "globex-eu", puppet("viewer", "admin"))
	denied(clerk, "globex-eu", with(puppet(), "sub_account_access", true))
	denied(clerk, "globex-eu", byHand(puppet()))
	denied(clerk, "globex", puppet())
	denied(clerk, "globex-eu-fr", puppet())
	denied(clerk, "no-such", puppet())
	denied(w.as("euadmin"), "globex-eu-fr", puppet())
	denied(w.as("euadmin"), "globex-eu", byHand(puppet()))
	denied(w.as("viewer"), "globex", puppet())
	denied(w.as("outsider"), "globex", puppet())
	w.mode("globex-eu", "default_on")
	denied(clerk, "globex-eu", with(puppet(), "sub_account_access", false)) // a choice as well
	w.mode("globex-eu", "default_off")

	// sending again what another has offered is offering it
	path, token := w.invitedBy("euadmin", "globex-eu", puppet("admin"))
	clerk.refuse("permission_denied", "POST", path+"/resend", obj{})
	w.as("euadmin").refuse("permission_denied", "POST", path+"/resend", byHand(obj{}))
	path, _ = w.invitedBy("euadmin", "globex-eu", with(offer("reach@new.example"), "sub_account_access", true))
	clerk.refuse("permission_denied", "POST", path+"/resend", obj{})
	w.mode("globex-eu", "default_on")
	path, _ = w.invitedBy("clerk", "globex-eu", offer("given@new.example")) // the mode gives it
	w.mode("globex-eu", "default_off")
	clerk.refuse("permission_denied", "POST", path+"/resend", obj{})
	w.accept(token)
	w.invitedBy("clerk", "globex-eu", offer("guest@new.example", "viewer", "manager"))

	// accounts of others are out of sight
	elsewhere, _ := w.invite("initech", offer("secret@new.example"))
	for _, path := range []string{elsewhere, invitations("initech")} {
		w.as("euadmin").refuse("permission_denied", "GET", path, nil)
	}
	w.as("euadmin").refuse("permission_denied", "DELETE", elsewhere, nil)
	w.as("euadmin").refuse("permission_denied", "POST", elsewhere+"/resend", obj{})
	w.as("euadmin").refuse("permission_denied", "GET", "/v1/invitations", nil)
	w.dev.refuse("invitation_not_found", "GET", elsewhere, nil)
}

// TestU4_AnInvitationIsWorthWhatItsSenderIs: the rights of who sent it are asked
// for again when it is accepted, and so are the roles.
func TestU4_AnInvitationIsWorthWhatItsSenderIs(t *testing.T) {
	mailing := newInviting(t, oneMachine)
	w := mailing.world
	members := func(id, user string) string { return "/v1/accounts/" + id + "/members/" + user }
	for name, c := range map[string]struct {
		lose, back func(w *world, id, user, role string) // back is nil if there is no way
		reach      bool
	}{
		"the role is taken from them": {
			func(w *world, id, user, _ string) {
				w.op.must("PUT", members(id, user), obj{"roles": []string{"viewer"}})
			},
			func(w *world, id, user, role string) {
				w.op.must("PUT", members(id, user), obj{"roles": []string{role}})
			}, false,
		},
		"they are a member no more": {
			func(w *world, id, user, _ string) { w.op.must("DELETE", members(id, user), nil) },
			func(w *world, id, user, role string) { w.grant(id, user, obj{"roles": []string{role}}) }, false,
		},
		"they are blocked": {
			func(w *world, _, user, _ string) { w.op.must("POST", "/v1/users/"+user+"/block", nil) },
			func(w *world, _, user, _ string) { w.op.must("POST", "/v1/users/"+user+"/unblock", nil) }, false,
		},
		"their role may not invite any more": {
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role, obj{"permissions": []string{readSubAccounts, writeAccess}})
			},
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role, obj{"permissions": []string{readSubAccounts, writeAccess, inviteUsers}})
			}, false,
		},
		"the role that is offered has grown": {
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role+"-offer", obj{"permissions": []string{readSubAccounts, deleteSubAccount}})
			},
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role+"-offer", obj{"permissions": []string{readSubAccounts}})
			}, false,
		},
		"they may not decide about sub-account access any more": {
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role, obj{"permissions": []string{readSubAccounts, inviteUsers}})
			},
			func(w *world, _, _, role string) {
				w.op.must("PATCH", "/v1/roles/"+role, obj{"permissions": []string{readSubAccounts, writeAccess, inviteUsers}})
			}, true,
		},
		"the role that is offered is gone": {
			func(w *world, _, _, role string) { w.op.must("DELETE", "/v1/roles/"+role+"-offer", nil) }, nil, false,
		},
		"the account has left the branch of the role": {
			func(w *world, id, _, _ string) {
				w.op.must("POST", "/v1/accounts/"+id+"/move", obj{"parent": "initech"})
			}, nil, false,
		},
		"they are another with the same id": {
			func(w *world, id, user, role string) {
				w.op.must("DELETE", "/v1/users/"+user, nil)
				w.user(w.op, user, []obj{{"account": id, "roles": []string{role}}})
			}, nil, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.within(t)
			id, role := w.newAccount("globex"), w.fresh("inviter")
			w.role(w.op, role, readSubAccounts, writeAccess, inviteUsers)
			w.op.must("POST", "/v1/roles", obj{"key": role + "-offer", "account": "globex", "permissions": []string{readSubAccounts}})
			user := w.newUser("lobby")
			w.grant(id, user, obj{"roles": []string{role}})
			email := w.fresh("guest") + "@new.example"
			_, token := mailing.invitedBy(user, id, obj{"email": email, "roles": []string{role + "-offer"}, "sub_account_access": c.reach})

			c.lose(w, id, user, role)
			w.void(t, "invitation_void", token)
			if users := w.op.must("GET", "/v1/users?q="+email, nil); users.body["total"] != 0.0 {
				t.Errorf("there is a user: %s", users.raw)
			}
			if c.back != nil {
				c.back(w, id, user, role)
				w.accept(token)
			}
		})
	}
}

// TestU4_AnOperatorsInvitationEndsWithTheOperator, also if another gets the same id.
func TestU4_AnOperatorsInvitationEndsWithTheOperator(t *testing.T) {
	w := newWorld(t, oneMachine)
	for round := range 2 {
		mole := w.client("prod", "mole", false, account.BackofficeEditor)
		token := mole.must("POST", invitations("globex"), byHand(offer(fmt.Sprintf("guest%d@new.example", round), "admin"))).text("token")
		w.op.must("DELETE", "/v1/environment/clients/mole", nil)
		w.void(t, "invitation_void", token)
		w.client("prod", "mole", false, account.PortalAdmin)
		w.void(t, "invitation_void", token)
		w.op.must("DELETE", "/v1/environment/clients/mole", nil)
	}
}

// TestU6_AnInvitationEndsWithItsSendersMembership: an expiry binds by itself.
func TestU6_AnInvitationEndsWithItsSendersMembership(t *testing.T) {
	w := newInviting(t, oneMachine)
	user := w.newUser("lobby")
	ends := time.Now().Add(4 * time.Second).UTC().Truncate(time.Second)
	w.grant("globex-eu", user, obj{"roles": []string{"admin"}, "expires_at": ends})
	_, token := w.invitedBy(user, "globex-eu", offer("guest@new.example"))
	eventually(t, "the end of the membership", func() bool {
		return !w.op.allowed("user:"+user, inviteUsers, "account:globex-eu")
	})
	w.void(t, "invitation_void", token)
}
