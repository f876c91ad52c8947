package app_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

// TestAttack_WhatAnotherServerRevokesOpensNothing: what a server remembers of good credentials, and of allow lists, ends
// with the first request that comes after another server on the same database has changed it.
func TestAttack_WhatAnotherServerRevokesOpensNothing(t *testing.T) {
	a, b := replicas(t)
	a.must("POST", "/v1/roles", obj{"key": "machine", "permissions": []string{readSubAccounts}})
	a.must("POST", "/v1/accounts", obj{"id": "globex", "name": "Globex"})
	ask := obj{"subject": "user:ada", "permission": "access", "resource": "account:globex"}
	warm := func(c caller, ask obj, seen answer) { // b answers as of what was seen at a
		t.Helper()
		for range 3 {
			c.must("POST", "/v1/check", ask, "Consistency-Token", seen.header.Get("Consistency-Token"))
		}
	}
	for i := range 8 {
		id := fmt.Sprint("mole-", i)
		secret := caller{s: b.s, token: a.s.client("prod", account.ClientID(id), false, account.BackofficeViewer).token}
		issued := secret.exchanged()
		for _, c := range []caller{secret, issued} {
			warm(c.from(away), ask, a.limit(theEnvironment))
			limited := a.limit(theEnvironment, home)
			c.barredFrom(t, away, "POST", "/v1/check", ask)
			warm(c, ask, limited)
			warm(c.from(away), ask, a.limit(theEnvironment))
		}
		a.must("DELETE", "/v1/environment/clients/"+id, nil)
		secret.refuse("unauthenticated", "POST", "/v1/check", ask)
		issued.refuse("unauthenticated", "POST", "/v1/check", ask)

		made := a.must("POST", "/v1/accounts/globex/api-tokens", obj{"name": "Export", "roles": []string{"machine"}})
		machine := caller{s: b.s, token: made.body["token"].(string)}
		self := obj{"subject": fmt.Sprint("api_token:", made.body["id"]), "permission": "access", "resource": "account:globex"}
		warm(machine, self, made)
		a.must("DELETE", fmt.Sprint("/v1/accounts/globex/api-tokens/", made.body["id"]), nil)
		machine.refuse("unauthenticated", "POST", "/v1/check", self)
	}
}
