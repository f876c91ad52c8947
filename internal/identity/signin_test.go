package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// trusted is the providers of prod: one for users, one for operators.
type trusted struct {
	users, operators string
	away             error
}

func (t trusted) TrustedIssuer(_ context.Context, env account.EnvironmentID, url string) (account.Issuer, error) {
	issuer := account.Issuer{ID: "iss_1", URL: url, Audiences: []string{testoidc.Audience}, Purpose: account.ForUsers}
	switch {
	case t.away != nil:
		return account.Issuer{}, t.away
	case env == "prod" && url == t.users:
		return issuer, nil
	case env == "prod" && url == t.operators:
		issuer.Purpose = account.ForOperators
		return issuer, nil
	default:
		return account.Issuer{}, fault.New(fault.NotFound, "issuer_not_found", "there is no issuer")
	}
}

// signIns knows ada and mara, and that banned is blocked.
type signIns struct{}

func (signIns) SignIn(_ context.Context, env account.EnvironmentID, v directory.Vouched) (account.Actor, error) {
	switch {
	case v.Subject == "banned":
		return account.Actor{}, fault.New(fault.Denied, "user_blocked", "user banned is blocked")
	case v.Subject == "ada" && v.Issuer.Purpose == account.ForUsers:
		return account.Actor{Environment: env, User: "ada"}, nil
	case v.Subject == "mara" && v.Issuer.Purpose == account.ForOperators:
		return account.Actor{Environment: env, Client: "mara", Person: true}, nil
	default:
		return account.Actor{}, fault.New(fault.Unauthenticated, "unauthenticated", "nobody is that here")
	}
}

// gate is an authenticator that takes the tokens of two providers.
type gate struct {
	users, operators *testoidc.Fake
	keys             *ring
	sources          identity.Sources
}

func newGate(tb testing.TB) *gate {
	g := &gate{users: testoidc.NewFake(tb), operators: testoidc.NewFake(tb), keys: newRing()}
	now := func() time.Time { return clock }
	g.users.Now, g.operators.Now = now, now
	g.sources = identity.Sources{
		Credentials: vault{}, Acting: acting{}, APITokens: machines{}, Keys: g.keys, Impersonating: sessions{}, Issuer: us, Now: now,
		Issuers:   trusted{users: g.users.Issuer, operators: g.operators.Issuer},
		Providers: oidc.New(oidc.Config{Self: us, AllowHTTP: true, Now: now}),
		SignIns:   signIns{},
	}
	return g
}

func (g *gate) ask(token, env, actFor string) (identity.Caller, error) {
	return identity.New(g.sources).Authenticate(context.Background(),
		identity.Presented{Authorization: "Bearer " + token, Environment: env, ActForUser: actFor})
}

func TestC1_UsersAndOperatorsSignInElsewhere(t *testing.T) {
	g := newGate(t)
	caller, err := g.ask(g.users.Token(nil), "prod", "")
	ada := identity.Caller{
		Actor: account.Actor{Environment: "prod", User: "ada"}, Credential: "prod/user:ada",
		SignedIn: account.SignedIn{Issuer: g.users.Issuer, Subject: "ada", Audience: testoidc.Audience, Until: caller.SignedIn.Until},
	}
	if diff := cmp.Diff(ada, caller); caller.SignedIn.Until.Before(clock) || err != nil || diff != "" {
		t.Errorf("a user: %v %s", err, diff)
	}
	operator := g.operators.Token(testoidc.Claims{"sub": "mara"})
	caller, err = g.ask(operator, "prod", "")
	want := identity.Caller{
		Actor: account.Actor{Environment: "prod", Client: "mara", Person: true}, Credential: "prod/operator:mara",
		SignedIn: account.SignedIn{Issuer: g.operators.Issuer, Subject: "mara", Audience: testoidc.Audience, Until: caller.SignedIn.Until},
	}
	if diff := cmp.Diff(want, caller); err != nil || diff != "" {
		t.Errorf("an operator: %v %s", err, diff)
	}
	for name, tt := range map[string]struct{ token, env, actFor, code, field string }{
		"no environment":         {token: operator, code: "environment_required", field: "Tenantry-Environment"},
		"no id":                  {token: operator, env: "prod/dev", code: "invalid_id", field: "Tenantry-Environment"},
		"acting for a user":      {token: operator, env: "prod", actFor: "ada", code: "may_not_act_for_users", field: "Act-For-User"},
		"a user, acting":         {token: g.users.Token(nil), env: "prod", actFor: "ada", code: "may_not_act_for_users", field: "Act-For-User"},
		"blocked":                {token: g.users.Token(testoidc.Claims{"sub": "banned"}), env: "prod", code: "user_blocked"},
		"nobody, acting":         {token: g.users.Token(testoidc.Claims{"sub": "eve"}), env: "prod", actFor: "ada", code: "may_not_act_for_users", field: identity.ActForUser},
		"a user as an operator":  {token: g.users.Token(testoidc.Claims{"sub": "mara"}), env: "prod", code: "unauthenticated"},
		"an operator as a user":  {token: g.operators.Token(nil), env: "prod", code: "unauthenticated"},
		"a client's, mislabeled": {token: identity.FormatToken("prod", "shop", secret), env: "dev", code: "unauthenticated"},
	} {
		caller, err := g.ask(tt.token, tt.env, tt.actFor)
		if err == nil || fault.From(err).Code != tt.code || fault.From(err).Field != tt.field || caller != (identity.Caller{}) {
			t.Errorf("%s: %v, %v", name, caller, err)
		}
	}
}

