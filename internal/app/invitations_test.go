package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/testmail"
)

// TestI1_InvitingSendsALetterThatMakesAMember: from the invitation to the first
// check that passes, for a new user and for one that there is, on every shape.
func TestI1_InvitingSendsALetterThatMakesAMember(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := newInviting(t, shape)
			a := w.as("euadmin").must("POST", invitations("globex-eu"), obj{"email": " Nia@New.example", "name": "Nia", "roles": []string{"viewer"}})
			if a.status != 201 || a.text("email") != "nia@new.example" || a.text("invited_by") != "user:euadmin" || a.body["token"] != nil || a.body["link"] != nil {
				t.Errorf("invited: %d %s", a.status, a.raw)
			}
			if d := a.part("delivery"); d["state"] != "queued" {
				t.Errorf("the letter: %v", d)
			}
			letter := w.mail.Await(1)[0]
			if !letter.TLS || letter.User != "tenantry" || !cmp.Equal(letter.To, []string{"nia@new.example"}) || !strings.Contains(letter.Subject, "GLOBEX-EU") {
				t.Errorf("a letter to %v by %q, encrypted %t: %s", letter.To, letter.User, letter.TLS, letter.Subject)
			}
			token := tokenIn(t, letter)
			path := invitations("globex-eu") + "/" + a.text("id")
			if d := w.delivery(path, "sent"); d["attempts"] != 1.0 || d["last_error"] != nil {
				t.Errorf("the letter that was sent: %v", d)
			}
			see := w.nobody().must("POST", "/v1/invitations/preview", obj{"token": token})
			if see.text("account_name") != "GLOBEX-EU" || see.text("email") != "nia@new.example" || see.text("expires_at") != a.text("expires_at") {
				t.Errorf("the offer: %s", see.raw)
			}
			accepted := w.accept(token)
			nia := accepted.part("user")["id"].(string)
			if accepted.body["new_user"] != true || accepted.body["new_member"] != true || accepted.part("user")["name"] != "Nia" || accepted.body["applied"] != true {
				t.Errorf("accepted: %s", accepted.raw)
			}
			fresh := []string{"Consistency-Token", accepted.header.Get("Consistency-Token")}
			if !w.op.allowed("user:"+nia, readSubAccounts, "account:globex-eu", fresh...) || w.op.allowed("user:"+nia, "access", "account:globex-eu-fr", fresh...) {
				t.Error("the new member does not hold what was offered, or more")
			}
			w.op.must("GET", "/v1/users/"+nia, nil)
			w.op.refuse("invitation_not_found", "GET", path, nil)
			w.void(t, "invitation_invalid", token)
			w.inTheJournal(t, nia, a.text("id"), token)

			_, token = w.invitedBy("euadmin", "globex-eu", offer("viewer@example.com"))
			accepted = w.accept(token)
			if accepted.body["new_user"] != false || accepted.body["new_member"] != true || accepted.part("user")["id"] != "viewer" {
				t.Errorf("accepted by a user that there is: %s", accepted.raw)
			}
			if diff := cmp.Diff([]string{"globex", "globex-eu"}, w.op.sorted("viewer")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// inTheJournal looks for the entries of an invitation (L1), and for its secret, which is in none.
func (w *world) inTheJournal(t *testing.T, user, invitation, token string) {
	t.Helper()
	journal := w.op.must("GET", "/v1/journal?limit=1000", nil)
	secret := token[strings.LastIndex(token, ".")+1:]
	if strings.Contains(string(journal.raw), secret) || strings.Contains(string(journal.raw), fmt.Sprintf("%x", directory.HashSecret(directory.Secret(secret)))) {
		t.Error("the secret, or its hash, is in the journal")
	}
	entries := journal.body["entries"].([]any)
	last := entries[len(entries)-1].(map[string]any)
	actor := last["actor"].(map[string]any)
	if last["kind"] != "invitation.accepted" || actor["name"] != "user:"+user || actor["invitation"] != invitation || actor["client"] != nil {
		t.Errorf("the last entry is %v by %v", last["kind"], actor)
	}
	var what []string
	for _, c := range last["changes"].([]any) {
		for side, thing := range c.(map[string]any) {
			for name := range thing.(map[string]any) {
				what = append(what, side+" "+name)
			}
		}
	}
	for _, want := range []string{"after user", "after membership", "before invitation"} {
		if !strings.Contains(strings.Join(what, ","), want) {
			t.Errorf("the entry of the acceptance has no %s: %v", want, what)
		}
	}
	if n := strings.Count(string(journal.raw), `"kind":"invitation.created"`); n != 1 {
		t.Errorf("%d invitations are in the journal", n)
	}
}

// TestI1_AMailServerThatIsAwayAndARestart: the letter is kept, and sent once, when both are back.
func TestI1_AMailServerThatIsAwayAndARestart(t *testing.T) {
	mail := mailServer(t)
	var c clock
	shape := oneMachine.mailing(mail, &c)
	cfg := shape.make(t)
	again := shape
	again.make = func(testing.TB) app.Config { return cfg }
	var path string
	var op caller
	mail.Away()
	t.Run("while the mail server is away", func(t *testing.T) {
		w := newWorld(t, again)
		w.setPages()
		a := w.as("euadmin").must("POST", invitations("globex-eu"), offer("late@new.example"))
		path, op = invitations("globex-eu")+"/"+a.text("id"), w.op
		eventually(t, "a failure", func() bool {
			d := w.op.must("GET", path, nil).part("delivery")
			return d["state"] == "queued" && d["attempts"] == 1.0 && d["last_error"] != nil
		})
		seen := w.as("euadmin").must("GET", path, nil).part("delivery")["last_error"].(string)
		if seen == "" || strings.Contains(seen, "tenantry_invitation") || strings.Contains(seen, "mail-password") {
			t.Errorf("who invited is told: %q", seen)
		}
	})
	mail.Back()
	c.forward(time.Hour) // past the pause before the second attempt
	t.Run("after both are back", func(t *testing.T) {
		s := start(t, cfg)
		op.s = s
		w := &world{service: s, op: op}
		token := tokenIn(t, mail.Await(1)[0])
		if d := w.delivery(path, "sent"); d["attempts"] != 2.0 || d["last_error"] != nil {
			t.Errorf("the letter: %v", d)
		}
		if accepted := w.accept(token); accepted.body["new_member"] != true {
			t.Errorf("accepted: %s", accepted.raw)
		}
		if n := len(mail.Letters()); n != 1 {
			t.Errorf("%d letters were sent", n)
		}
	})
}

// TestI1_AnAddressThatDoesNotExist is said to those who may list invitations; what is sent again may arrive.
func TestI1_AnAddressThatDoesNotExist(t *testing.T) {
	w := newInviting(t, oneMachine)
	w.mail.Refuse(testmail.Recipient, testmail.Refusal{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such mailbox"})
	a := w.as("euadmin").must("POST", invitations("globex-eu"), offer("typo@new.example"))
	path := invitations("globex-eu") + "/" + a.text("id")
	if d := w.delivery(path, "failed"); d["attempts"] != 1.0 || d["last_error"] == "" {
		t.Errorf("the letter: %v", d)
	}
	w.mail.Accept()
	w.clock.forward(time.Minute)
	if d := w.as("euadmin").must("POST", path+"/resend", obj{}).part("delivery"); d["state"] != "queued" || d["attempts"] != 0.0 {
		t.Errorf("sent again: %v", d)
	}
	w.accept(tokenIn(t, w.mail.Await(1)[0]))
}

// TestI1_ResendingVoidsOlderLinks and gives the invitation its whole time again.
func TestI1_ResendingVoidsOlderLinks(t *testing.T) {
	w := newInviting(t, oneMachine)
	path, first := w.invitedBy("euadmin", "globex-eu", offer("slow@new.example"))
	before := w.op.must("GET", path, nil)
	w.clock.forward(time.Hour)
	a := w.as("owner").must("POST", path+"/resend", obj{})
	second := tokenIn(t, w.mail.Await(2)[1])
	if a.text("id") != before.text("id") || a.text("expires_at") <= before.text("expires_at") || a.text("created_at") != before.text("created_at") || a.text("invited_by") != "user:owner" {
		t.Errorf("before %s, after %s", before.raw, a.raw)
	}
	w.void(t, "invitation_invalid", first)
	third := w.op.must("POST", path+"/resend", byHand(obj{"invitation_hours": 2}))
	w.void(t, "invitation_invalid", second)
	if d := w.op.must("GET", path, nil); d.body["delivery"] != nil {
		t.Errorf("after the link went by hand: %s", d.raw)
	}
	w.op.do("POST", path+"/resend", obj{}, "If-Match", before.header.Get("ETag")).is(t, 412, "stale", "")
	w.accept(third.text("token"))
	w.op.refuse("invitation_not_found", "POST", path+"/resend", obj{})
}

// TestI1_WithdrawnInvitationsOpenNothing, and make room for another.
func TestI1_WithdrawnInvitationsOpenNothing(t *testing.T) {
	w := newInviting(t, oneMachine)
	path, token := w.invitedBy("euadmin", "globex-eu", offer("eve@new.example"))
	w.as("euadmin").refuse("already_invited", "POST", invitations("globex-eu"), offer("EVE@new.example"))
	w.as("owner").must("POST", invitations("globex"), offer("eve@new.example")) // another account is another matter
	w.as("viewer").refuse("permission_denied", "DELETE", path, nil)
	w.as("euadmin").refuse("invitation_not_found", "DELETE", strings.Replace(path, "inv_", "inv_x", 1), nil)
	w.op.refuse("invitation_not_found", "DELETE", strings.Replace(path, "globex-eu", "initech", 1), nil)
	gone := w.as("clerk").must("DELETE", path, nil)
	if gone.text("email") != "eve@new.example" || gone.body["applied"] != true {
		t.Errorf("withdrawn: %s", gone.raw)
	}
	w.void(t, "invitation_invalid", token)
	w.as("euadmin").must("POST", invitations("globex-eu"), offer("eve@new.example"))

	// withdrawn while its letter waits: there is nothing to send any more
	none := func() bool {
		n, err := w.Store.LettersWaiting(t.Context())
		return err == nil && n == 0
	}
	eventually(t, "the letters of the others", none)
	w.mail.Away()
	path = invitations("globex-eu") + "/" + w.as("euadmin").must("POST", invitations("globex-eu"), offer("bob@new.example")).text("id")
	w.delivery(path, "queued")
	w.op.must("DELETE", path, nil)
	if !none() {
		t.Error("a letter of an invitation that is withdrawn waits to be sent")
	}
}

// TestI1_InvitationsExpire, are marked then, can be sent again, and make room for another.
func TestI1_InvitationsExpire(t *testing.T) {
	w := newInviting(t, oneMachine)
	path, token := w.invite("globex-eu", obj{"email": "late@new.example", "roles": []string{"viewer"}, "invitation_hours": 2})
	wrong := token[:len(token)-1] + "A"
	if wrong == token {
		wrong = token[:len(token)-1] + "B"
	}
	w.clock.forward(2*time.Hour - time.Minute)
	w.nobody().must("POST", "/v1/invitations/preview", obj{"token": token})
	w.clock.forward(2 * time.Minute)
	w.void(t, "invitation_expired", token)
	w.void(t, "invitation_invalid", wrong)
	w.nobody().refuse("invitation_expired", "POST", "/v1/invitations/preview", obj{"token": token})
	list := w.as("euadmin").must("GET", invitations("globex-eu"), nil)
	if first := list.body["invitations"].([]any)[0].(map[string]any); first["expired"] != true {
		t.Errorf("the list says: %s", list.raw)
	}
	again := w.op.must("POST", path+"/resend", byHand(obj{}))
	w.void(t, "invitation_invalid", token)
	w.nobody().must("POST", "/v1/invitations/preview", obj{"token": again.text("token")})

	w.clock.forward(account.DefaultInvitationHours*time.Hour + time.Minute)
	w.void(t, "invitation_expired", again.text("token"))
	_, other := w.invite("globex-eu", offer("late@new.example"))
	w.void(t, "invitation_invalid", again.text("token"))
	w.op.refuse("invitation_not_found", "GET", path, nil)
	w.accept(other)

	// it ends with the membership that it offers, and cannot be sent again after
	soon := w.clock.now().Add(time.Hour).UTC().Truncate(time.Second)
	a := w.op.must("POST", invitations("globex-eu"), byHand(obj{"email": "guest@new.example", "roles": []string{"viewer"}, "membership_expires_at": soon}))
	if a.text("expires_at") != soon.Format(time.RFC3339) {
		t.Errorf("the membership ends at %s, the invitation: %s", soon, a.raw)
	}
	w.clock.forward(2 * time.Hour)
	w.void(t, "invitation_expired", a.text("token"))
	w.op.refuse("expiry_past", "POST", invitations("globex-eu")+"/"+a.text("id")+"/resend", obj{})
}
