package directory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/store"
	"github.com/tenantry/tenantry/schema"
)

// blind is a store in which nobody can look for a user or a membership.
type blind struct{ directory.Store }

func (b blind) Read(ctx context.Context, env account.EnvironmentID, fn func(directory.Reader) error) error {
	return b.Store.Read(ctx, env, func(r directory.Reader) error { return fn(blindReader{r}) })
}

func (b blind) Write(ctx context.Context, env account.EnvironmentID, fn func(directory.Tx) error) error {
	return b.Store.Write(ctx, env, func(tx directory.Tx) error { return fn(blindTx{tx}) })
}

type blindReader struct{ directory.Reader }

func (blindReader) User(context.Context, account.UserID) (account.Versioned[account.User], error) {
	panic("a user is looked for")
}

func (blindReader) UserByEmail(context.Context, string) (account.Versioned[account.User], error) {
	panic("an address is looked for")
}

func (blindReader) Membership(context.Context, account.ID, account.UserID) (account.Versioned[account.Membership], error) {
	panic("a membership is looked for")
}

type blindTx struct{ directory.Tx }

func (blindTx) User(context.Context, account.UserID) (account.Versioned[account.User], error) {
	panic("a user is looked for")
}

func (blindTx) UserByEmail(context.Context, string) (account.Versioned[account.User], error) {
	panic("an address is looked for")
}

func (blindTx) Membership(context.Context, account.ID, account.UserID) (account.Versioned[account.Membership], error) {
	panic("a membership is looked for")
}

// TestI1_InvitingLooksForNoUser: so neither answer nor time can tell whether there is one.
func TestI1_InvitingLooksForNoUser(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, role("r", ""), tenant("globex", ""), person("ada"), member("globex", "ada", "r"))
	h.must(err)
	page := "https://app.example/{token}"
	_, err = h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &page})
	h.must(err)
	catalogue, err := schema.Parse()
	h.must(err)
	woken, now := 0, time.Now()
	d := directory.New(blind{h.store}, h.engine, h.engine, catalogue, directory.Config{Letters: func() { woken++ }, Now: func() time.Time { return now }})
	req := directory.Request{Actor: account.Actor{Environment: "prod", Client: "portal", User: "eve"}}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		sent, err := d.Invite(h.ctx, req, directory.NewInvitation{Account: "globex", Email: email, Roles: []account.RoleKey{"r"}})
		h.must(err)
		id := sent.Value.ID
		_, err = d.Invite(h.ctx, req, directory.NewInvitation{Account: "globex", Email: email, Roles: []account.RoleKey{"r"}})
		code(t, err, "already_invited")
		now = now.Add(directory.ResendPause)
		_, err = d.ResendInvitation(h.ctx, req, "globex", id, directory.Sending{})
		h.must(err)
		_, err = d.ListInvitations(h.ctx, req.Actor, directory.AccountItems{Account: "globex"})
		h.must(err)
		_, err = d.GetInvitation(h.ctx, req.Actor, "globex", id)
		h.must(err)
		_, err = d.WithdrawInvitation(h.ctx, req, "globex", id)
		h.must(err)
	}
	if woken != 4 {
		t.Errorf("%d letters were announced, want 4", woken)
	}
}

// TestI1_ATokenDoesNotShowItsSecret when it is printed or logged; only Reveal does.
func TestI1_ATokenDoesNotShowItsSecret(t *testing.T) {
	token := directory.InvitationToken{Environment: "prod", Invitation: "inv_x", Secret: "hush"}
	for _, text := range []string{token.String(), fmt.Sprintf("%v %+v %#v %s", token, token, token, token), token.LogValue().String()} {
		if strings.Contains(text, "hush") || !strings.Contains(text, "tenantry_invitation_prod.inv_x.") {
			t.Errorf("it shows %s", text)
		}
	}
	if token.Reveal() != "tenantry_invitation_prod.inv_x.hush" {
		t.Errorf("revealed: %s", token.Reveal())
	}
}

