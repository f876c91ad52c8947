package testoidc_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/testoidc"
)

func TestProvider(t *testing.T) {
	p := testoidc.Start(t)
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} {
		for _, access := range []bool{false, true} {
			token := p.Token("ada", testoidc.Options{Alg: alg, Access: access, Email: "ada@globex.example", EmailVerified: true, Name: "Ada"})
			header, claims := part(t, token, 0), part(t, token, 1)
			if header["alg"] != alg || header["kid"] == nil || (header["typ"] == "at+jwt") != access {
				t.Errorf("%s, access %v: header %v", alg, access, header)
			}
			if claims["iss"] != p.Issuer || claims["sub"] != "ada" || claims["email"] != "ada@globex.example" || claims["email_verified"] != true || claims["name"] != "Ada" {
				t.Errorf("%s, access %v: claims %v", alg, access, claims)
			}
		}
	}
	if aud := part(t, p.Token("ada", testoidc.Options{}), 1)["aud"]; aud != testoidc.Audience {
		t.Errorf("aud is %v", aud)
	}
}

func TestRotation(t *testing.T) {
	p := testoidc.Start(t)
	issuer := p.Issuer
	before := part(t, p.Token("ada", testoidc.Options{}), 0)["kid"]
	p.Rotate()
	if after := part(t, p.Token("ada", testoidc.Options{}), 0)["kid"]; after == before || p.Issuer != issuer {
		t.Errorf("after a rotation the key is %v, before %v; the issuer is %s, was %s", after, before, p.Issuer, issuer)
	}
}

// part is the header (0) or the claims (1) of a token.
func part(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %s", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
