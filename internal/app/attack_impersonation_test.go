package app_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// supporting is a world with a client, and a person who signs in, who may impersonate.
type supporting struct {
	*world
	desk  caller // the client: scopes admin, check and read
	mara  caller // the person
	staff *testoidc.Fake
}

func newSupporting(t *testing.T) *supporting {
	t.Helper()
	cfg := oneMachine.make(t)
	cfg.InsecureIssuers = true
	s := &supporting{world: furnished(t, cfg), staff: testoidc.NewFake(t)}
	roles := []account.PortalRole{account.Impersonator, account.BackofficeViewer}
	_, secret, err := s.Directory.CreateClient(t.Context(), s.system(), account.Client{ID: "desk", Roles: roles, Scopes: "admin check read"})
	if err != nil {
		t.Fatal(err)
	}
	s.desk = caller{s: s.service, token: identity.FormatToken("prod", "desk", secret)}
	s.op.must("POST", "/v1/environment/issuers", obj{"id": "staff", "url": s.staff.Issuer, "audiences": []string{testoidc.Audience}, "purpose": "operators"})
	s.op.must("POST", "/v1/environment/operators", obj{"id": "mara", "email": "mara@vendor.example", "roles": roles, "issuer": s.staff.Issuer, "subject": "m"})
	s.mara = caller{s: s.service, token: s.staff.Token(testoidc.Claims{"sub": "m"})}
	return s
}

// begin begins an impersonation of the owner, and opens an account in it.
func (s *supporting) begin(by caller, headers ...string) map[string]caller {
	s.t.Helper()
	a := by.must("POST", "/v1/users/owner/impersonate", obj{"reason": "Ticket 1"}, headers...)
	session := caller{s: s.service, token: a.body["token"].(string)}
	return map[string]caller{"the session": session, "its account": s.opened(session, "globex-eu")}
}

// TestAttack_ImpersonationOutlivesItsBeginning: once what the operator was known by is good no more, so is what was begun with it.
func TestAttack_ImpersonationOutlivesItsBeginning(t *testing.T) {
	s := newSupporting(t)
	var fresh string
	for _, c := range []struct {
		name string
		by   caller
		end  func()
	}{
		{"the client's secret is replaced", s.desk, func() {
			fresh = s.op.must("POST", "/v1/environment/clients/desk/secrets", obj{"overlap_hours": 0}).body["token"].(string)
		}},
		{"the client's scopes are narrowed", caller{}, func() {
			s.op.must("PATCH", "/v1/environment/clients/desk", obj{"scopes": []string{"admin", "check"}})
		}},
		{"the client's secret is revoked", caller{}, func() {
			for _, id := range s.op.must("GET", "/v1/environment/clients/desk/secrets", nil).list("secrets", "id") {
				s.op.must("DELETE", "/v1/environment/clients/desk/secrets/"+id, nil)
			}
		}},
		{"the person's audience is taken no more", s.mara, func() {
			s.op.must("PATCH", "/v1/environment/issuers/staff", obj{"audiences": []string{"another"}})
			s.op.must("PATCH", "/v1/environment/issuers/staff", obj{"audiences": []string{testoidc.Audience}}) // what ended stays ended
		}},
		{"the person's provider is trusted no more", s.mara, func() { s.op.must("DELETE", "/v1/environment/issuers/staff", nil) }},
	} {
		var headers []string
		if c.by.token == s.mara.token {
			headers = prodHeader
		}
		if c.by.token == "" {
			c.by = caller{s: s.service, token: fresh}
		}
		begun := s.begin(c.by, headers...)
		for what, held := range begun {
			if a := held.must("GET", "/v1/me", nil); a.header.Get("Impersonated-By") == "" {
				t.Errorf("%s: impersonated by nobody", what)
			}
		}
		c.end()
		if listed := s.op.must("GET", "/v1/impersonations", nil); listed.body["total"] != 0.0 {
			t.Errorf("%s: what goes on: %s", c.name, listed.raw)
		}
		for what, held := range begun {
			if a := held.do("GET", "/v1/me", nil); a.code() != "unauthenticated" {
				t.Errorf("%s: %s opens %d %s", c.name, what, a.status, a.raw)
			}
		}
	}
}

// TestAttack_ASecretThatEndsByItself ends what was begun with it, which no entry of the journal says.
func TestAttack_ASecretThatEndsByItself(t *testing.T) {
	s := newSupporting(t)
	found, err := s.Directory.ListSecrets(t.Context(), s.system().Actor, "desk")
	if err != nil {
		t.Fatal(err)
	}
	begun := s.begin(s.desk)
	before := found[0].Value.ClientSecret
	after := before
	after.ExpiresAt = new(before.CreatedAt)
	s.plant(changed(account.Of(before), account.Of(after)))
	for what, held := range begun {
		held.refuse("unauthenticated", "GET", "/v1/me", nil)
		if a := held.do("POST", "/v1/me/switch", obj{"account": "globex-eu"}); a.status != 401 {
			t.Errorf("%s switches: %d %s", what, a.status, a.raw)
		}
	}
}

// TestAttack_ImpersonationForMoreThanTheCredential: a session may be used for what the client may, and no token says more.
func TestAttack_ImpersonationForMoreThanTheCredential(t *testing.T) {
	s := newSupporting(t)
	for what, held := range s.begin(s.desk) {
		held.must("GET", "/v1/accounts/globex-eu", nil)
		if a := held.do("PATCH", "/v1/accounts/globex-eu", obj{"name": "Mine"}); a.code() != "scope_missing" {
			t.Errorf("%s writes: %d %s", what, a.status, a.raw)
		}
	}
	shop := s.scoped("prod", "shop", "check")
	session := s.begin(s.desk)["the session"]
	x := s.exchange(t, "prod.shop", shop.token, map[string]string{
		"grant_type": tokenExchange, "subject_token": session.token, "subject_token_type": tokenTypes + "jwt", "resource": "urn:tenantry:account:globex-eu",
	})
	token, _ := x.body["access_token"].(string)
	exchanged := caller{s: s.service, token: token}
	exchanged.must("GET", "/v1/accounts/globex-eu", nil)
	exchanged.refuse("scope_missing", "PATCH", "/v1/accounts/globex-eu", obj{"name": "Mine"})

	// the client's own token for less begins a session for less
	got := s.exchange(t, "prod.desk", s.desk.token, map[string]string{"grant_type": "client_credentials", "scope": "admin"})
	narrow := caller{s: s.service, token: got.body["access_token"].(string)}
	a := narrow.must("POST", "/v1/users/owner/impersonate", obj{"reason": "Ticket 1"})
	caller{s: s.service, token: a.body["token"].(string)}.refuse("scope_missing", "GET", "/v1/me", nil)
	// a person's is for all that the user may
	for what, held := range s.begin(s.mara, prodHeader...) {
		if a := held.do("PATCH", "/v1/accounts/globex-eu", obj{"name": "EU"}); a.status != 200 {
			t.Errorf("%s of a person: %d %s", what, a.status, a.raw)
		}
	}
}
