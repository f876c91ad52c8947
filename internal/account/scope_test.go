package account_test

import (
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

func TestC1_Scopes(t *testing.T) {
	some, err := account.ParseScopes("scopes", []string{"read", "check", "read"})
	if err != nil || some != "check read" {
		t.Fatalf("%q, %v", some, err)
	}
	all, err := account.ParseScopes("scopes", account.AllScopes())
	if err != nil || all != "" || len(all.List()) != 4 {
		t.Errorf("all: %q, %v", all, err)
	}
	for _, s := range account.AllScopes() {
		if want := s == account.ScopeRead || s == account.ScopeCheck; some.Has(s) != want || !all.Has(s) {
			t.Errorf("%s: %t of some, %t of all", s, some.Has(s), all.Has(s))
		}
	}
	if !some.Within(all) || all.Within(some) || !some.Within(some) || !account.Scopes("read").Within(some) {
		t.Error("Within")
	}
	if _, err := account.ParseScopes("scopes", []string{"Read"}); !fault.HasCode(err, "unknown_scope") {
		t.Errorf("Read: %v", err)
	}
}