// TestC1_WhatIsWrongWithAUserTokenIsNotTold: an environment that there is not, a
// provider that it does not trust, and a token that is not good are one.
func TestC1_WhatIsWrongWithAUserTokenIsNotTold(t *testing.T) {
	g := newGate(t)
	stranger := testoidc.NewFake(t)
	stranger.Now = g.users.Now
	g.ask(g.users.Token(nil), "prod", "") // so that the keys are known
	for name, tt := range map[string]struct{ token, env string }{
		"no such environment":    {g.users.Token(nil), "nowhere"},
		"of another environment": {g.users.Token(nil), "dev"},
		"not trusted":            {stranger.Token(nil), "prod"},
		"of another provider":    {stranger.Sign("es", nil, g.users.Claims(nil)), "prod"},
		"of both":                {g.operators.Sign("es", nil, g.users.Claims(nil)), "prod"},
		"expired":                {g.users.Token(testoidc.Claims{"exp": clock.Add(-time.Hour).Unix()}), "prod"},
	} {
		_, err := g.ask(tt.token, tt.env, "")
		if f := fault.From(err); f == nil || f.Kind != fault.Unauthenticated || f.Code != "unauthenticated" || f.Text != oidc.Refused().Text || f.Field != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := stranger.Asked(testoidc.Discovery); n != 0 {
		t.Errorf("who is not trusted was asked %d times", n)
	}
}

// TestC1_WhoIssuedATokenIsNotBelieved: a token that claims to be ours is judged as
// ours, and what is no address is asked for nowhere.
func TestC1_WhoIssuedATokenIsNotBelieved(t *testing.T) {
	g := newGate(t)
	g.sources.Issuers = trusted{away: fault.New(fault.Unavailable, "database_unavailable", "providers were looked up")}
	for _, iss := range []any{
		us, us + "/", strings.ToUpper(us), us + ":443", nil, "", 7, []string{g.users.Issuer}, g.users.Issuer + "\x00", g.users.Issuer + "\n", "https://ex\u0430mple", "https://" + strings.Repeat("a", 1000),
	} {
		if _, err := g.ask(g.users.Token(testoidc.Claims{"iss": iss}), "prod", ""); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("iss %v: %v", iss, err)
		}
	}
	if _, err := g.ask(g.users.Token(nil), "prod", ""); !errors.Is(err, fault.Unavailable) {
		t.Errorf("providers that cannot be read: %v", err)
	}
	good := g.users.Token(nil)
	for name, token := range map[string]string{
		"line break":  good[:len(good)-1] + "\n" + good[len(good)-1:],
		"unused bits": strings.Replace(good, ".", "=.", 1),
		"too long":    g.users.Token(testoidc.Claims{"more": strings.Repeat("x", oidc.MaxToken)}),
	} {
		if _, err := g.ask(token, "prod", ""); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestI1_WhoAcceptsNeedNotBeKnown: what the provider says is enough for who is to become somebody.
func TestI1_WhoAcceptsNeedNotBeKnown(t *testing.T) {
	g := newGate(t)
	a := identity.New(g.sources)
	presented := func(token, env string) identity.Presented {
		return identity.Presented{Authorization: "Bearer " + token, Environment: env}
	}
	stranger := g.users.Token(testoidc.Claims{"sub": "new", "email": "New@globex.example", "email_verified": true, "name": "New"})
	env, v, err := a.Vouched(t.Context(), presented(stranger, "prod"))
	want := directory.Vouched{
		Issuer:  account.Issuer{ID: "iss_1", URL: g.users.Issuer, Audiences: []string{testoidc.Audience}, Purpose: account.ForUsers},
		Subject: "new", Audience: testoidc.Audience, Email: "new@globex.example", Name: "New", IssuedAt: clock, ExpiresAt: clock.Add(5 * time.Minute),
	}
	if diff := cmp.Diff(want, v); err != nil || env != "prod" || diff != "" {
		t.Errorf("%s %v %s", env, err, diff)
	}
	ours, err := identity.NewSigner(g.keys, us, g.sources.Now).Impersonation(t.Context(), "prod", session)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]identity.Presented{
		"nothing":          {},
		"a client's":       presented(identity.FormatToken("prod", "shop", secret), "prod"),
		"our own":          presented(ours, "prod"),
		"forged":           presented(stranger[:len(stranger)-4]+"AAAA", "prod"),
		"no environment":   presented(stranger, ""),
		"none of prod's":   presented(stranger, "dev"),
		"an API token":     presented(identity.FormatAPIToken("prod", "export", secret), "prod"),
		"alg none":         presented("eyJhbGciOiJub25lIn0.e30.", "prod"),
		"something at all": presented("x", "prod"),
	} {
		env, v, err := a.Vouched(t.Context(), p)
		if !errors.Is(err, fault.Unauthenticated) || env != "" && err == nil || v.Subject != "" {
			t.Errorf("%s: %s %v %v", name, env, v, err)
		}
	}
}

// TestC2_UserTokensAreNotShown: neither what is answered nor what is logged repeats a token.
func TestC2_UserTokensAreNotShown(t *testing.T) {
	g := newGate(t)
	var log strings.Builder
	g.sources.Providers = oidc.New(oidc.Config{AllowHTTP: true, Now: g.sources.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, token := range []string{
		g.users.Token(testoidc.Claims{"sub": "eve"}), g.users.Token(testoidc.Claims{"aud": "payroll"}),
		g.users.Sign("es", testoidc.Claims{"kid": "x"}, g.users.Claims(nil)), g.users.Token(nil) + "A",
	} {
		_, err := g.ask(token, "prod", "")
		for part := range strings.SplitSeq(token, ".") {
			if err == nil || strings.Contains(err.Error(), part) || strings.Contains(log.String(), part) {
				t.Errorf("a part of the token is shown: %v\n%s", err, log.String())
			}
		}
	}
}

// believing takes whatever a token says of who issued it for one provider, so that all of its token is looked at.
type believing struct{ provider string }

func (b believing) TrustedIssuer(context.Context, account.EnvironmentID, string) (account.Issuer, error) {
	return account.Issuer{ID: "iss_1", URL: b.provider, Audiences: []string{testoidc.Audience}, Purpose: account.ForUsers}, nil
}

// FuzzUserTokens takes any text through all of it, with the keys of a provider
// known: only tokens that it signed are taken, nothing breaks, and no answer is long.
func FuzzUserTokens(f *testing.F) {
	g := newGate(f)
	g.sources.Issuers = believing{g.users.Issuer}
	good := map[string]bool{}
	for _, kid := range []string{"rs", "es", "ed"} {
		token := g.users.Sign(kid, nil, g.users.Claims(nil))
		if _, err := g.ask(token, "prod", ""); err != nil {
			f.Fatal(err)
		}
		good[token] = true
		f.Add(token)
	}
	key := g.users.Key("es")
	for _, body := range []string{`{}`, `[]`, `{"iss":"https://login.example"}`, `{"iss":1e999}`, `{"iss":"a","iss":"b"}`} {
		f.Add(testoidc.SignText(f, key, testoidc.Claims{"alg": "ES256", "kid": "es"}, []byte(body)))
	}
	f.Add(g.users.Sign("es", testoidc.Claims{"alg": "none"}, g.users.Claims(nil)))
	f.Add(g.users.Sign("es", testoidc.Claims{"jwk": testoidc.Claims{"kty": "EC"}, "x5c": []string{"AAAA"}, "crit": []string{"b64"}}, g.users.Claims(nil)))
	f.Add("eyJ.." + strings.Repeat(".", 10))
	f.Fuzz(func(t *testing.T, text string) {
		caller, err := g.ask(text, "prod", "")
		switch {
		case err == nil && !good[text] && strings.HasPrefix(text, "eyJ"):
			t.Errorf("%q is taken for %v", text, caller)
		case err != nil && !errors.Is(err, fault.Unauthenticated):
			t.Errorf("%q: %v", text, err)
		case err != nil && len(err.Error()) > 1000:
			t.Errorf("%q: an error of %d bytes", text, len(err.Error()))
		}
		_, v, err := identity.New(g.sources).Vouched(context.Background(), identity.Presented{Authorization: "Bearer " + text, Environment: "prod"})
		if err == nil && !good[text] {
			t.Errorf("%q is vouched for as %v", text, v)
		}
	})
}
