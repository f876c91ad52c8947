package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

// office is a place where clients get tokens and use them; it knows one client, prod/shop.
type office struct {
	forge
	kept account.ClientCredential
	away error
}

func newOffice(t testing.TB) *office {
	o := &office{forge: forge{t: t, keys: newRing(), now: clock}}
	o.kept = account.ClientCredential{
		Client: account.Client{ID: "shop", CreatedAt: clock.Add(-time.Hour)},
		Secrets: []account.KeptSecret{
			{ClientSecret: account.ClientSecret{ID: "sec_1", Client: "shop"}, Hash: directory.HashSecret(secret)},
			{ClientSecret: account.ClientSecret{ID: "sec_2", Client: "shop", ExpiresAt: new(clock.Add(5 * time.Minute))}},
		},
	}
	return o
}

func (o *office) Credential(_ context.Context, env account.EnvironmentID, id account.ClientID) (account.ClientCredential, error) {
	if o.away == nil && (env != "prod" || id != o.kept.Client.ID) {
		return account.ClientCredential{}, fault.New(fault.NotFound, "client_not_found", "there is no client %s", id)
	}
	return o.kept, o.away
}

func (o *office) authenticator() *identity.Authenticator {
	return identity.New(identity.Sources{Keys: o.keys, Now: func() time.Time { return o.now }, Credentials: o, Acting: acting{}, Impersonating: sessions{}, Issuer: us})
}

// get gets a token with one of the client's secrets.
func (o *office) get(secret account.SecretID, scopes account.Scopes) string {
	o.t.Helper()
	token, lifetime, err := identity.NewSigner(o.keys, us, func() time.Time { return o.now }).ClientToken(o.t.Context(), "prod", "shop", secret, scopes)
	if err != nil || lifetime != 15*time.Minute {
		o.t.Fatalf("a token for %s: %v", lifetime, err)
	}
	return token
}

func (o *office) use(token, actFor string) (identity.Caller, error) {
	return o.authenticator().Authenticate(context.Background(), identity.Presented{Authorization: "Bearer " + token, ActForUser: actFor})
}

func TestC1_ClientTokens(t *testing.T) {
	o := newOffice(t)
	token := o.get("sec_1", "check read")
	got, err := o.use(token, "")
	if err != nil {
		t.Fatal(err)
	}
	want := identity.Caller{Actor: account.Actor{Environment: "prod", Client: "shop"}, Scopes: "check read", Credential: "prod/client:shop", Secret: "sec_1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := o.use(token, "ada"); err != nil || got.Actor.User != "ada" || got.Scopes != "check read" {
		t.Errorf("acting: %v, %v", got, err)
	}
	if _, err := o.use(token, "bob"); err == nil || fault.From(err).Code != "user_blocked" {
		t.Errorf("acting for another: %v", err)
	}
	body := read(t, token)
	at := float64(clock.Unix())
	wanted := claims{
		"iss": us, "aud": "tenantry:prod", "token_use": "client", "sub": "prod.shop", "client_id": "prod.shop", "env": "prod", "scope": "check read",
		"secret_id": "sec_1", "iat": at, "nbf": at, "exp": at + 15*60, "jti": body["jti"],
	}
	if diff := cmp.Diff(wanted, body); diff != "" {
		t.Errorf("claims: %s", diff)
	}
	if again := read(t, o.get("sec_1", "")); again["jti"] == body["jti"] || again["scope"] != "admin check read write" {
		t.Errorf("another token: %v", again)
	}
}

