package identity_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

func TestE4_ImpersonationTokens(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
	token := f.issue("prod")
	got, err := f.verify(token, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(account.Actor{Environment: "prod", User: "ada", Client: "shop", Impersonation: "imp_1"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := f.verify(token, "bob"); err == nil || fault.From(err).Code != "may_not_act_for_users" {
		t.Errorf("acting for another user: %v", err)
	}

	parts := strings.Split(token, ".")
	var header, body claims
	for i, into := range []*claims{&header, &body} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	id, _ := f.key("prod")
	if diff := cmp.Diff(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, header); diff != "" {
		t.Errorf("header: %s", diff)
	}
	at := func(t time.Time) float64 { return float64(t.Unix()) }
	wanted := claims{
		"iss": us, "aud": "tenantry:prod", "token_use": "impersonation", "sub": "ada", "jti": "imp_1", "env": "prod", "act": map[string]any{"sub": "operator:shop"},
		"iat": at(clock), "nbf": at(clock), "exp": at(session.ExpiresAt),
	}
	if diff := cmp.Diff(wanted, body); diff != "" {
		t.Errorf("claims: %s", diff)
	}
	if again := f.issue("prod"); len(f.keys.byID) != 1 {
		t.Errorf("a second token has a key of its own: %s", again)
	}
}

// TestE4_ForgedTokensOpenNothing tries what there is to try against tokens with
// signatures: each must be refused, all but the last kind with the same words.
func TestE4_ForgedTokensOpenNothing(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock.Add(time.Minute)}
	good := f.issue("prod")
	f.issue("dev")
	id, key := f.key("prod")
	devID, devKey := f.key("dev")
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}
	body := claims{
		"iss": us, "aud": "tenantry:prod", "token_use": "impersonation", "sub": "ada", "jti": "imp_1", "env": "prod", "act": claims{"sub": "operator:shop"},
		"iat": clock.Unix(), "nbf": clock.Unix(), "exp": clock.Add(time.Hour).Unix(),
	}
	if _, err := f.verify(sign(header, body, by(key)), ""); err != nil {
		t.Fatalf("a token made by hand is not understood, so the forgeries prove nothing: %v", err)
	}
	none := func([]byte) []byte { return nil }
	public := key.Public().(ed25519.PublicKey)
	hs256 := func(text []byte) []byte {
		mac := hmac.New(sha256.New, public)
		mac.Write(text)
		return mac.Sum(nil)
	}
	jwk := claims{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(stranger.Public().(ed25519.PublicKey))}
	parts := strings.Split(good, ".")
	forged := map[string]string{
		"alg none":                  sign(header.with(claims{"alg": "none"}), body, none),
		"alg none, other case":      sign(header.with(claims{"alg": "nOnE"}), body, none),
		"no signature":              parts[0] + "." + parts[1] + ".",
		"public key as a secret":    sign(header.with(claims{"alg": "HS256"}), body, hs256),
		"alg says another":          sign(header.with(claims{"alg": "ES256"}), body, by(key)),
		"other key":                 sign(header, body, by(stranger)),
		"other key, brought along":  sign(header.with(claims{"jwk": jwk}), body, by(stranger)),
		"other key, no kid":         sign(header.with(claims{"kid": nil, "jwk": jwk}), body, by(stranger)),
		"unknown kid":               sign(header.with(claims{"kid": "key_x"}), body, by(stranger)),
		"kid is no id":              sign(header.with(claims{"kid": "../" + id}), body, by(key)),
		"key of dev":                sign(header, body, by(devKey)),
		"key of dev, and its kid":   sign(header.with(claims{"kid": devID}), body, by(devKey)),
		"key of prod for dev":       sign(header, body.with(claims{"env": "dev"}), by(key)),
		"no environment":            sign(header, body.with(claims{"env": nil}), by(key)),
		"changed after signing":     parts[0] + "." + strings.Split(sign(header, body.with(claims{"sub": "bob"}), none), ".")[1] + "." + parts[2],
		"expired":                   sign(header, body.with(claims{"exp": clock.Unix() - 1}), by(key)),
		"without an end":            sign(header, body.with(claims{"exp": nil}), by(key)),
		"not yet":                   sign(header, body.with(claims{"nbf": clock.Add(time.Hour).Unix()}), by(key)),
		"without a beginning":       sign(header, body.with(claims{"nbf": nil}), by(key)),
		"issued in the future":      sign(header, body.with(claims{"iat": clock.Add(time.Hour).Unix()}), by(key)),
		"not said when issued":      sign(header, body.with(claims{"iat": nil}), by(key)),
		"other issuer":              sign(header, body.with(claims{"iss": "somebody"}), by(key)),
		"no issuer":                 sign(header, body.with(claims{"iss": nil}), by(key)),
		"other audience":            sign(header, body.with(claims{"aud": "shop"}), by(key)),
		"no audience":               sign(header, body.with(claims{"aud": nil}), by(key)),
		"audience of dev":           sign(header, body.with(claims{"aud": "tenantry:dev"}), by(key)),
		"other use":                 sign(header, body.with(claims{"token_use": "client"}), by(key)),
		"no use":                    sign(header, body.with(claims{"token_use": nil}), by(key)),
		"other type":                sign(header.with(claims{"typ": "JWT"}), body, by(key)),
		"no type":                   sign(header.with(claims{"typ": nil}), body, by(key)),
		"critical and unknown":      sign(header.with(claims{"crit": []string{"x"}, "x": 1}), body, by(key)),
		"nobody acts":               sign(header, body.with(claims{"act": nil}), by(key)),
		"a user acts":               sign(header, body.with(claims{"act": claims{"sub": "user:shop"}}), by(key)),
		"no operator":               sign(header, body.with(claims{"act": claims{"sub": "operator:"}}), by(key)),
		"no session":                sign(header, body.with(claims{"jti": nil}), by(key)),
		"no user":                   sign(header, body.with(claims{"sub": nil}), by(key)),
		"user is no id":             sign(header, body.with(claims{"sub": "../ada"}), by(key)),
		"claims are no object":      parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + "." + parts[2],
		"padding":                   good + "=",
		"four parts":                good + ".e30",
		"too long":                  sign(header, body.with(claims{"more": strings.Repeat("x", 5000)}), by(key)),
		"session of another user":   sign(header, body.with(claims{"sub": "bob"}), by(key)),
		"session of another client": sign(header, body.with(claims{"act": claims{"sub": "operator:op"}}), by(key)),
		"session that there is not": sign(header, body.with(claims{"jti": "imp_2"}), by(key)),
		"line break":                good[:len(good)-1] + "\n" + good[len(good)-1:],
		"unused bits":               good[:len(good)-1] + string(good[len(good)-1]+1),
	}
	for name, token := range forged {
		actor, err := f.verify(token, "")
		if !errors.Is(err, fault.Unauthenticated) || actor != (account.Actor{}) {
			t.Errorf("%s: %v, %v", name, actor, err)
		}
	}
}

// TestE4_TokensOfEveryEnvironmentAreTheirOwn: dev's token is good, for dev.
func TestE4_TokensOfEveryEnvironmentAreTheirOwn(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock}
	f.issue("prod")
	got, err := f.verify(f.issue("dev"), "")
	if err != nil || got.Environment != "dev" {
		t.Errorf("%v, %v", got, err)
	}
	prod, _ := f.key("prod")
	if dev, _ := f.key("dev"); prod == dev {
		t.Error("both environments sign with one key")
	}
}

