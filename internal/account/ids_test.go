package account_test

import (
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

// TestC2_SecretsInTheWrongPlace are not repeated: whoever puts one where an id belongs is told what it is.
func TestC2_SecretsInTheWrongPlace(t *testing.T) {
	for _, kind := range []string{"tenantry_prod.shop.", "tenantry_api_prod.tok_1.", "tenantry_invitation_prod.inv_1."} {
		secret := "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
		for _, text := range []string{
			account.Quote(kind + secret), account.Masked("see " + kind + secret + " and " + kind + secret),
			account.CheckID("secret", account.SecretID(kind+secret)).Error(), account.Quote(strings.Repeat("x", 60) + kind + secret),
		} {
			if strings.Contains(text, secret[:8]) {
				t.Errorf("the secret is in %s", text)
			}
		}
		if err := account.CheckID("secret", account.SecretID(kind+secret)); !strings.Contains(err.Error(), "this is a secret") {
			t.Errorf("%v", err)
		}
	}
	for _, id := range []string{"tenantry_prod", "tenantry_prod.shop", "tenantry.example"} {
		if account.Masked(id) != id {
			t.Errorf("%s is no secret: %s", id, account.Masked(id))
		}
	}
}
