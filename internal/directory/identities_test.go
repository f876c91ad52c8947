package directory_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/schema"
)

// TestC1_UnlinkingBinds: a subject whose link was taken away does not come back by
// its address, nor does another one with the user's: who unlinks does not know whose they
// are. Either does when it is linked again.
func TestC1_UnlinkingBinds(t *testing.T) {
	h := signingIn(t)
	ada := account.Actor{User: "ada"}
	h.is("login", "1", "ada@example.com", ada)
	unlink := func() {
		t.Helper()
		id := h.identities("ada")[0].ID
		_, err := h.UnlinkIdentity(h.ctx, h.system, "bob", id)
		code(t, err, "identity_not_found")
		_, err = h.UnlinkIdentity(h.ctx, h.system, "ada", id)
		h.must(err)
		_, err = h.UnlinkIdentity(h.ctx, h.system, "ada", id)
		code(t, err, "identity_not_found")
	}
	unlink()
	h.nobody("login", "1", "ada@example.com")
	h.nobody("login", "1", "bob@example.com")
	h.nobody("login", "2", "ada@example.com")
	_, err := h.LinkIdentity(h.ctx, h.system, "ada", directory.NewIdentity{Issuer: loginURL, Subject: "2"})
	h.must(err)
	h.is("login", "2", "", ada)
	unlink()
	h.nobody("login", "3", "ada@example.com")
	_, err = h.LinkIdentity(h.ctx, h.system, "ada", directory.NewIdentity{Issuer: loginURL, Subject: "1"})
	h.must(err)
	h.is("login", "1", "", ada)
	_, err = h.DeleteUser(h.ctx, h.system, "ada")
	h.must(err)
	again := directory.NewUser{ID: "ada", Email: "ada@example.com", Memberships: []directory.Grant{{Account: "globex", Roles: []account.RoleKey{"r"}}}}
	_, err = h.CreateUser(h.ctx, h.system, again)
	h.must(err)
	h.is("login", "1", "ada@example.com", ada)
}

// TestC1_LinksAreOfOneUser: a subject is nobody's second way in.
func TestC1_LinksAreOfOneUser(t *testing.T) {
	h := signingIn(t)
	link := func(user account.UserID, issuer, subject string) error {
		_, err := h.LinkIdentity(h.ctx, h.system, user, directory.NewIdentity{Issuer: issuer, Subject: subject})
		return err
	}
	h.must(link("ada", loginURL, "1"))
	h.must(link("ada", loginURL, "2")) // a person may have two
	code(t, link("bob", loginURL, "1"), "identity_exists")
	h.must(link("bob", loginURL, "1 "))
	code(t, link("bob", staffURL, "1"), "invalid_purpose")
	code(t, link("bob", "https://nowhere.example", "1"), "issuer_not_found")
	code(t, link("nobody", loginURL, "3"), "user_not_found")
	code(t, link("no body", loginURL, "3"), "invalid_id")
	code(t, link("bob", loginURL, "\x00"), "invalid_subject")
	h.must(link("eve", loginURL, "3")) // blocked, and stays so
	_, err := h.signIn("login", "3", "")
	code(t, err, "user_blocked")
	_, err = h.ListIdentities(h.ctx, account.Actor{Environment: "prod", User: "bob"}, "bob")
	h.must(err)
	h.engine.deny = true
	_, err = h.ListIdentities(h.ctx, account.Actor{Environment: "prod", User: "bob"}, "ada")
	code(t, err, "permission_denied")
	_, err = h.LinkIdentity(h.ctx, directory.Request{Actor: account.Actor{Environment: "prod", User: "bob"}}, "bob", directory.NewIdentity{Issuer: loginURL, Subject: "4"})
	code(t, err, "permission_denied")
}

// TestC1_LinkingAtOnce: an operator, an acceptance and a first request do not link two users to one subject.
func TestC1_LinkingAtOnce(t *testing.T) {
	h := signingIn(t)
	vouched := h.vouch("login", "1", "ada@example.com")
	var all sync.WaitGroup
	var signedIn, linked error
	all.Go(func() { _, signedIn = h.SignIn(h.ctx, "prod", vouched) })
	all.Go(func() {
		_, linked = h.LinkIdentity(h.ctx, h.system, "bob", directory.NewIdentity{Issuer: loginURL, Subject: "1"})
	})
	all.Wait()
	if linked != nil {
		code(t, linked, "identity_exists")
	}
	h.must(signedIn) // as ada or as bob, whoever came first
	if n := len(h.identities("ada")) + len(h.identities("bob")); n != 1 {
		t.Errorf("%d links", n)
	}
}

// invited sends an invitation whose token is returned.
func (h *house) invited(email string) string {
	h.t.Helper()
	sent, err := h.Invite(h.ctx, h.system, directory.NewInvitation{
		Account: "globex", Email: email, Roles: []account.RoleKey{"r"}, Sending: directory.Sending{Link: directory.ByHand},
	})
	h.must(err)
	return sent.Value.Token.Reveal()
}

