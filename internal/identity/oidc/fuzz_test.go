package oidc_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/identity/oidc"
	"github.com/tenantry/tenantry/internal/testoidc"
)

// FuzzUserClaims takes headers and claims of any form that the provider has
// signed through all of it. ISSUER in the claims stands for its address, whichever
// that is. What is taken has to say all that it must, by another reading of it.
func FuzzUserClaims(f *testing.F) {
	provider := testoidc.NewFake(f)
	here := trust(f, provider.Issuer)
	fixed := time.Unix(1_800_000_000, 0)
	here.from = fixed
	for _, claims := range []string{
		`{"iss":"ISSUER","aud":"shop","sub":"ada","iat":1800000000,"exp":1800000300}`,
		`{"iss":"ISSUER","aud":["x","shop"],"sub":"ada","iat":1.8e9,"exp":1800000300.5,"nbf":1800000000,"email":"ada@globex.example","email_verified":"true","name":"Ada"}`,
		`{"iss":"ISSUER","aud":"shop","sub":"","iat":1800000000,"exp":1e300}`,
		`{"ISS":"ISSUER","Aud":"shop","SUB":"ada","iat":1800000000,"exp":1800000300,"events":{}}`,
		`{"iss":"ISSUER","sub":"a","sub":"b"}`, `[]`, `null`, ``,
	} {
		f.Add(`{"alg":"ES256","kid":"es","typ":"JWT"}`, claims)
	}
	f.Add(`{"alg":"ES256"}`, `{"iss":"ISSUER","aud":"shop","sub":"ada","iat":1800000000,"exp":1800000300}`)
	f.Add(`{"alg":"none","typ":5,"crit":["b64"],"b64":false,"jwk":{},"cty":"JWT"}`, `{}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		var head testoidc.Claims
		if json.Unmarshal([]byte(header), &head) != nil || head == nil {
			return
		}
		text := strings.ReplaceAll(claims, "ISSUER", provider.Issuer)
		v, err := here.verify(testoidc.SignText(t, provider.Key("es"), head, []byte(text)))
		if err != nil {
			if refusal := isRefusal(v, err); refusal != nil {
				t.Error(refusal)
			}
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatalf("%q is taken, and is no object: %v", text, err)
		}
		expires, _ := said["exp"].(float64)
		audiences, _ := said["aud"].([]any)
		switch {
		case head["alg"] != "ES256", said["iss"] != provider.Issuer, said["sub"] != v.Subject, v.Subject == "":
			t.Errorf("%q %q is taken for %v", header, text, v)
		case said["aud"] != testoidc.Audience && !slices.Contains(audiences, any(testoidc.Audience)):
			t.Errorf("%q is taken, and is for another", text)
		case expires < float64(fixed.Unix()-31) || v.ExpiresAt.Before(fixed.Add(-30*time.Second)):
			t.Errorf("%q is taken, and is expired", text)
		case v.Email != "" && said["email_verified"] != true && said["email_verified"] != "true":
			t.Errorf("%q is taken with an address that is not verified", text)
		}
	})
}

// FuzzProviderKeys reads key sets of any form.
func FuzzProviderKeys(f *testing.F) {
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`)
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","alg":"EdDSA","kid":"a"}]}`)
	f.Add(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"AAAA"},{"kty":"EC","x5c":["AAAA"]},null,1]}`)
	f.Add(`{"keys":[]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := oidc.ReadKeys([]byte(text))
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%q: %d keys, %v", text, len(keys), err)
		}
		for _, key := range keys {
			if !key.IsPublic() || !key.Valid() {
				t.Errorf("%q has the key %v", text, key)
			}
		}
	})
}
