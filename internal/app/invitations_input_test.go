package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// TestI1_WhatIsWrongIsSaid with a code and a field, and leaves nothing.
func TestI1_WhatIsWrongIsSaid(t *testing.T) {
	w := newInviting(t, oneMachine)
	path, _ := w.invite("globex", offer("there@new.example"))
	with := func(name string, value any) obj {
		body := offer("new@new.example")
		body[name] = value
		return body
	}
	w.op.must("POST", "/v1/roles", obj{"key": "fr", "account": "globex-eu-fr", "permissions": []string{}})
	w.op.must("POST", "/v1/accounts", obj{"id": "leaf", "name": "Leaf", "parent": "globex"})
	w.branch("always_on")
	always := "account-1"
	past := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	before := w.export("prod")
	head := w.head("prod")
	for _, c := range []struct {
		name, id    string
		body        any
		status      int
		code, field string
	}{
		{"no such account", "no-such", offer("a@b.example"), 404, "account_not_found", ""},
		{"malformed account", "a%20b", offer("a@b.example"), 422, "invalid_id", "account"},
		{"no address", "globex", obj{"roles": []string{"viewer"}}, 422, "invalid_request", "email"},
		{"no e-mail address", "globex", offer("ada"), 422, "invalid_email", "email"},
		{"two addresses", "globex", offer("a@b.example, c@d.example"), 422, "invalid_email", "email"},
		{"a line break", "globex", offer("a@b.example\r\nBcc: c@d.example"), 422, "invalid_email", "email"},
		{"a name of two lines", "globex", with("name", "a\r\nBcc: c@d.example"), 422, "invalid_name", "name"},
		{"a long name", "globex", with("name", strings.Repeat("a", 201)), 422, "name_too_long", "name"},
		{"no role", "globex", with("roles", []string{}), 422, "missing_role", "roles"},
		{"unknown role", "globex", with("roles", []string{"no-such"}), 404, "role_not_found", "roles"},
		{"role of another branch", "globex", with("roles", []string{"fr"}), 422, "role_out_of_branch", "roles"},
		{"no parent account", "leaf", with("sub_account_access", true), 409, "not_a_parent_account", "sub_account_access"},
		{"withheld from always_on", always, with("sub_account_access", false), 409, "always_on", "sub_account_access"},
		{"membership in the past", "globex", with("membership_expires_at", past), 422, "expiry_past", "membership_expires_at"},
		{"membership for ever", "globex", with("membership_expires_at", "9999-12-31T23:59:59-10:00"), 422, "invalid_time", "membership_expires_at"},
		{"no hours", "globex", with("invitation_hours", 0), 422, "invalid_lifetime", "invitation_hours"},
		{"many hours", "globex", with("invitation_hours", account.MaxInvitationHours+1), 422, "invalid_lifetime", "invitation_hours"},
		{"unknown delivery", "globex", with("delivery", "pigeon"), 422, "invalid_request", "delivery"},
		{"unknown field", "globex", with("user", "ada"), 422, "invalid_request", "user"},
		{"invited already", "globex", offer("THERE@new.example"), 409, "already_invited", "email"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.op.in(t).do("POST", invitations(c.id), c.body).is(t, c.status, c.code, c.field)
		})
	}
	w.op.do("POST", path+"/resend", obj{"invitation_hours": -3}).is(t, 422, "invalid_lifetime", "invitation_hours")
	w.op.do("GET", invitations("no-such"), nil).is(t, 404, "account_not_found", "")
	w.op.do("GET", invitations("globex")+"/a%20b", nil).is(t, 422, "invalid_id", "invitation")
	w.op.do("GET", invitations("globex")+"?limit=0&cursor=x", nil).is(t, 422, "invalid_cursor", "cursor")
	if w.export("prod") != before || w.head("prod") != head {
		t.Error("something was written")
	}
	if n, err := w.Store.LettersWaiting(t.Context()); err != nil || n != 0 {
		t.Errorf("%d letters wait, %v", n, err)
	}
}