// mailed invites an address by mail, and returns the token in the letter.
func (h *house) mailed(email string) string {
	h.t.Helper()
	page := "https://app.example/{token}"
	_, err := h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{InvitationURL: &page})
	h.must(err)
	catalogue, err := schema.Parse()
	h.must(err)
	d := directory.New(h.store, h.engine, h.engine, catalogue, directory.Config{Letters: func() {}})
	_, err = d.Invite(h.ctx, h.system, directory.NewInvitation{Account: "globex", Email: email, Roles: []account.RoleKey{"r"}})
	h.must(err)
	jobs, err := h.queue().DueLetters(h.ctx, 5, 0)
	h.must(err)
	if len(jobs) != 1 {
		h.t.Fatalf("%d letters are due", len(jobs))
	}
	letter, _, err := d.WriteLetter(h.ctx, jobs[0])
	h.must(err)
	return strings.TrimPrefix(letter.Link, "https://app.example/")
}

func (h *house) accept(token string, v directory.Vouched, env account.EnvironmentID) (directory.Result[directory.Accepted], error) {
	return h.AcceptInvitation(h.ctx, directory.Request{Actor: account.Actor{Environment: env}}, token, directory.Acceptance{Identity: &v})
}

// TestI1_AcceptingAddsNoWayIn to a user who signs in already, whoever has the link.
func TestI1_AcceptingAddsNoWayIn(t *testing.T) {
	h := signingIn(t)
	h.issuer(account.Issuer{ID: "public", URL: "https://public.example", Purpose: account.ForUsers, LinkByEmail: true})
	h.is("login", "1", "ada@example.com", account.Actor{User: "ada"})
	mallory := h.vouch("public", "m", "ada@example.com")
	token := h.invited("ada@example.com")
	before := h.head()
	for _, v := range []directory.Vouched{mallory, h.vouch("login", "2", "ada@example.com"), h.vouch("staff", "1", "")} {
		_, err := h.accept(token, v, "prod")
		code(t, err, "identity_conflict")
	}
	_, err := h.accept(token, mallory, "dev")
	code(t, err, "invitation_invalid")
	_, err = h.accept(token, directory.Vouched{Issuer: mallory.Issuer}, "prod")
	code(t, err, "identity_unknown")
	if h.head() != before {
		t.Error("what was refused left a trace")
	}
	_, err = h.accept(token, h.vouch("login", "1", ""), "prod")
	h.must(err)

	// one who has not signed in yet is whoever has the link, also one who was unlinked before
	_, err = h.accept(h.mailed("bob@example.com"), h.vouch("public", "b", ""), "prod")
	h.must(err)
	h.is("public", "b", "", account.Actor{User: "bob"})
	_, err = h.UnlinkIdentity(h.ctx, h.system, "bob", h.identities("bob")[0].ID)
	h.must(err)
	h.nobody("public", "b", "bob@example.com")
	_, err = h.accept(h.mailed("bob@example.com"), h.vouch("public", "b", ""), "prod")
	h.must(err)
	h.is("public", "b", "", account.Actor{User: "bob"})

	// not by a link that an operator was given: who makes one is not whose mailbox it is
	_, err = h.UnlinkIdentity(h.ctx, h.system, "bob", h.identities("bob")[0].ID)
	h.must(err)
	_, err = h.accept(h.invited("bob@example.com"), h.vouch("public", "b", ""), "prod")
	code(t, err, "identity_conflict")
	h.nobody("public", "b", "bob@example.com")

	// a blocked one is nobody
	_, err = h.accept(h.invited("eve@example.com"), h.vouch("public", "e", ""), "prod")
	code(t, err, "user_blocked")
	// and the subject of one user does not become another
	made, err := h.accept(h.invited("new@example.com"), h.vouch("public", "n", ""), "prod")
	h.must(err)
	if !made.Value.NewUser || h.lastEntry().Kind != account.InvitationAccepted || len(h.identities(made.Value.User.ID)) != 1 {
		t.Errorf("accepted: %+v", made.Value)
	}
	_, err = h.accept(h.invited("newer@example.com"), h.vouch("public", "n", ""), "prod")
	code(t, err, "identity_conflict")
}

