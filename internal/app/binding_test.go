package app_test

import (
	"fmt"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
)

// replicas are two servers on one directory, each with an engine of its own.
func replicas(t *testing.T) (a, b caller) {
	t.Helper()
	file := databaseFile(t)
	first := start(t, app.Config{DataDir: t.TempDir(), Database: file})
	second := start(t, app.Config{DataDir: t.TempDir(), Database: file})
	first.environment("prod")
	a = first.client("prod", "op", true, account.PortalAdmin)
	return a, caller{s: second, token: a.token}
}

// TestWhatIsRecordedBindsEveryReplica: a request is decided with all in force
// that the directory holds when it comes, whichever server it comes to.
func TestWhatIsRecordedBindsEveryReplica(t *testing.T) {
	a, b := replicas(t)
	a.must("POST", "/v1/roles", obj{"key": "admin", "permissions": []string{readSubAccounts, "fe.account-hierarchy.write.subAccount", readUsers}})
	a.must("POST", "/v1/accounts", obj{"id": "home", "name": "Home", "sub_account_management": true})
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for i := range rounds {
		id, user := fmt.Sprintf("top-%d", i), fmt.Sprintf("user-%d", i)
		a.must("POST", "/v1/accounts", obj{"id": id, "name": "Top", "sub_account_management": true})
		b.must("POST", "/v1/accounts", obj{"id": id + "-kid", "name": "Kid", "parent": id})
		b.must("POST", "/v1/users", obj{"id": user, "email": user + "@example.com", "memberships": []obj{{"account": id, "roles": []string{"admin"}}}})
		a.as(user).must("POST", "/v1/accounts", obj{"name": "Theirs", "parent": id})

		revoke, restore := func() { a.must("POST", "/v1/users/"+user+"/block", nil) }, func() { b.must("POST", "/v1/users/"+user+"/unblock", nil) }
		code := "user_blocked"
		if i%2 == 1 { // a membership that ends, in place of a block
			b.must("PUT", "/v1/accounts/home/members/"+user, obj{"roles": []string{"admin"}})
			revoke = func() { a.must("DELETE", "/v1/accounts/"+id+"/members/"+user, nil) }
			restore = func() { b.must("PUT", "/v1/accounts/"+id+"/members/"+user, obj{"roles": []string{"admin"}}) }
			code = "permission_denied"
		}
		revoke()
		b.as(user).refuse(code, "POST", "/v1/accounts", obj{"name": "Too late", "parent": id})
		b.as(user).refuse(code, "GET", "/v1/accounts/"+id+"/tree", nil)
		restore()
		a.as(user).must("GET", "/v1/accounts/"+id+"/members", nil)
	}
}

// TestConsistencyTokensAreForEveryRequest: also of writes and reads of the directory.
func TestConsistencyTokensAreForEveryRequest(t *testing.T) {
	a, b := replicas(t)
	token := a.must("POST", "/v1/accounts", obj{"id": "globex", "name": "Globex"}).header.Get("Consistency-Token")
	b.must("GET", "/v1/accounts/globex", nil, "Consistency-Token", token)
	b.must("PATCH", "/v1/accounts/globex", obj{"name": "Globex Corporation"}, "Consistency-Token", token)

	other := string(account.TokenAt("dev", 1))
	future := string(account.TokenAt("prod", 1_000_000))
	for _, bad := range []string{"tc1.nonsense", other} {
		b.refuse("invalid_consistency_token", "GET", "/v1/accounts/globex", nil, "Consistency-Token", bad).is(t, 422, "invalid_consistency_token", "Consistency-Token")
		b.refuse("invalid_consistency_token", "GET", "/v1/permissions", nil, "Consistency-Token", bad)
		b.refuse("invalid_consistency_token", "PATCH", "/v1/accounts/globex", obj{"name": "Other"}, "Consistency-Token", bad)
	}
	b.refuse("invalid_consistency_token", "PATCH", "/v1/accounts/globex", obj{"name": "Other"}, "Consistency-Token", future)
}
