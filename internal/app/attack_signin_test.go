package app_test

import (
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// prodHeader names the environment that a provider's token is meant for.
var prodHeader = []string{identity.Environment, "prod"}

// signIn is a world whose owner signs in at a provider, and has tokens for globex-eu.
type signIn struct {
	*world
	t        *testing.T
	provider *testoidc.Fake
	shop     caller // a client that exchanges
	own      caller // the owner's own token
	tokens   map[string]caller
}

func newSignIn(t *testing.T) *signIn {
	t.Helper()
	cfg := oneMachine.make(t)
	cfg.InsecureIssuers = true
	s := &signIn{world: furnished(t, cfg), t: t, provider: testoidc.NewFake(t)}
	s.op.must("POST", "/v1/environment/issuers", obj{"id": "login", "url": s.provider.Issuer, "audiences": []string{testoidc.Audience}, "purpose": "users"})
	s.op.must("POST", "/v1/users/owner/identities", obj{"issuer": s.provider.Issuer, "subject": "owner-sub"})
	s.own = s.subject("owner-sub")
	s.shop = s.scoped("prod", "shop", "check")
	direct := s.own.must("POST", "/v1/me/switch", obj{"account": "globex-eu"}, prodHeader...)
	s.tokens = map[string]caller{
		"switched":  {s: s.service, token: direct.body["token"].(string)},
		"exchanged": {s: s.service, token: s.exchanged()},
	}
	return s
}

func (s *signIn) subject(sub string) caller {
	return caller{s: s.service, token: s.provider.Token(testoidc.Claims{"sub": sub})}
}

func (s *signIn) exchanged() string {
	s.t.Helper()
	x := s.exchange(s.t, "prod.shop", s.shop.token, map[string]string{
		"grant_type": tokenExchange, "subject_token": s.own.token, "subject_token_type": tokenTypes + "jwt", "resource": "urn:tenantry:account:globex-eu",
	})
	token, _ := x.body["access_token"].(string)
	if token == "" {
		s.t.Fatalf("no token: %d %s", x.status, x.raw)
	}
	return token
}

// TestAttack_TokensForAnAccountFromElsewhere: an account's allow list holds for every
// token for it, however it was got.
func TestAttack_TokensForAnAccountFromElsewhere(t *testing.T) {
	s := newSignIn(t)
	s.tokens["acting"] = s.opened(s.as("owner"), "globex-eu")
	for name, c := range s.tokens {
		if a := c.from(away).do("GET", "/v1/accounts/globex-eu", nil); a.status != 200 {
			t.Errorf("%s, without a list: %d %s", name, a.status, a.raw)
		}
	}
	s.op.limit("/v1/accounts/globex-eu", home)
	for name, c := range s.tokens {
		if a := c.from(away).do("GET", "/v1/accounts/globex-eu", nil); a.code() != "ip_not_allowed" {
			t.Errorf("%s, from elsewhere: %d %s", name, a.status, a.raw)
		}
		if a := c.do("GET", "/v1/accounts/globex-eu", nil); a.status != 200 {
			t.Errorf("%s, from home: %d %s", name, a.status, a.raw)
		}
	}
}

// TestAttack_TokensThatOutliveTheSignIn: what came of a sign-in ends with it, within the same second.
func TestAttack_TokensThatOutliveTheSignIn(t *testing.T) {
	for name, end := range map[string]func(s *signIn){
		"unlinked": func(s *signIn) {
			id := s.op.must("GET", "/v1/users/owner/identities", nil).list("identities", "id")[0]
			s.op.must("DELETE", "/v1/users/owner/identities/"+id, nil)
		},
		"audience taken away": func(s *signIn) {
			s.op.must("PATCH", "/v1/environment/issuers/login", obj{"audiences": []string{"another"}})
		},
		"issuer deleted": func(s *signIn) { s.op.must("DELETE", "/v1/environment/issuers/login", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSignIn(t)
			for kind, c := range s.tokens {
				if a := c.do("GET", "/v1/accounts/globex-eu", nil); a.status != 200 {
					t.Fatalf("%s: %d %s", kind, a.status, a.raw)
				}
			}
			end(s)
			if a := s.own.do("GET", "/v1/me", nil, prodHeader...); a.status != 401 {
				t.Errorf("the user's own token: %d %s", a.status, a.raw)
			}
			for kind, c := range s.tokens {
				if a := c.do("GET", "/v1/accounts/globex-eu", nil); a.status != 401 {
					t.Errorf("%s: %d %s", kind, a.status, a.raw)
				}
			}
		})
	}
}

// TestAttack_AnExchangedTokenOutlivesTheScope by which the client exchanged it.
func TestAttack_AnExchangedTokenOutlivesTheScope(t *testing.T) {
	s := newSignIn(t)
	exchanged := s.tokens["exchanged"]
	exchanged.must("GET", "/v1/accounts/globex-eu", nil)
	s.op.must("PATCH", "/v1/environment/clients/shop", obj{"scopes": []string{"read"}})
	exchanged.refuse("unauthenticated", "GET", "/v1/accounts/globex-eu", nil)
}

// TestAttack_TokensThatOutliveTheirSource: a token for an account ends no later than the user's own.
func TestAttack_TokensThatOutliveTheirSource(t *testing.T) {
	s := newSignIn(t)
	soon := time.Now().Add(90 * time.Second).Unix()
	brief := caller{s: s.service, token: s.provider.Token(testoidc.Claims{"sub": "owner-sub", "exp": soon})}
	a := brief.must("POST", "/v1/me/switch", obj{"account": "globex-eu"}, prodHeader...)
	ends, err := time.Parse(time.RFC3339, a.body["expires_at"].(string))
	if err != nil || ends.Unix() > soon {
		t.Errorf("the token lasts until %v, the user's until %v: %v", ends, time.Unix(soon, 0), err)
	}
}

// TestAttack_AnEditorBecomesAUser tries what a backoffice_editor could do to be signed
// in as somebody: link, unlink, invite by a link that they are given, change the address.
func TestAttack_AnEditorBecomesAUser(t *testing.T) {
	s := newSignIn(t)
	editor := s.client("prod", "zzeditor", false, account.BackofficeEditor)
	mallory := s.subject("mallory")
	id := s.op.must("GET", "/v1/users/owner/identities", nil).list("identities", "id")[0]
	editor.refuse("permission_denied", "DELETE", "/v1/users/owner/identities/"+id, nil)
	editor.refuse("permission_denied", "POST", "/v1/users/viewer/identities", obj{"issuer": s.provider.Issuer, "subject": "mallory"})
	editor.refuse("permission_denied", "PATCH", "/v1/users/viewer", obj{"email": "mallory@example.com"})
	editor.must("PATCH", "/v1/users/viewer", obj{"name": "Viewer"})
	for _, user := range []string{"owner", "viewer"} {
		sent := editor.must("POST", "/v1/accounts/lobby/invitations", obj{"email": user + "@example.com", "roles": []string{"greeter"}, "delivery": "link"})
		mallory.refuse("identity_conflict", "POST", "/v1/invitations/accept", obj{"token": sent.body["token"]}, prodHeader...)
		mallory.refuse("identity_unknown", "GET", "/v1/me", nil, prodHeader...)
	}
}

// TestI1_AcceptingWithAProvidersTokenNamesTheEnvironment: nobody uses an invitation up, and is not linked, by mistake.
func TestI1_AcceptingWithAProvidersTokenNamesTheEnvironment(t *testing.T) {
	s := newSignIn(t)
	sent := s.op.must("POST", "/v1/accounts/lobby/invitations", obj{"email": "new@example.com", "roles": []string{"greeter"}, "delivery": "link"})
	newcomer := s.subject("newcomer")
	newcomer.refuse("environment_required", "POST", "/v1/invitations/accept", obj{"token": sent.body["token"]})
	newcomer.must("POST", "/v1/invitations/accept", obj{"token": sent.body["token"]}, prodHeader...)
	newcomer.must("GET", "/v1/me", nil, prodHeader...)
	other := s.op.must("POST", "/v1/accounts/lobby/invitations", obj{"email": "other@example.com", "roles": []string{"greeter"}, "delivery": "link"})
	s.shop.must("POST", "/v1/invitations/accept", obj{"token": other.body["token"]}) // a back end on its way
}

// TestAttack_AcceptingWithoutTheScope: the id of a new user is chosen by who may write.
func TestAttack_AcceptingWithoutTheScope(t *testing.T) {
	w := newWorld(t, oneMachine)
	_, secret, err := w.Directory.CreateClient(t.Context(), w.system(), account.Client{ID: "narrow", Roles: []account.PortalRole{account.BackofficeEditor}, Scopes: "check"})
	if err != nil {
		t.Fatal(err)
	}
	narrow := caller{s: w.service, token: identity.FormatToken("prod", "narrow", secret)}
	sent := w.op.must("POST", "/v1/accounts/initech/invitations", obj{"email": "new@example.com", "roles": []string{"viewer"}, "delivery": "link"})
	narrow.refuse("scope_missing", "POST", "/v1/invitations/accept", obj{"token": sent.body["token"], "user_id": "chosen"})
}
