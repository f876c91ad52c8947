package identity_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// passes knows which passes are good, in prod and in dev; those of frozen are blocked.
type passes struct{ seen *[]account.Pass }

func (p passes) MayUseAccount(_ context.Context, _ account.EnvironmentID, pass account.Pass) error {
	if p.seen != nil {
		*p.seen = append(*p.seen, pass)
	}
	switch {
	case pass.User == "frozen":
		return fault.New(fault.Denied, "user_blocked", "user %s is blocked", pass.User)
	case pass.User == "ada" && pass.Account == "globex" && pass.Made.User.Equal(clock.Add(-time.Hour)) && pass.Made.Account.Equal(clock.Add(-2*time.Hour)):
		return nil
	default:
		return fault.New(fault.Unauthenticated, "unauthenticated", "the token opens its account no more")
	}
}

var (
	plain = account.Pass{
		User: "ada", Account: "globex", IssuedAt: clock, ExpiresAt: clock.Add(15 * time.Minute),
		Made: account.Made{User: clock.Add(-time.Hour), Account: clock.Add(-2 * time.Hour)},
	}
	acted = with(plain, func(p *account.Pass) {
		p.Through = account.Through{Client: "shop", Secret: "sec_1", Acting: true, Scopes: "check read"}
		p.Made.Client = clock.Add(-3 * time.Hour)
	})
	impersonated = with(plain, func(p *account.Pass) { p.Operator, p.Impersonation = "support", "imp_1" })
	exchanged    = with(impersonated, func(p *account.Pass) {
		p.Through = account.Through{Client: "shop"}
		p.Made.Client = clock.Add(-3 * time.Hour)
	})
)

func with(p account.Pass, change func(*account.Pass)) account.Pass {
	change(&p)
	return p
}

