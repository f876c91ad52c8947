package directory_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// TestC1_TheFirstRequestLinks: the verified address says who it is, once; from then on the subject does.
func TestC1_TheFirstRequestLinks(t *testing.T) {
	h := signingIn(t)
	ctx := directory.WithOrigin(h.ctx, directory.Origin{RequestID: "req1", From: "192.0.2.7"})
	got, err := h.SignIn(ctx, "prod", h.vouch("login", "1", "ADA@example.com"))
	if err != nil || got != (account.Actor{Environment: "prod", User: "ada"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	e := h.lastEntry()
	if e.Kind != account.IdentityLinked || e.Actor.User != "ada" || e.From != "192.0.2.7" || e.RequestID != "req1" || len(e.Changes) != 1 {
		t.Errorf("the entry: %+v", e)
	}
	head := h.head()
	ada := account.Actor{User: "ada"}
	h.is("login", "1", "ada@example.com", ada)
	h.is("login", "1", "", ada)                // the address is of no matter any more
	h.is("login", "1", "bob@example.com", ada) // nor is another's
	if h.head() != head {
		t.Error("signing in again writes")
	}
	moved := "other@example.com"
	_, err = h.UpdateUser(h.ctx, h.system, "ada", directory.UserPatch{Email: &moved})
	h.must(err)
	h.is("login", "1", "", ada)
	h.is("login", "2", "bob@example.com", account.Actor{User: "bob"})
}

// TestE3_NobodyIsLinkedFromElsewhere than where the environment lets requests come from; nor is it told whom there is to link.
func TestE3_NobodyIsLinkedFromElsewhere(t *testing.T) {
	h := signingIn(t)
	office := []string{"192.0.2.0/24"}
	_, err := h.UpdateEnvironment(h.ctx, h.system, directory.EnvironmentPatch{IPAllowList: &office})
	h.must(err)
	before := h.head()
	from := func(address, subject, email string) error {
		ctx := directory.WithOrigin(h.ctx, directory.Origin{From: address})
		_, err := h.SignIn(ctx, "prod", h.vouch("login", subject, email))
		return err
	}
	for _, address := range []string{"198.51.100.1", ""} {
		code(t, from(address, "1", "ada@example.com"), "ip_not_allowed")
		code(t, from(address, "1", "nobody@example.com"), "ip_not_allowed")
	}
	if h.head() != before {
		t.Error("somebody was linked")
	}
	h.must(from("192.0.2.7", "1", "ada@example.com"))
	h.must(from("198.51.100.1", "1", "ada@example.com")) // who is known is let in, or not, by whoever asks
}

// TestC1_TakeOverByAddress: an address links nobody who is linked already, who is
// blocked, or whose provider's word does not count.
func TestC1_TakeOverByAddress(t *testing.T) {
	h := signingIn(t)
	h.issuer(account.Issuer{ID: "public", URL: "https://public.example", Purpose: account.ForUsers, LinkByEmail: true})
	h.issuer(account.Issuer{ID: "strict", URL: "https://strict.example", Purpose: account.ForUsers})
	h.is("login", "1", "ada@example.com", account.Actor{User: "ada"})

	h.nobody("login", "2", "ada@example.com")            // another subject with the address
	h.nobody("public", "1", "ada@example.com")           // the same sub and address, at another issuer
	h.nobody("login", "1 ", "ada@example.com")           // subjects are compared byte by byte
	h.nobody("login", "\uFF11", "ada@example.com")       // a 1 of full width
	h.nobody("strict", "1", "bob@example.com")           // an issuer that does not link
	h.nobody("login", "3", "")                           // no address, or none that is verified
	h.nobody("login", "3", "nobody@example.com")         // nobody's
	h.nobody("login", "3", "eve@example.com")            // who is blocked
	h.nobody("login", "3", "bob@initech.example")        // a domain for which its word does not count
	h.nobody("login", "3", "b\u043eb@example.com")       // a Cyrillic o
	h.nobody("login", "", "bob@example.com")             // no subject
	h.nobody("login", "3\n", "bob@example.com")          // none that can be
	h.nobody("login", "3", "mara@vendor.example")        // an operator's address at an issuer for users
	h.nobody("public", "3", "mara@vendor.example")       //
	h.nobody("staff", "3", "bob@example.com")            // a user's address at an issuer for operators
	h.nobody("staff", "3", "mara@vendor.example.evil.x") //
	if n := len(h.identities("bob")) + len(h.identities("eve")); n != 0 {
		t.Errorf("%d links were made", n)
	}

	// case folds k and i in ways that are not the mailbox's
	kim := directory.NewUser{ID: "kim", Email: "kim@example.com", Memberships: []directory.Grant{{Account: "globex", Roles: []account.RoleKey{"r"}}}}
	_, err := h.CreateUser(h.ctx, h.system, kim)
	h.must(err)
	h.nobody("login", "4", "\u212Aim@example.com")
	h.nobody("login", "4", "k\u0130m@example.com")
	h.is("login", "4", "KIM@EXAMPLE.COM", account.Actor{User: "kim"})
}

// TestC1_WhatTheIssuerMayIsAskedNow: what was trusted when the token was looked at may have ended since.
func TestC1_WhatTheIssuerMayIsAskedNow(t *testing.T) {
	h := signingIn(t)
	before := h.vouch("login", "1", "ada@example.com")
	off := false
	_, err := h.UpdateIssuer(h.ctx, h.system, "login", directory.IssuerPatch{LinkByEmail: &off})
	h.must(err)
	_, err = h.SignIn(h.ctx, "prod", before)
	code(t, err, "identity_unknown")
	_, err = h.DeleteIssuer(h.ctx, h.system, "login")
	h.must(err)
	_, err = h.SignIn(h.ctx, "prod", before)
	code(t, err, "identity_unknown")
	h.issuer(account.Issuer{ID: "again", URL: loginURL, Purpose: account.ForOperators, LinkByEmail: true, EmailDomains: []string{"example.com"}})
	_, err = h.SignIn(h.ctx, "prod", before)
	code(t, err, "identity_unknown")
	_, err = h.SignIn(h.ctx, "prod", directory.Vouched{Issuer: account.Issuer{URL: loginURL}, Subject: "1", Email: "ada@example.com"})
	code(t, err, "identity_unknown")
}

// TestU5_ABlockedUserSignsInNoMore and is told so, since it is them.
func TestU5_ABlockedUserSignsInNoMore(t *testing.T) {
	h := signingIn(t)
	h.is("login", "1", "ada@example.com", account.Actor{User: "ada"})
	_, err := h.BlockUser(h.ctx, h.system, "ada", false)
	h.must(err)
	got, err := h.signIn("login", "1", "")
	code(t, err, "user_blocked")
	if got != (account.Actor{}) {
		t.Errorf("who it is: %+v", got)
	}
	_, err = h.UnblockUser(h.ctx, h.system, "ada")
	h.must(err)
	h.is("login", "1", "", account.Actor{User: "ada"})
}

// TestC1_ASubjectOfAUserWhoIsGone is nobody, and not who is made anew with the same id.
func TestC1_ASubjectOfAUserWhoIsGone(t *testing.T) {
	again := directory.NewUser{ID: "ada", Email: "new@example.com", Memberships: []directory.Grant{{Account: "globex", Roles: []account.RoleKey{"r"}}}}
	for name, remove := range map[string]func(h *house) error{
		"deleted": func(h *house) error { _, err := h.DeleteUser(h.ctx, h.system, "ada"); return err },
		"with the last membership": func(h *house) error {
			_, err := h.RemoveMembership(h.ctx, h.system, "globex", "ada", true)
			return err
		},
		"with the account": func(h *house) error {
			_, err := h.DeleteAccount(h.ctx, h.system, "globex", true)
			if err == nil {
				_, err = h.load(directory.LoadOptions{}, tenant("globex", ""))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := signingIn(t)
			h.is("login", "1", "ada@example.com", account.Actor{User: "ada"})
			h.must(remove(h))
			h.nobody("login", "1", "ada@example.com")
			_, err := h.CreateUser(h.ctx, h.system, again)
			h.must(err)
			h.nobody("login", "1", "ada@example.com")
			h.is("login", "1", "new@example.com", account.Actor{User: "ada"}) // whose address it is now
		})
	}
}

// TestC1_FirstRequestsAtOnce: of one subject all succeed with one link, of two one wins.
func TestC1_FirstRequestsAtOnce(t *testing.T) {
	h := signingIn(t)
	atOnce := func(subjects []string, email string) (users []account.UserID, refused int) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, subject := range subjects {
			vouched := h.vouch("login", subject, email)
			all.Go(func() {
				got, err := h.SignIn(h.ctx, "prod", vouched)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					users = append(users, got.User)
				case fault.HasCode(err, "identity_unknown"):
					refused++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		return users, refused
	}
	same, refused := atOnce(slices.Repeat([]string{"1"}, 8), "ada@example.com")
	if len(same) != 8 || refused != 0 || len(h.identities("ada")) != 1 {
		t.Errorf("one subject: %v, %d refused, %d links", same, refused, len(h.identities("ada")))
	}
	var subjects []string
	for i := range 8 {
		subjects = append(subjects, fmt.Sprint("s", i))
	}
	won, refused := atOnce(subjects, "bob@example.com")
	if len(won) != 1 || refused != 7 || len(h.identities("bob")) != 1 {
		t.Errorf("eight subjects: %v, %d refused, %d links", won, refused, len(h.identities("bob")))
	}
}

// TestE4_OperatorsSignIn as users do, at issuers of their own.
func TestE4_OperatorsSignIn(t *testing.T) {
	h := signingIn(t)
	mara := account.Actor{Client: "mara", Person: true}
	h.nobody("staff", "m", "mara@elsewhere.example")
	h.is("staff", "m", "mara@vendor.example", mara)
	e := h.lastEntry()
	if e.Kind != account.OperatorLinked || e.Actor.Client != "mara" || !e.Actor.Person || e.Changes[0].After.Operator.Subject != "m" {
		t.Errorf("the entry: %+v", e)
	}
	h.is("staff", "m", "", mara)
	h.nobody("staff", "n", "mara@vendor.example")
	h.nobody("login", "m", "mara@vendor.example")
	moved := "mara.new@vendor.example"
	_, err := h.UpdateOperator(h.ctx, h.system, "mara", directory.OperatorPatch{Email: &moved})
	h.must(err)
	h.is("staff", "m", "", mara)
	h.nobody("staff", "n", moved)
	_, err = h.DeleteOperator(h.ctx, h.system, "mara")
	h.must(err)
	h.nobody("staff", "m", moved)
}

// TestE1_ASubjectIsSomebodyInOneEnvironment: links of one say nothing in another.
func TestE1_ASubjectIsSomebodyInOneEnvironment(t *testing.T) {
	h := signingIn(t)
	h.is("login", "1", "ada@example.com", account.Actor{User: "ada"})
	system := directory.Request{Actor: account.Actor{System: true}}
	_, err := h.CreateEnvironment(h.ctx, system, account.Environment{ID: "dev"})
	h.must(err)
	_, err = h.SignIn(h.ctx, "dev", h.vouch("login", "1", "ada@example.com"))
	code(t, err, "identity_unknown")
	_, err = h.SignIn(h.ctx, "nowhere", h.vouch("login", "1", "ada@example.com"))
	code(t, err, "environment_not_found")
}