// TestC1_ClientTokensEndWithWhatTheyRestOn: whatever goes, the token opens nothing from then on.
func TestC1_ClientTokensEndWithWhatTheyRestOn(t *testing.T) {
	for name, change := range map[string]func(*office){
		"time":                         func(o *office) { o.now = clock.Add(15*time.Minute + 31*time.Second) },
		"its secret is revoked":        func(o *office) { o.kept.Secrets = o.kept.Secrets[:1] },
		"its secret expires":           func(o *office) { o.now = clock.Add(5 * time.Minute) },
		"all secrets are revoked":      func(o *office) { o.kept.Secrets = nil },
		"the client is revoked":        func(o *office) { o.kept.Client.ID = "other" },
		"another with its id since":    func(o *office) { o.kept.Client.CreatedAt = clock.Add(time.Minute) },
		"none of its scopes are left":  func(o *office) { o.kept.Client.Scopes = "admin write" },
		"the keys are revoked":         func(o *office) { o.keys.settings.RevokedAt = new(clock.Add(time.Second)) },
		"another token, for contrast":  func(o *office) { o.get("sec_2", "") },
		"nothing at all, for contrast": func(*office) {},
	} {
		o := newOffice(t)
		token := o.get("sec_2", "check read")
		if _, err := o.use(token, ""); err != nil {
			t.Fatal(err)
		}
		change(o)
		_, err := o.use(token, "ada")
		if stays := strings.Contains(name, "contrast"); stays != (err == nil) || err != nil && !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := newOffice(t)
	token := o.get("sec_1", "check read")
	o.kept.Client.Scopes = "check write"
	if got, err := o.use(token, ""); err != nil || got.Scopes != "check" {
		t.Errorf("a scope that the client lost: %v, %v", got, err)
	}
	o.away = fault.New(fault.Unavailable, "database_unavailable", "away")
	if _, err := o.use(token, ""); !errors.Is(err, fault.Unavailable) {
		t.Errorf("clients that cannot be read: %v", err)
	}
}

// TestC1_ForgedClientTokensOpenNothing: signed with the right key, and yet not what we sign.
func TestC1_ForgedClientTokensOpenNothing(t *testing.T) {
	o := newOffice(t)
	good := o.get("sec_1", "")
	id, key := o.key("prod")
	devID, devKey := o.key("dev")
	header, body := claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, read(t, good)
	body["exp"], body["iat"], body["nbf"] = clock.Add(time.Minute).Unix(), clock.Unix(), clock.Unix()
	if _, err := o.use(sign(header, body, by(key)), ""); err != nil {
		t.Fatalf("a token made by hand is not understood, so the forgeries prove nothing: %v", err)
	}
	parts := strings.Split(good, ".")
	forged := map[string]string{
		"dev's key":                       sign(header, body, by(devKey)),
		"dev's key, and its kid":          sign(header.with(claims{"kid": devID}), body, by(devKey)),
		"prod's client by dev":            sign(header.with(claims{"kid": devID}), body.with(claims{"env": "dev", "aud": "tenantry:dev"}), by(devKey)),
		"a client of dev":                 sign(header.with(claims{"kid": devID}), body.with(claims{"env": "dev", "aud": "tenantry:dev", "sub": "dev.shop", "client_id": "dev.shop"}), by(devKey)),
		"no signature":                    parts[0] + "." + parts[1] + ".",
		"alg none":                        sign(header.with(claims{"alg": "none"}), body, func([]byte) []byte { return nil }),
		"an ID token":                     sign(header.with(claims{"typ": "JWT"}), body, by(key)),
		"another issuer":                  sign(header, body.with(claims{"iss": "https://login.example"}), by(key)),
		"another audience":                sign(header, body.with(claims{"aud": "tenantry:dev"}), by(key)),
		"no audience":                     sign(header, body.with(claims{"aud": nil}), by(key)),
		"expired":                         sign(header, body.with(claims{"iat": clock.Unix() - 900, "nbf": clock.Unix() - 900, "exp": clock.Unix() - 60}), by(key)),
		"not yet valid":                   sign(header, body.with(claims{"nbf": clock.Unix() + 60}), by(key)),
		"no use":                          sign(header, body.with(claims{"token_use": nil}), by(key)),
		"another use":                     sign(header, body.with(claims{"token_use": "impersonation"}), by(key)),
		"unknown use":                     sign(header, body.with(claims{"token_use": "operator"}), by(key)),
		"another client":                  sign(header, body.with(claims{"sub": "prod.bare", "client_id": "prod.bare"}), by(key)),
		"sub replaced":                    sign(header, body.with(claims{"sub": "prod.bare"}), by(key)),
		"client_id replaced":              sign(header, body.with(claims{"client_id": "prod.bare"}), by(key)),
		"no client_id":                    sign(header, body.with(claims{"client_id": nil}), by(key)),
		"sub without its environment":     sign(header, body.with(claims{"sub": "shop", "client_id": "shop"}), by(key)),
		"sub is no id":                    sign(header, body.with(claims{"sub": "prod.../shop", "client_id": "prod.../shop"}), by(key)),
		"no secret":                       sign(header, body.with(claims{"secret_id": nil}), by(key)),
		"a secret that there is not":      sign(header, body.with(claims{"secret_id": "sec_3"}), by(key)),
		"no scope":                        sign(header, body.with(claims{"scope": nil}), by(key)),
		"an empty scope":                  sign(header, body.with(claims{"scope": ""}), by(key)),
		"unknown scope":                   sign(header, body.with(claims{"scope": "read everything"}), by(key)),
		"scopes are a list":               sign(header, body.with(claims{"scope": []string{"read"}}), by(key)),
		"acts":                            sign(header, body.with(claims{"act": claims{"sub": "operator:op"}}), by(key)),
		"changed after signing":           parts[0] + "." + strings.Split(sign(header, body.with(claims{"scope": "admin"}), by(key)), ".")[1] + "." + parts[2],
		"the secret's id is not a secret": identity.FormatToken("prod", "shop", "sec_1"),
	}
	var first error
	for name, token := range forged {
		caller, err := o.use(token, "")
		if !errors.Is(err, fault.Unauthenticated) || caller != (identity.Caller{}) {
			t.Errorf("%s: %v, %v", name, caller, err)
			continue
		}
		if strings.HasPrefix(token, "eyJ") {
			if first == nil {
				first = err
			}
			if err.Error() != first.Error() {
				t.Errorf("%s: %q, want the same as for another: %q", name, err, first)
			}
		}
		if strings.Contains(fmt.Sprintf("%+v", err), token) {
			t.Errorf("%s: the error shows the token", name)
		}
	}
}

// TestC2_ClientsByIDAndSecret: the two have to be of one client; what is wrong with them is not told.
func TestC2_ClientsByIDAndSecret(t *testing.T) {
	o := newOffice(t)
	o.kept.ExchangeOnly = true // which is what this is for
	a := o.authenticator()
	env, client, used, err := a.Client(t.Context(), "prod.shop", identity.FormatToken("prod", "shop", secret))
	if err != nil || env != "prod" || client.ID != "shop" || used != "sec_1" {
		t.Fatalf("%s %v %s %v", env, client, used, err)
	}
	for _, tt := range [][2]string{
		{"prod.shop", identity.FormatToken("prod", "shop", "d3Jvbmc")},
		{"prod.shop", identity.FormatToken("prod", "bare", secret)},
		{"prod.bare", identity.FormatToken("prod", "bare", secret)},
		{"prod.bare", identity.FormatToken("prod", "shop", secret)},
		{"dev.shop", identity.FormatToken("prod", "shop", secret)},
		{"shop", identity.FormatToken("prod", "shop", secret)},
		{"", identity.FormatToken("prod", "shop", secret)},
		{"prod.shop", string(secret)},
		{"prod.shop", ""},
		{"prod.shop", identity.FormatAPIToken("prod", "shop", secret)},
	} {
		_, client, _, err := a.Client(t.Context(), tt[0], tt[1])
		if !errors.Is(err, fault.Unauthenticated) || client.ID != "" || strings.Contains(err.Error(), string(secret)) {
			t.Errorf("%v: %v, %v", tt, client, err)
		}
	}
}