// queue is the queue of letters that is in the house's database.
func (h *house) queue() *store.DB {
	return h.store.Store.(*store.DB)
}

// TestI1_LettersOfOneInvitation: each try has a link of its own, and all of them
// are good until the invitation is sent again, withdrawn, or over.
func TestI1_LettersOfOneInvitation(t *testing.T) {
	h := newHouse(t)
	_, err := h.load(directory.LoadOptions{}, role("r", ""), tenant("globex", ""))
	h.must(err)
	page := "https://app.example/{token}?again={token}"
	_, err = h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &page})
	h.must(err)
	catalogue, err := schema.Parse()
	h.must(err)
	now := time.Now()
	d := directory.New(h.store, h.engine, h.engine, catalogue, directory.Config{Letters: func() {}, Now: func() time.Time { return now }})
	db := h.queue()
	sent, err := d.Invite(h.ctx, h.system, directory.NewInvitation{Account: "globex", Email: "ada@example.com", Name: "Ada", Roles: []account.RoleKey{"r"}})
	h.must(err)
	write := func() (link string, ok bool) {
		t.Helper()
		jobs, err := db.DueLetters(h.ctx, 5, 0) // a lease that is over at once
		h.must(err)
		if len(jobs) != 1 {
			t.Fatalf("%d letters are due", len(jobs))
		}
		l, ok, err := d.WriteLetter(h.ctx, jobs[0])
		h.must(err)
		if _, again, err := d.WriteLetter(h.ctx, directory.LetterJob{Environment: "prod", ID: jobs[0].ID, Attempt: jobs[0].Attempt - 1}); again || err != nil {
			t.Errorf("the letter of an older claim is written: %v", err)
		}
		if ok && (l.AccountName != "globex" || l.Invitation.Name != "Ada" || l.InviterName != "") {
			t.Errorf("the letter: %+v", l)
		}
		return l.Link, ok
	}
	good := func(link string) error {
		token := strings.TrimPrefix(strings.Split(link, "?")[0], "https://app.example/")
		if strings.Count(link, token) != 2 {
			t.Errorf("the link is %s", link)
		}
		_, err := d.PreviewInvitation(h.ctx, account.Actor{}, token)
		return err
	}
	first, _ := write()
	second, _ := write()
	if first == second || good(first) != nil || good(second) != nil {
		t.Errorf("two letters: %s %v, %s %v", first, good(first), second, good(second))
	}
	now = now.Add(directory.ResendPause)
	_, err = d.ResendInvitation(h.ctx, h.system, "globex", sent.Value.ID, directory.Sending{Hours: 1})
	h.must(err)
	code(t, good(first), "invitation_invalid")
	code(t, good(second), "invitation_invalid")

	// a page that is gone is a failure, and no end
	none := ""
	_, err = h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &none})
	h.must(err)
	jobs, err := db.DueLetters(h.ctx, 5, 0)
	h.must(err)
	_, _, err = d.WriteLetter(h.ctx, jobs[0])
	code(t, err, "invitation_url_missing")
	_, err = h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &page})
	h.must(err)
	third, _ := write()
	h.must(good(third))

	now = now.Add(2 * time.Hour)
	code(t, good(third), "invitation_expired")
	if _, ok := write(); ok {
		t.Error("a letter of an invitation that is over was written")
	}
	seen, err := d.GetInvitation(h.ctx, h.system.Actor, "globex", sent.Value.ID)
	h.must(err)
	if seen.Value.Delivery.State != directory.LetterFailed || !seen.Value.Expired || !strings.Contains(seen.Value.Delivery.LastError, "expired") {
		t.Errorf("the delivery: %+v", seen.Value)
	}
	_, ok, err := d.WriteLetter(h.ctx, directory.LetterJob{Environment: "prod", ID: "no-such", Attempt: 1})
	if ok || err != nil {
		t.Errorf("a letter that there is not: %t, %v", ok, err)
	}
}