func TestE4_ClocksMayDifferALittle(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock}
	token := f.issue("prod")
	for _, tt := range []struct {
		at   time.Time
		good bool
	}{{clock.Add(-20 * time.Second), true}, {clock.Add(-40 * time.Second), false}, {session.ExpiresAt.Add(40 * time.Second), false}} {
		f.now = tt.at
		if _, err := f.verify(token, ""); (err == nil) != tt.good {
			t.Errorf("at %s: %v", tt.at, err)
		}
	}
}

func TestSigningKeysAreNotShown(t *testing.T) {
	f := &forge{t: t, keys: newRing(), now: clock}
	f.issue("prod")
	id, private := f.key("prod")
	key := f.keys.byID[id]
	for _, shown := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%v", &key)} {
		if shown != "signing key "+id {
			t.Errorf("the key shows as %s", shown)
		}
	}
	f.keys.byID[id] = account.SigningKey{ID: id, Environment: "prod", Private: []byte("broken")}
	if _, err := identity.NewSigner(f.keys, us, nil).Impersonation(t.Context(), "prod", session); err == nil {
		t.Error("a broken key signs")
	}
	f.keys.away = fault.New(fault.Unavailable, "database_unavailable", "away")
	if _, err := f.verify(sign(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, claims{}, by(private)), ""); !errors.Is(err, fault.Unavailable) {
		t.Errorf("keys that cannot be read: %v", err)
	}
}

func FuzzIssuedTokens(f *testing.F) {
	o := &forge{t: f, keys: newRing(), now: clock}
	good := o.issue("prod")
	id, key := o.key("prod")
	f.Add(good)
	f.Add(sign(claims{"alg": "none", "kid": id, "typ": "at+jwt"}, claims{"sub": "ada"}, func([]byte) []byte { return nil }))
	f.Add(sign(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, claims{"sub": 1, "act": []string{}, "exp": "x"}, by(key)))
	f.Add("eyJ..")
	f.Add("eyJhbGciOiJFZERTQSJ9.e30.AAAA")
	client, _, err := identity.NewSigner(o.keys, us, func() time.Time { return clock }).ClientToken(f.Context(), "prod", "shop", "sec_1", "read")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(client)
	f.Add(sign(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, read(f, client).with(claims{"scope": []string{"read"}}), by(key)))
	f.Add(sign(claims{"alg": "EdDSA", "kid": id, "typ": "at+jwt"}, read(f, client).with(claims{"sub": "prod."}), by(key)))
	f.Fuzz(func(t *testing.T, text string) {
		actor, err := o.verify(text, "")
		if err == nil && text != good && text != client {
			t.Errorf("%q is taken for %v", text, actor)
		}
		if err != nil && !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
