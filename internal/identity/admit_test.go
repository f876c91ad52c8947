package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// TestNothingIsAskedAboutWhoIsNotAdmitted: whoever limits a credential is heard when its signature or
// secret is good, and before what costs questions; of a forgery it hears nothing.
func TestNothingIsAskedAboutWhoIsNotAdmitted(t *testing.T) {
	o := newOffice(t)
	f := &forge{t: t, keys: o.keys, now: clock.Add(time.Minute)}
	o.now = f.now
	seen := []account.Pass{}
	asked := askers{passes: passes{&seen}, others: new(int)}
	a := identity.New(identity.Sources{Keys: o.keys, Credentials: o, Opening: asked, Impersonating: asked, Acting: asked, Now: func() time.Time { return f.now }, Issuer: us})
	forClient, pass, session := o.get("sec_1", "check read"), f.pass("prod", plain), f.issue("prod")
	for name, tt := range map[string]struct {
		token, actFor, credential string
	}{
		"an account token":        {pass, "", "prod/user:ada"},
		"of who is impersonated":  {f.pass("prod", impersonated), "", "prod/operator:support"},
		"an impersonation":        {session, "", "prod/operator:shop"},
		"a client acting":         {forClient, "ada", "prod/client:shop"},
		"a client that is itself": {forClient, "", "prod/client:shop"},
	} {
		var heard []string
		p := identity.Presented{Authorization: "Bearer " + tt.token, ActForUser: tt.actFor, Admit: func(credential, token string) error {
			heard = append(heard, credential)
			if id, _ := claimsOf(t, tt.token)["jti"].(string); id != token || id == "" {
				t.Errorf("%s: heard of the token %q, want %q", name, token, id)
			}
			return fault.New(fault.Limited, "rate_limited", "too much")
		}}
		caller, err := a.Authenticate(t.Context(), p)
		if !fault.HasCode(err, "rate_limited") || !cmp.Equal(caller, identity.Caller{Credential: tt.credential}) || !cmp.Equal(heard, []string{tt.credential}) {
			t.Errorf("%s: %v, %+v, heard of %v", name, err, caller, heard)
		}
		p.Authorization = "Bearer " + tt.token[:strings.LastIndex(tt.token, ".")+1] + strings.Repeat("A", 86)
		if _, err := a.Authenticate(t.Context(), p); !fault.HasCode(err, "unauthenticated") || len(heard) != 1 {
			t.Errorf("%s, forged: %v, heard of %v", name, err, heard)
		}
	}
	if len(seen) > 0 || *asked.others > 0 {
		t.Errorf("asked about %v and %d others", seen, *asked.others)
	}
}

// TestOurOwnTokensAreNoGuesses: what is refused is known for genuine by its signature, and by nothing else.
func TestOurOwnTokensAreNoGuesses(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
	good, over := f.issue("prod"), f.pass("prod", with(plain, func(p *account.Pass) { p.Account = "initech" }))
	a := identity.New(identity.Sources{Keys: f.keys, Impersonating: sessions{}, Opening: passes{}, Credentials: vault{}, Acting: acting{}, Now: func() time.Time { return f.now }, Issuer: us})
	refused := func(token string) error {
		t.Helper()
		_, err := a.Authenticate(t.Context(), identity.Presented{Authorization: "Bearer " + token})
		if !fault.HasCode(err, "unauthenticated") {
			t.Fatalf("%s: %v", token, err)
		}
		return err
	}
	if !identity.IsGenuine(refused(over)) {
		t.Error("what opens nothing any more is taken for a guess")
	}
	for _, guess := range []string{"x", "tenantry_prod.shop.x", good[:len(good)-86] + strings.Repeat("A", 86), "eyJhbGciOiJub25lIn0.e30."} {
		if identity.IsGenuine(refused(guess)) {
			t.Errorf("%s is taken for one of ours", guess)
		}
	}
	f.now = clock.Add(time.Hour)
	if !identity.IsGenuine(refused(good)) {
		t.Error("what has expired is taken for a guess")
	}
	if identity.IsGenuine(refused(good[:len(good)-86] + strings.Repeat("A", 86))) {
		t.Error("a forgery of what has expired is taken for one of ours")
	}
}

// askers counts what is asked, beside passes.
type askers struct {
	passes
	others *int
}

func (a askers) MayImpersonate(context.Context, account.EnvironmentID, account.Impersonation) error {
	*a.others++
	return nil
}

func (a askers) MayActFor(context.Context, account.EnvironmentID, account.ClientID, account.UserID) error {
	*a.others++
	return nil
}
