package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/testoidc"
)

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// TestC1_ForgedUserTokensOpenNothing tries what there is to try against a
// provider's tokens. Each has to be refused, with the same words.
func TestC1_ForgedUserTokensOpenNothing(t *testing.T) {
	f, stranger := testoidc.NewFake(t), testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	good := f.Token(nil)
	here.takes("a token made by hand, without which the forgeries prove nothing", good)
	parts := strings.Split(good, ".")
	body, err := json.Marshal(f.Claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	hs256 := func(secret []byte, kid string) string {
		input := encode(fmt.Sprintf(`{"alg":"HS256","typ":"JWT","kid":%q}`, kid)) + "." + encode(string(body))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	public := f.Key("rs")
	der, err := x509.MarshalPKIXPublicKey(public.Public().Key)
	if err != nil {
		t.Fatal(err)
	}
	strange := stranger.Key("es")
	jwk := strange.Public()
	otherwise := f.Key("rs") // and published for RS256
	otherwise.Algorithm = "PS256"
	theirs := func(header testoidc.Claims) string { return stranger.Sign("es", header, f.Claims(nil)) }
	forged := map[string]string{
		"alg none":                      encode(`{"alg":"none","typ":"JWT","kid":"es"}`) + "." + encode(string(body)) + ".",
		"alg none, other case":          encode(`{"alg":"nOnE","typ":"JWT","kid":"es"}`) + "." + encode(string(body)) + ".",
		"alg none, with a signature":    encode(`{"alg":"none","typ":"JWT","kid":"es"}`) + "." + encode(string(body)) + "." + parts[2],
		"no alg":                        f.Sign("es", testoidc.Claims{"alg": nil}, f.Claims(nil)),
		"no signature":                  parts[0] + "." + parts[1] + ".",
		"public key as a secret, PEM":   hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "rs"),
		"public key as a secret, DER":   hs256(der, "rs"),
		"alg says another of the key's": f.Sign("rs", testoidc.Claims{"alg": "PS256"}, f.Claims(nil)),
		"alg of another kind":           f.Sign("es", testoidc.Claims{"alg": "RS256"}, f.Claims(nil)),
		"alg of another curve":          f.Sign("es", testoidc.Claims{"alg": "ES384"}, f.Claims(nil)),
		"kid of another key":            f.Sign("es", testoidc.Claims{"kid": "rs"}, f.Claims(nil)),
		"kid that there is not":         f.Sign("es", testoidc.Claims{"kid": "../../es"}, f.Claims(nil)),
		"kid is a list":                 f.Sign("es", testoidc.Claims{"kid": []string{"es"}}, f.Claims(nil)),
		"kid has a line break":          f.Sign("es", testoidc.Claims{"kid": "es\nlevel=ERROR msg=forged"}, f.Claims(nil)),
		"another's key":                 theirs(nil),
		"another's key, brought along":  theirs(testoidc.Claims{"jwk": jwk}),
		"another's key, and no kid":     theirs(testoidc.Claims{"jwk": jwk, "kid": nil}),
		"another's key, at an address":  theirs(testoidc.Claims{"jku": stranger.Issuer + testoidc.KeySet}),
		"another's certificate":         theirs(testoidc.Claims{"x5u": stranger.Issuer + "/cert"}),
		"critical and unknown":          f.Sign("es", testoidc.Claims{"crit": []string{"x"}, "x": 1}, f.Claims(nil)),
		"critical and known":            f.Sign("es", testoidc.Claims{"crit": []string{"b64"}, "b64": false}, f.Claims(nil)),
		"says how it is encoded":        f.Sign("es", testoidc.Claims{"b64": true}, f.Claims(nil)),
		"good, by a key for another":    testoidc.SignText(t, otherwise, testoidc.Claims{"alg": "PS256", "kid": "rs"}, body),
		"critical and empty":            f.Sign("es", testoidc.Claims{"crit": []string{}}, f.Claims(nil)),
		"nested":                        f.Sign("es", testoidc.Claims{"cty": "JWT"}, f.Claims(nil)),
		"a logout token":                f.Sign("es", testoidc.Claims{"typ": "logout+jwt"}, f.Claims(nil)),
		"typ is a number":               f.Sign("es", testoidc.Claims{"typ": 1}, f.Claims(nil)),
		"typ is empty":                  f.Sign("es", testoidc.Claims{"typ": ""}, f.Claims(nil)),
		"a logout token without typ":    f.Sign("es", testoidc.Claims{"typ": nil}, f.Claims(testoidc.Claims{"events": testoidc.Claims{"http://schemas.openid.net/event/backchannel-logout": testoidc.Claims{}}})),
		"header is a list":              encode(`[]`) + "." + parts[1] + "." + parts[2],
		"encrypted":                     "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA",
		"four parts":                    good + ".AA",
		"JSON serialization":            fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, parts[1], parts[0], parts[2]),
		"changed after signing":         parts[0] + "." + encode(strings.Replace(string(body), `"ada"`, `"bob"`, 1)) + "." + parts[2],
		"signature of another token":    parts[0] + "." + parts[1] + "." + strings.Split(f.Token(testoidc.Claims{"sub": "bob"}), ".")[2],
		"signature of zeros":            parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"too long":                      f.Token(testoidc.Claims{"more": strings.Repeat("x", 17<<10)}),
		"claims are a list":             testoidc.SignText(t, f.Key("es"), testoidc.Claims{"alg": "ES256", "kid": "es"}, []byte(`[]`)),
		"claims twice":                  testoidc.SignText(t, f.Key("es"), testoidc.Claims{"alg": "ES256", "kid": "es"}, []byte(strings.Replace(string(body), `{`, `{"sub":"bob",`, 1))),
		"deep":                          testoidc.SignText(t, f.Key("es"), testoidc.Claims{"alg": "ES256", "kid": "es"}, []byte(strings.Repeat(`[`, 10_000))),
	}
	for name, changes := range map[string]testoidc.Claims{
		"other issuer":                   {"iss": stranger.Issuer},
		"issuer with a slash":            {"iss": f.Issuer + "/"},
		"issuer in capitals":             {"iss": strings.ToUpper(f.Issuer)},
		"issuers":                        {"iss": []string{f.Issuer}},
		"no issuer":                      {"iss": nil},
		"other audience":                 {"aud": "payroll"},
		"part of the audience":           {"aud": "sho"},
		"no audience":                    {"aud": nil},
		"audience of numbers":            {"aud": []any{testoidc.Audience, 1}},
		"no audiences":                   {"aud": []string{}},
		"no subject":                     {"sub": nil},
		"empty subject":                  {"sub": ""},
		"subject is a number":            {"sub": 7},
		"subject too long":               {"sub": strings.Repeat("a", 256)},
		"subject has a line break":       {"sub": "ada\nbob"},
		"subject has a NUL":              {"sub": "ada\x00"},
		"subject is not of ASCII":        {"sub": "ad\u0430"},
		"subject of another case's name": {"sub": nil, "SUB": "ada"},
		"no end":                         {"exp": nil},
		"no beginning":                   {"iat": nil},
		"end is a text":                  {"exp": "tomorrow"},
		"end too far":                    {"exp": 1e15},
		"end that overflows":             {"exp": 1e300},
		"expired":                        {"exp": here.now().Add(-31 * time.Second).Unix()},
		"not yet valid":                  {"nbf": here.now().Add(32 * time.Second).Unix()},
		"from the future":                {"iat": here.now().Add(32 * time.Second).Unix()},
		"bound to a key":                 {"cnf": testoidc.Claims{"jkt": "x"}},
		"a client's own":                 {"client_id": "ada"},
		"a service's own":                {"azp": "ada"},
	} {
		forged[name] = f.Token(changes)
	}
	for name, token := range forged {
		here.refuses(name, token)
	}
	if n := stranger.Asked(testoidc.KeySet) + stranger.Asked("/cert"); n != 0 {
		t.Errorf("who is not trusted was asked for keys %d times", n)
	}
}