func (f *forge) pass(env account.EnvironmentID, p account.Pass) string {
	f.t.Helper()
	token, err := identity.NewSigner(f.keys, us, func() time.Time { return f.now }).AccountToken(f.t.Context(), env, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// claimsOf reads a token's claims without verifying them.
func claimsOf(t *testing.T, token string) claims {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c claims
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestW2_AccountTokensSayOneAccount: what they claim is what comes out, and no list of accounts is in them.
func TestW2_AccountTokensSayOneAccount(t *testing.T) {
	at := func(t time.Time) float64 { return float64(t.Unix()) }
	micro := func(t time.Time) float64 { return float64(t.UnixMicro()) }
	common := claims{
		"iss": us, "aud": "tenantry:prod", "env": "prod", "token_use": "account", "sub": "ada", "account": "globex",
		"iat": at(clock), "nbf": at(clock), "exp": at(plain.ExpiresAt),
		"made": map[string]any{"user": micro(plain.Made.User), "account": micro(plain.Made.Account)},
	}
	withClient := map[string]any{"user": micro(plain.Made.User), "account": micro(plain.Made.Account), "client": micro(acted.Made.Client)}
	user := account.Actor{Environment: "prod", User: "ada", Account: "globex"}
	for name, tt := range map[string]struct {
		pass  account.Pass
		more  claims
		actor account.Actor
		cred  string
	}{
		"the user's own": {pass: plain, actor: user, cred: "prod/user:ada"},
		"through a client that acts": {
			pass: acted, more: claims{"client_id": "prod.shop", "secret_id": "sec_1", "scope": "check read", "acting": true, "made": withClient},
			actor: account.Actor{Environment: "prod", User: "ada", Account: "globex", Client: "shop"}, cred: "prod/user:ada",
		},
		"impersonated": {
			pass: impersonated, more: claims{"act": map[string]any{"sub": "operator:support"}, "impersonation": "imp_1"},
			actor: account.Actor{Environment: "prod", User: "ada", Account: "globex", Client: "support", Impersonation: "imp_1"}, cred: "prod/operator:support",
		},
		"impersonated, exchanged": {
			pass: exchanged, more: claims{"act": map[string]any{"sub": "operator:support"}, "impersonation": "imp_1", "client_id": "prod.shop", "made": withClient},
			actor: account.Actor{Environment: "prod", User: "ada", Account: "globex", Client: "support", Impersonation: "imp_1"}, cred: "prod/operator:support",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
			token := f.pass("prod", tt.pass)
			said := claimsOf(t, token)
			if id, _ := said["jti"].(string); !strings.HasPrefix(id, "pass_") {
				t.Errorf("jti is %q", id)
			}
			if diff := cmp.Diff(common.with(tt.more), said.with(claims{"jti": nil})); diff != "" {
				t.Errorf("claims: %s", diff)
			}
			var seen []account.Pass
			a := identity.New(identity.Sources{Keys: f.keys, Opening: passes{&seen}, Now: func() time.Time { return f.now }, Issuer: us})
			caller, err := a.Authenticate(t.Context(), identity.Presented{Authorization: "Bearer " + token})
			if err != nil {
				t.Fatal(err)
			}
			want := identity.Caller{Actor: tt.actor, Scopes: tt.pass.Through.Scopes, Credential: tt.cred}
			if diff := cmp.Diff(want, caller); diff != "" {
				t.Errorf("the caller: %s", diff)
			}
			if diff := cmp.Diff([]account.Pass{tt.pass}, seen); diff != "" {
				t.Errorf("what was asked: %s", diff)
			}
			if _, err := f.verify(token, "bob"); err == nil || fault.From(err).Code != "may_not_act_for_users" {
				t.Errorf("acting for another user: %v", err)
			}
		})
	}
}

// TestW2_ForgedAccountTokensOpenNothing: everything that an account token may not say or leave out.
func TestW2_ForgedAccountTokensOpenNothing(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
	good := f.pass("prod", acted)
	f.issue("dev")
	id, key := f.key("prod")
	devID, devKey := f.key("dev")
	header, body := claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, claimsOf(t, good)
	if _, err := f.verify(sign(header, body, by(key)), ""); err != nil {
		t.Fatalf("a token made by hand is not understood, so the forgeries prove nothing: %v", err)
	}
	made := body["made"].(map[string]any)
	other := func(what string) claims {
		return claims{"made": claims(made).with(claims{what: clock.UnixMicro()})}
	}
	for name, changes := range map[string]claims{
		"another account":                {"account": "initech"},
		"no account":                     {"account": nil},
		"several accounts":               {"account": []string{"globex", "initech"}},
		"account is no id":               {"account": "../globex"},
		"another user":                   {"sub": "bob"},
		"no user":                        {"sub": nil},
		"user is no id":                  {"sub": "ada/bob"},
		"another who got the user's id":  other("user"),
		"another with the account's id":  other("account"),
		"not said when made":             {"made": nil},
		"made is no object":              {"made": "now"},
		"client of dev":                  {"client_id": "dev.shop"},
		"client without environment":     {"client_id": "shop"},
		"client is no id":                {"client_id": "prod.sh/op"},
		"acting, by no client":           {"client_id": nil},
		"secret of no client":            {"client_id": nil, "acting": nil},
		"secret is no id":                {"secret_id": "../sec"},
		"unknown scope":                  {"scope": "check everything"},
		"a user acts":                    {"act": claims{"sub": "user:bob"}, "impersonation": "imp_1"},
		"somebody acts in no session":    {"act": claims{"sub": "operator:support"}},
		"a session in which nobody acts": {"impersonation": "imp_1"},
		"as an impersonation":            {"token_use": "impersonation"},
		"as a client's":                  {"token_use": "client"},
		"of no use":                      {"token_use": nil},
		"for dev":                        {"env": "dev"},
		"audience of dev":                {"aud": "tenantry:dev"},
		"other issuer":                   {"iss": "https://other.example"},
		"expired":                        {"exp": clock.Unix() - 1},
		"without an end":                 {"exp": nil},
		"not yet":                        {"nbf": clock.Add(time.Hour).Unix()},
		"without a beginning":            {"nbf": nil},
		"issued in the future":           {"iat": clock.Add(time.Hour).Unix()},
	} {
		actor, err := f.verify(sign(header, body.with(changes), by(key)), "")
		if !errors.Is(err, fault.Unauthenticated) || actor != (account.Actor{}) {
			t.Errorf("%s: %v, %v", name, actor, err)
		}
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"key of dev":                     sign(header, body, by(devKey)),
		"key and kid of dev":             sign(header.with(claims{"kid": devID}), body, by(devKey)),
		"alg none":                       sign(header.with(claims{"alg": "none"}), body, func([]byte) []byte { return nil }),
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"an impersonation's signature":   parts[0] + "." + parts[1] + "." + strings.Split(f.issue("prod"), ".")[2],
		"an impersonation taken for one": sign(header, claimsOf(t, f.issue("prod")).with(claims{"token_use": "account"}), by(key)),
	} {
		actor, err := f.verify(token, "")
		if !errors.Is(err, fault.Unauthenticated) || actor != (account.Actor{}) {
			t.Errorf("%s: %v, %v", name, actor, err)
		}
	}
	if _, err := f.verify(sign(header, body.with(claims{"sub": "frozen"}), by(key)), ""); err == nil || fault.From(err).Code != "user_blocked" {
		t.Errorf("a blocked user: %v", err)
	}
}

// TestW2_WhatIsExchangedForAnAccountToken: an impersonation's token, and nothing that is no user's.
func TestW2_WhatIsExchangedForAnAccountToken(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
	a := identity.New(identity.Sources{
		Keys: f.keys, Impersonating: sessions{}, Opening: passes{}, Now: func() time.Time { return f.now },
		Credentials: vault{}, Acting: acting{}, APITokens: machines{}, Issuer: us,
	})
	session := f.issue("prod")
	got, err := a.Subject(t.Context(), "prod", session)
	if diff := cmp.Diff(account.Actor{Environment: "prod", User: "ada", Client: "shop", Impersonation: "imp_1"}, got.Actor); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for name, token := range map[string]string{
		"nothing": "", "a word": "abc", "a client's secret": identity.FormatToken("prod", "shop", secret),
		"an API token": identity.FormatAPIToken("prod", "tok_1", secret), "a token for one account": f.pass("prod", plain),
		"two words": session + " " + session, "of dev": f.issue("dev"), "a line break": session + "\n",
	} {
		if got, err := a.Subject(t.Context(), "prod", token); !errors.Is(err, fault.Unauthenticated) || got != (identity.Caller{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzAccountTokens(f *testing.F) {
	o := &forge{t: f, keys: newRing(), now: clock}
	o.issue("prod")
	id, key := o.key("prod")
	header := claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}
	for _, claimed := range []string{
		`{"sub":"ada","account":"globex","made":{"user":1,"account":2}}`,
		`{"sub":"ada","account":"globex","made":{"user":1e300}}`, `{"account":{},"made":[]}`, `[]`, `{"client_id":".","acting":true}`, `{"scope":"check check"}`,
	} {
		f.Add(claimed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body := claims{}
		if json.Unmarshal([]byte(text), &body) != nil {
			return
		}
		token := sign(header, body.with(claims{
			"iss": us, "aud": "tenantry:prod", "env": "prod", "token_use": "account", "iat": clock.Unix(), "nbf": clock.Unix(), "exp": clock.Unix() + 60,
		}), by(key))
		actor, err := o.verify(token, "")
		switch {
		case err == nil && (actor.User != "ada" || actor.Account != "globex"):
			t.Errorf("%q is taken for %v", text, actor)
		case err != nil && !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Denied):
			t.Errorf("%q: %v", text, err)
		}
	})
}
