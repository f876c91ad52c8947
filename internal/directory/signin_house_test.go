package directory_test

import (
	"errors"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

const (
	loginURL = "https://login.example"
	staffURL = "https://staff.example"
)

// signingIn is a house with ada, bob and blocked eve, and the operator mara; users
// and operators each have an issuer that links by addresses.
func signingIn(t testing.TB) *house {
	t.Helper()
	h := newHouse(t)
	records := []directory.Record{role("r", ""), tenant("globex", "")}
	for _, u := range []account.UserID{"ada", "bob", "eve"} {
		records = append(records, person(u), member("globex", u, "r"))
	}
	_, err := h.load(directory.LoadOptions{}, records...)
	h.must(err)
	_, err = h.BlockUser(h.ctx, h.system, "eve", false)
	h.must(err)
	h.issuer(account.Issuer{ID: "login", URL: loginURL, Purpose: account.ForUsers, LinkByEmail: true, EmailDomains: []string{"example.com"}})
	h.issuer(account.Issuer{ID: "staff", URL: staffURL, Purpose: account.ForOperators, LinkByEmail: true, EmailDomains: []string{"vendor.example"}})
	_, err = h.CreateOperator(h.ctx, h.system, account.Operator{ID: "mara", Email: "Mara@vendor.example", Roles: []account.PortalRole{account.PortalAdmin}})
	h.must(err)
	return h
}

func (h *house) issuer(i account.Issuer) {
	h.t.Helper()
	i.Audiences = []string{"shop"}
	_, err := h.CreateIssuer(h.ctx, h.system, i)
	h.must(err)
}

// vouch is what an issuer says, as it is known now.
func (h *house) vouch(id account.IssuerID, subject, email string) directory.Vouched {
	h.t.Helper()
	i, err := h.GetIssuer(h.ctx, h.system.Actor, id)
	h.must(err)
	return directory.Vouched{Issuer: i.Value, Subject: subject, Email: email}
}

func (h *house) signIn(id account.IssuerID, subject, email string) (account.Actor, error) {
	h.t.Helper()
	return h.SignIn(h.ctx, "prod", h.vouch(id, subject, email))
}

// is sees who a subject is.
func (h *house) is(id account.IssuerID, subject, email string, want account.Actor) {
	h.t.Helper()
	got, err := h.signIn(id, subject, email)
	want.Environment = "prod"
	if err != nil || got != want {
		h.t.Errorf("%s of %s: %+v, %v; want %+v", subject, id, got, err, want)
	}
}

// nobody sees that a subject is nobody, and that nothing was written.
func (h *house) nobody(id account.IssuerID, subject, email string) {
	h.t.Helper()
	before := h.head()
	got, err := h.signIn(id, subject, email)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "identity_unknown" || got != (account.Actor{}) {
		h.t.Errorf("%s of %s with %q: %+v, %v", subject, id, email, got, err)
	}
	if err != nil && fault.From(err).Text != "the token is good, and its subject is linked to nobody in this environment; accept an invitation with it, or ask an operator" {
		h.t.Errorf("callers are told more: %v", err)
	}
	if h.head() != before {
		h.t.Errorf("%s of %s with %q left a trace", subject, id, email)
	}
}

func (h *house) head() account.Version {
	h.t.Helper()
	v, err := h.store.Head(h.ctx, "prod")
	h.must(err)
	return v
}

func (h *house) identities(user account.UserID) []account.Identity {
	h.t.Helper()
	all, err := h.ListIdentities(h.ctx, h.system.Actor, user)
	h.must(err)
	var out []account.Identity
	for _, i := range all {
		out = append(out, i.Value)
	}
	return out
}

func (h *house) lastEntry() account.Entry {
	h.t.Helper()
	e, err := h.Log(h.ctx, h.system.Actor, directory.LogFilter{After: h.head() - 1})
	h.must(err)
	return e.Entries[0].Entry
}