// TestC1_UserTokensThatAreGood: what providers differ in and is allowed.
func TestC1_UserTokensThatAreGood(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	f.Now = here.now
	for _, kid := range []string{"rs", "es", "ed"} {
		here.takes(kid, f.Sign(kid, nil, f.Claims(nil)))
	}
	for _, kind := range []any{nil, "JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"} {
		here.takes(fmt.Sprint("typ ", kind), f.Sign("es", testoidc.Claims{"typ": kind}, f.Claims(nil)))
	}
	here.takes("no kid, and one key of the kind", f.Sign("es", testoidc.Claims{"kid": nil}, f.Claims(nil)))
	for name, changes := range map[string]testoidc.Claims{
		"several audiences":             {"aud": []string{"payroll", testoidc.Audience}},
		"longest subject":               {"sub": strings.Repeat("a", 255)},
		"subject as directories write":  {"sub": "uid=ada, ou=People|1"},
		"expired less than the skew":    {"exp": here.now().Add(-29 * time.Second).Unix()},
		"not yet, less than the skew":   {"nbf": here.now().Add(29 * time.Second).Unix()},
		"from the future, by the skew":  {"iat": here.now().Add(29 * time.Second).Unix()},
		"times with fractions":          {"iat": float64(here.now().Unix()) + 0.5},
		"to a client":                   {"client_id": "shop", "azp": "shop"},
		"further claims":                {"roles": []string{"admin"}, "address": testoidc.Claims{"country": "CH"}},
		"an address that is none":       {"email": "ada", "email_verified": true},
		"a name that cannot be shown":   {"name": "Ada\nLovelace"},
		"an address with a line break":  {"email": "ada@globex.example\r\nBcc: x@y.example", "email_verified": true},
		"claims named as ours, further": {"ISS": "https://evil.example", "Exp": 1},
	} {
		got := here.takes(name, f.Token(changes))
		if got.Email != "" || got.Name != "" {
			t.Errorf("%s: the address is %q, the name %q", name, got.Email, got.Name)
		}
	}
	f.Add("es2", "ES256")
	here.pass(31 * time.Second)
	here.takes("with a new key", f.Sign("es2", nil, f.Claims(nil)))
	here.refuses("no kid, and two keys of the kind", f.Sign("es", testoidc.Claims{"kid": nil}, f.Claims(nil)))
}

// TestC1_WeAreNoProvider: a provider with our own address is not believed, however it is written.
func TestC1_WeAreNoProvider(t *testing.T) {
	f := testoidc.NewFake(t)
	here := trust(t, f.Issuer)
	for _, address := range []string{us, us + "/", strings.ToUpper(us), us + ":443/"} {
		here.issuer = account.Issuer{URL: address, Audiences: []string{testoidc.Audience}}
		here.refuses(address, f.Token(testoidc.Claims{"iss": address}))
	}
	if known, _ := here.Known(us); known != 0 {
		t.Errorf("%d providers were asked", known)
	}
}