// TestE3_IssuersAreFew, of each address one.
func TestE3_IssuersAreFew(t *testing.T) {
	h := newHouse(t)
	for i := range directory.MaxIssuers {
		h.issuer(account.Issuer{URL: fmt.Sprintf("https://i%d.example", i), Purpose: account.ForUsers})
	}
	_, err := h.CreateIssuer(h.ctx, h.system, account.Issuer{URL: "https://one-more.example", Purpose: account.ForUsers, Audiences: []string{"x"}})
	code(t, err, "too_many_issuers")
	_, err = h.CreateIssuer(h.ctx, h.system, account.Issuer{URL: "https://i3.example", Purpose: account.ForOperators, Audiences: []string{"x"}})
	code(t, err, "issuer_exists")
	all, err := h.ListIssuers(h.ctx, h.system.Actor)
	h.must(err)
	_, err = h.UpdateIssuer(h.ctx, h.system, all[0].Value.ID, directory.IssuerPatch{})
	h.must(err)
	none := []string{}
	_, err = h.UpdateIssuer(h.ctx, h.system, all[0].Value.ID, directory.IssuerPatch{Audiences: &none})
	code(t, err, "missing_audience")
	head := h.head()
	_, err = h.DeleteIssuer(h.ctx, directory.Request{Actor: h.system.Actor, IfMatch: head + 1}, all[0].Value.ID)
	code(t, err, "stale")
	h.engine.deny = true
	viewer := directory.Request{Actor: account.Actor{Environment: "prod", Client: "x"}}
	_, err = h.CreateIssuer(h.ctx, viewer, account.Issuer{URL: "https://x.example", Purpose: account.ForUsers, Audiences: []string{"x"}})
	code(t, err, "permission_denied")
	_, err = h.DeleteIssuer(h.ctx, viewer, "no-such")
	code(t, err, "permission_denied")
}

// TestE4_OneIDIsOneOperator of either kind, also when both are made at once.
func TestE4_OneIDIsOneOperator(t *testing.T) {
	h := newHouse(t)
	for i := range 5 {
		id := account.ClientID(fmt.Sprint("id", i))
		var all sync.WaitGroup
		var asClient, asPerson error
		all.Go(func() {
			_, _, asClient = h.CreateClient(h.ctx, h.system, account.Client{ID: id, Roles: []account.PortalRole{account.PortalAdmin}})
		})
		all.Go(func() {
			_, asPerson = h.CreateOperator(h.ctx, h.system, account.Operator{ID: id, Email: string(id) + "@vendor.example", Roles: []account.PortalRole{account.BackofficeViewer}})
		})
		all.Wait()
		if (asClient == nil) == (asPerson == nil) || asClient != nil && !fault.HasCode(asClient, "client_exists") || asPerson != nil && !fault.HasCode(asPerson, "operator_exists") {
			t.Errorf("a client: %v, a person: %v", asClient, asPerson)
		}
	}
}

// TestE4_AnEnvironmentWithAnAdmin: all of it, or nothing.
func TestE4_AnEnvironmentWithAnAdmin(t *testing.T) {
	h := newHouse(t)
	req := directory.Request{Actor: account.Actor{System: true}}
	good := directory.FirstAdmin{Email: "Mara@Vendor.example", Issuer: staffURL, Audience: "tenantry"}
	for _, c := range []struct {
		env   account.Environment
		admin directory.FirstAdmin
		code  string
	}{
		{account.Environment{ID: "new"}, directory.FirstAdmin{Email: "mara", Issuer: staffURL, Audience: "x"}, "invalid_email"},
		{account.Environment{ID: "new"}, directory.FirstAdmin{Email: good.Email, Issuer: "staff", Audience: "x"}, "invalid_issuer"},
		{account.Environment{ID: "new"}, directory.FirstAdmin{Email: good.Email, Issuer: staffURL}, "invalid_audience"},
		{account.Environment{ID: "new", MaxDepth: 99}, good, "invalid_max_depth"},
		{account.Environment{ID: "prod"}, good, "environment_exists"},
	} {
		_, err := h.CreateEnvironmentFor(h.ctx, req, c.env, c.admin)
		code(t, err, c.code)
	}
	if envs, err := h.Environments(h.ctx, req.Actor); err != nil || len(envs) != 1 {
		t.Errorf("environments: %v, %v", envs, err)
	}
	_, err := h.CreateEnvironmentFor(h.ctx, directory.Request{Actor: account.Actor{Environment: "prod", Client: "op"}}, account.Environment{ID: "new"}, good)
	code(t, err, "permission_denied")
	_, err = h.CreateEnvironmentFor(h.ctx, req, account.Environment{ID: "new"}, good)
	h.must(err)
	issuer, err := h.GetIssuer(h.ctx, account.Actor{Environment: "new", System: true}, "operators")
	h.must(err)
	got, err := h.SignIn(h.ctx, "new", directory.Vouched{Issuer: issuer.Value, Subject: "1", Email: "mara@vendor.example"})
	if err != nil || !got.Person {
		t.Errorf("the admin: %+v, %v", got, err)
	}
	_, err = h.SignIn(h.ctx, "new", directory.Vouched{Issuer: issuer.Value, Subject: "2", Email: "mara@elsewhere.example"})
	code(t, err, "identity_unknown")
}
