package oidc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// TestC1_UserTokensOfARealProvider: ID tokens and access tokens, with every kind of signature.
func TestC1_UserTokensOfARealProvider(t *testing.T) {
	p := testoidc.Start(t)
	here := trust(t, p.Issuer, testoidc.Audience, testoidc.AccessAudience)
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		for _, access := range []bool{false, true} {
			token := p.Token("ada", testoidc.Options{Alg: alg, Access: access, Email: "Ada@globex.example", EmailVerified: true, Name: "Ada"})
			got := here.takes(alg, token)
			if age := here.now().Sub(got.IssuedAt).Abs(); age > 2*time.Minute || got.ExpiresAt.Sub(got.IssuedAt) != 5*time.Minute {
				t.Errorf("%s: issued at %s, until %s", alg, got.IssuedAt, got.ExpiresAt)
			}
			got.IssuedAt, got.ExpiresAt = time.Time{}, time.Time{}
			audience := testoidc.Audience
			if access {
				audience = testoidc.AccessAudience
			}
			want := directory.Vouched{Issuer: here.issuer, Subject: "ada", Audience: audience, Email: "ada@globex.example", Name: "Ada"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, access %v: %s", alg, access, diff)
			}
		}
	}
}

// TestC1_UnverifiedAddressesAreNone: an address counts if the provider says that it is verified.
func TestC1_UnverifiedAddressesAreNone(t *testing.T) {
	p := testoidc.Start(t)
	here := trust(t, p.Issuer)
	for _, tt := range []struct {
		verified any
		counts   bool
	}{{true, true}, {"true", true}, {false, false}, {"false", false}, {nil, false}, {1, false}, {"TRUE", false}, {[]bool{true}, false}} {
		got := here.takes("a token", p.Token("ada", testoidc.Options{Email: "ada@globex.example", EmailVerified: tt.verified}))
		if (got.Email != "") != tt.counts {
			t.Errorf("email_verified %v: the address is %q", tt.verified, got.Email)
		}
	}
	got := here.takes("a token", p.Token("ada", testoidc.Options{Email: "ada@globex.example", Claims: testoidc.Claims{"Email_Verified": true, "EMAIL": "eve@globex.example"}}))
	if got.Email != "" {
		t.Errorf("claims of other names: the address is %q", got.Email)
	}
}

// TestC1_RealProviderRotatesKeys: new keys are found, and what was signed with the old ones is void.
func TestC1_RealProviderRotatesKeys(t *testing.T) {
	p := testoidc.Start(t)
	here := trust(t, p.Issuer)
	before := p.Token("ada", testoidc.Options{Lifetime: time.Hour})
	here.takes("before", before)
	p.Rotate()
	after := p.Token("ada", testoidc.Options{Lifetime: time.Hour})
	here.pass(oidc.Between)
	here.takes("after", after)
	here.refuses("with a key that is gone", before)
}

// TestC1_RealProviderAway: the keys that are known go on working, for a while.
func TestC1_RealProviderAway(t *testing.T) {
	p := testoidc.Start(t)
	here := trust(t, p.Issuer)
	token := p.Token("ada", testoidc.Options{Lifetime: 24 * time.Hour})
	p.Stop()
	here.isAway("before any keys are known", token)
	p.Start()
	token = p.Token("ada", testoidc.Options{Lifetime: 24 * time.Hour})
	here.isAway("at once after a failure", token)
	here.pass(oidc.Backoff)
	here.takes("when it is back", token)
	p.Stop()
	here.pass(oidc.KeptFor - time.Second)
	here.takes("with keys that are known", token)
	here.pass(time.Second)
	here.isAway("with keys that are too old", token)
}

// TestC1_RealTokensForOthersAreRefused: the token has to be for the environment, of its issuer, and of now.
func TestC1_RealTokensForOthersAreRefused(t *testing.T) {
	p, other := testoidc.Start(t), testoidc.Start(t)
	here := trust(t, p.Issuer)
	here.refuses("another audience", p.Token("ada", testoidc.Options{Audience: "payroll"}))
	here.refuses("an access token for another API", p.Token("ada", testoidc.Options{Access: true}))
	here.refuses("another provider", other.Token("ada", testoidc.Options{}))
	token := p.Token("ada", testoidc.Options{Lifetime: time.Minute})
	here.takes("now", token)
	here.issuer.Audiences = []string{"payroll"}
	here.refuses("after its audience was taken away", token)
	here.issuer.Audiences = []string{testoidc.Audience}
	here.pass(2 * time.Minute)
	here.refuses("expired", token)
}