// TestI1_WithoutMail: what cannot be sent is refused, and operators may send it themselves.
func TestI1_WithoutMail(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.as("euadmin").do("POST", invitations("globex-eu"), offer("a@new.example")).is(t, 409, "mail_not_configured", "delivery")
	a := w.op.must("POST", invitations("globex-eu"), byHand(offer("a@new.example")))
	if a.text("token") == "" || a.body["link"] != nil || a.body["delivery"] != nil {
		t.Errorf("without a page: %s", a.raw)
	}
	w.accept(a.text("token"))
	w.setPages()
	a = w.op.must("POST", invitations("globex-eu"), byHand(offer("b@new.example")))
	if want := strings.Replace(acceptPage, "{token}", url.QueryEscape(a.text("token")), 1); a.text("link") != want {
		t.Errorf("the link is %s, want %s", a.text("link"), want)
	}

	mailing := newInviting(t, oneMachine)
	mailing.op.must("PATCH", "/v1/environment", obj{"invitation_url": ""})
	mailing.as("euadmin").do("POST", invitations("globex-eu"), offer("a@new.example")).is(t, 409, "invitation_url_missing", "")
	mailing.invite("globex-eu", offer("a@new.example"))
}

// TestI1_ARepeatedInvitationIsOne: under an idempotency key; a link is shown once.
func TestI1_ARepeatedInvitationIsOne(t *testing.T) {
	w := newInviting(t, oneMachine)
	for _, body := range []obj{offer("a@new.example"), byHand(offer("b@new.example"))} {
		key := []string{"Idempotency-Key", "key-" + body["email"].(string)}
		first := w.op.must("POST", invitations("globex"), body, key...)
		again := w.op.must("POST", invitations("globex"), body, key...)
		if first.text("id") != again.text("id") || again.body["token"] != nil || again.body["link"] != nil {
			t.Errorf("first %s, then %s", first.raw, again.raw)
		}
		body["name"] = "Another"
		w.op.refuse("idempotency_key_reused", "POST", invitations("globex"), body, key...)
	}
	w.mail.Await(1)
	eventually(t, "an empty queue", func() bool {
		n, err := w.Store.LettersWaiting(t.Context())
		return err == nil && n == 0
	})
	if n := len(w.mail.Letters()); n != 1 {
		t.Errorf("%d letters were sent", n)
	}
}

// TestI1_InvitationsAreListed in pages, searchable, of one account and of all.
func TestI1_InvitationsAreListed(t *testing.T) {
	w := newInviting(t, oneMachine)
	for _, email := range []string{"ada@new.example", "bob@new.example", "Cyd@New.example"} {
		w.invite("globex", offer(email))
		w.invite("initech", offer(email))
	}
	count := func(c caller, path string) (ids []string, total int) {
		t.Helper()
		for cursor := ""; ; {
			a := c.must("GET", path+"cursor="+cursor, nil)
			ids, total = append(ids, a.list("invitations", "id")...), int(a.body["total"].(float64))
			if cursor = a.text("next_cursor"); cursor == "" {
				return ids, total
			}
		}
	}
	for path, want := range map[string]int{
		invitations("globex") + "?limit=2&": 3, invitations("globex") + "?q=CYD@&": 1, invitations("globex") + "?q=none&": 0,
		"/v1/invitations?limit=1&": 6, "/v1/invitations?q=cyd&": 2, invitations("globex-eu") + "?": 0,
	} {
		if ids, total := count(w.op, path); len(ids) != want || total != want {
			t.Errorf("%s: %d of %d, want %d", path, len(ids), total, want)
		}
	}
	if ids, _ := count(w.as("owner"), invitations("globex")+"?"); len(ids) != 3 {
		t.Errorf("the owner sees %v", ids)
	}
	list := w.as("owner").must("GET", invitations("globex"), nil)
	if strings.Contains(string(list.raw), "tenantry_invitation") || strings.Contains(string(list.raw), "initech") {
		t.Errorf("the list shows: %s", list.raw)
	}
}
