package httpapi

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// same compares an answer's body with JSON text, in which "?" stands for anything.
func (a answer) same(want string) answer {
	a.t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		a.t.Fatalf("%v: %s", err, want)
	}
	anything := cmp.FilterValues(func(x, y any) bool { return x == "?" || y == "?" }, cmp.Comparer(func(any, any) bool { return true }))
	if diff := cmp.Diff(w, any(a.body), anything); diff != "" {
		a.t.Fatalf("body (-want +got):\n%s", diff)
	}
	return a
}

// tagged compares the headers of a change with its version; etag 0 is none.
func (a answer) tagged(tag account.Version, version account.Version) answer {
	a.t.Helper()
	if got := a.header.Get("ETag"); got != etag(tag) {
		a.t.Fatalf("ETag is %q, want %q", got, etag(tag))
	}
	if got, err := account.ConsistencyToken(a.header.Get("Consistency-Token")).VersionIn("prod"); err != nil || got != version {
		a.t.Fatalf("Consistency-Token is of %d (%v), want %d", got, err, version)
	}
	return a
}

// seeded has the accounts globex and globex/east, the role admin and the user ada, at version 5.
func seeded(t *testing.T, g granting) *api {
	t.Helper()
	a := withStore(t, g)
	status := 201
	if g.late {
		status = 202
	}
	a.do("POST", "/v1/accounts", `{"id":"globex","name":"Globex","sub_account_management":true}`).ok(status).tagged(2, 2)
	a.do("POST", "/v1/accounts", `{"id":"east","name":"Globex East","parent":"globex"}`).ok(status).tagged(3, 3)
	a.do("POST", "/v1/roles", `{"key":"admin","permissions":["fe.account-hierarchy.read.subAccount"]}`).ok(status).tagged(4, 4)
	a.do("POST", "/v1/users", `{"id":"ada","email":"Ada@Globex.example","memberships":[{"account":"globex","roles":["admin"],"sub_account_access":true}]}`).ok(status).tagged(5, 5)
	return a
}

func TestAccountsOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	const globex = `"id":"globex","name":"Globex","parent":null,"sub_account_management":true,"sub_account_access":"default_off","plan":null,"created_at":"?"`
	const east = `"id":"east","name":"Globex East","parent":"globex","sub_account_management":false,"sub_account_access":"default_off","plan":null,"created_at":"?"`

	got := a.do("GET", "/v1/accounts/globex", "").ok(200).same(`{` + globex + `,"ip_allow_list":[],"version":2}`)
	if got.header.Get("ETag") != `"2"` {
		t.Errorf("ETag is %s", got.header.Get("ETag"))
	}
	if at, _ := got.body["created_at"].(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`).MatchString(at) {
		t.Errorf("created_at is %q, want RFC 3339 in UTC", at)
	}
	a.do("GET", "/v1/accounts/east/summary", "").ok(200).same(`{` + east + `,"version":3,"path":[{"id":"globex","name":"Globex"}],"members":0,"direct_sub_accounts":0,"all_sub_accounts":0}`)
	a.do("GET", "/v1/accounts/globex/tree", "").ok(200).same(`{"total":2,"complete":true,"tree":{` + globex + `,"depth":0,"children":[{` + east + `,"depth":1,"children":[]}]}}`)
	a.do("GET", "/v1/accounts?roots=true", "").ok(200).same(`{"total":1,"accounts":[{` + globex + `,"version":2}]}`)
	a.do("GET", "/v1/accounts?parent=globex", "").ok(200).same(`{"total":1,"accounts":[{` + east + `,"version":3}]}`)
	a.do("GET", "/v1/accounts?q=EAST", "").ok(200).same(`{"total":1,"accounts":[{` + east + `,"version":3}]}`)
	a.do("GET", "/v1/accounts?q=nothing", "").ok(200).same(`{"total":0,"accounts":[]}`)

	first := a.do("GET", "/v1/accounts?limit=1", "").ok(200).same(`{"total":2,"accounts":[{` + east + `,"version":3}],"next_cursor":"?"}`)
	next, _ := first.body["next_cursor"].(string)
	a.do("GET", "/v1/accounts?limit=1&cursor="+next, "").ok(200).same(`{"total":2,"accounts":[{` + globex + `,"version":2}]}`)

	a.do("PATCH", "/v1/accounts/globex", `{"name":"Globex Corp"}`, "If-Match", `"1"`).refused(412, "stale", "")
	a.do("PATCH", "/v1/accounts/globex", `{"name":"Globex Corp"}`, "If-Match", `"2"`).ok(200).tagged(6, 6)
	a.do("PATCH", "/v1/accounts/globex", `{"name":"Globex Corp"}`).ok(200).tagged(6, 6)
	a.do("PATCH", "/v1/accounts/globex", `{"name":null}`, "If-Match", "*").ok(200).tagged(6, 6)
	a.do("POST", "/v1/accounts/east/move", `{"parent":null}`, "If-Match", `"2"`).refused(412, "stale", "")
	a.do("POST", "/v1/accounts/east/move", `{"parent":null,"dry_run":true}`).ok(200).tagged(3, 6).same(`{"id":"east","name":"Globex East","parent":null,
		"sub_account_management":false,"sub_account_access":"default_off","plan":null,"created_at":"?","version":3,"moved":false,"applied":false,
		"impact":{"gains":{"users":0,"accounts":0,"pairs":0},"loses":{"users":1,"accounts":1,"pairs":1}}}`)
	if got := a.do("POST", "/v1/accounts/east/move", `{"parent":null}`, "If-Match", `"3"`).ok(200).tagged(7, 7); got.body["parent"] != nil || got.body["applied"] != true || got.body["moved"] != true {
		t.Errorf("moved: %s", got.text)
	}
	a.do("DELETE", "/v1/accounts/globex", "").refused(409, "users_without_account", "")
	a.do("DELETE", "/v1/accounts/east", "", "If-Match", `"3"`).refused(412, "stale", "")
	a.do("DELETE", "/v1/accounts/east", "", "If-Match", `"7"`).ok(200).tagged(0, 8)
	a.do("DELETE", "/v1/accounts/globex?delete_users=true", "").ok(200).tagged(0, 9)
	a.do("GET", "/v1/users/ada", "").refused(404, "user_not_found", "")
}

func TestPeopleOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	const ada = `"id":"ada","email":"ada@globex.example","name":"","blocked":false,"created_at":"?"`
	a.do("GET", "/v1/users/ada", "").ok(200).same(`{` + ada + `,"version":5,"memberships":[
		{"account":"globex","user":"ada","roles":["admin"],"sub_account_access":true,"expires_at":null,"created_at":"?"}]}`)
	a.do("GET", "/v1/users?q=globex", "").ok(200).same(`{"total":1,"users":[{` + ada + `,"version":5}]}`)
	a.do("GET", "/v1/accounts/globex/members", "").ok(200).same(`{"total":1,"members":[{"account":"globex","user":"ada","roles":["admin"],"sub_account_access":true,
		"expires_at":null,"created_at":"?","version":5,"email":"ada@globex.example","name":"","blocked":false,"sub_account_access_by":"grant"}]}`)
	a.do("GET", "/v1/accounts/globex/members?role=admin", "").ok(200)
	a.do("GET", "/v1/accounts/globex/members?role=no%20role", "").refused(422, "invalid_id", "role")

	a.do("PUT", "/v1/accounts/east/members/ada", `{"roles":["admin","admin"],"expires_at":"2999-01-01T01:00:00.5+01:00"}`).ok(200).tagged(6, 6).
		same(`{"account":"east","user":"ada","roles":["admin"],"sub_account_access":false,"expires_at":"2999-01-01T00:00:00Z","created_at":"?","version":6,"applied":true}`)
	a.do("PUT", "/v1/accounts/east/members/ada", `{"roles":["admin"],"expires_at":null}`, "If-Match", `"5"`).refused(412, "stale", "")
	a.do("PUT", "/v1/accounts/east/members/ada", `{"roles":["admin"],"expires_at":null}`, "If-Match", `"6"`).ok(200).tagged(7, 7)
	a.do("PUT", "/v1/accounts/east/members/ada", `{"roles":["admin"],"expires_at":"2001-01-01T00:00:00Z"}`).refused(422, "expiry_past", "expires_at")
	a.do("DELETE", "/v1/accounts/east/members/ada", "").ok(200).tagged(0, 8)
	a.do("DELETE", "/v1/accounts/globex/members/ada", "").refused(409, "users_without_account", "")

	a.do("PATCH", "/v1/users/ada", `{"name":"Ada"}`, "If-Match", `"5"`).ok(200).tagged(9, 9)
	if got := a.do("POST", "/v1/users/ada/block", "").ok(200).tagged(10, 10); got.body["blocked"] != true {
		t.Errorf("blocked: %s", got.text)
	}
	a.do("POST", "/v1/users/ada/unblock", "", "If-Match", `"9"`).refused(412, "stale", "")
	a.do("POST", "/v1/users/ada/unblock", "").ok(200).tagged(11, 11)
	a.do("DELETE", "/v1/users/ada", "").ok(200).tagged(0, 12)
}

func TestRolesAndEnvironmentOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	const admin = `{"key":"admin","name":"","account":null,"permissions":["fe.account-hierarchy.read.subAccount"],"version":4}`
	a.do("GET", "/v1/roles", "").ok(200).same(`{"total":1,"roles":[` + admin + `]}`)
	a.do("GET", "/v1/accounts/east/roles", "").ok(200).same(`{"total":1,"roles":[` + admin + `]}`)
	a.do("POST", "/v1/roles", `{"key":"local","account":"east","permissions":["fe.account-hierarchy.write.subAccountManagement"]}`).ok(201).tagged(6, 6).
		same(`{"key":"local","name":"","account":"east","permissions":["fe.account-hierarchy.write.sub-account-management"],"version":6,"applied":true}`)
	a.do("POST", "/v1/roles", `{"key":"empty","account":"","permissions":[]}`).refused(422, "invalid_id", "account")
	a.do("PATCH", "/v1/roles/local", `{"permissions":[]}`, "If-Match", `"6"`).ok(200).tagged(7, 7)
	a.do("DELETE", "/v1/roles/admin", "").refused(409, "role_in_use", "")
	a.do("DELETE", "/v1/roles/local", "", "If-Match", `"7"`).ok(200).tagged(0, 8)

	got := a.do("GET", "/v1/permissions", "").ok(200)
	if list, _ := got.body["permissions"].([]any); len(list) < 12 || got.body["total"] != float64(len(list)) {
		t.Errorf("permissions: %s", got.text)
	}

	const prod = `"id":"prod","name":"prod","sub_accounts_enabled":true,"default_access_mode":"default_off","invitation_url":"","invitation_hours":168,"token_minutes":15,"exchange_only":false,"ip_allow_list":[],"created_at":"?"`
	a.do("GET", "/v1/environment", "").ok(200).same(`{` + prod + `,"max_depth":16,"version":1}`)
	a.do("PATCH", "/v1/environment", `{"max_depth":5}`, "If-Match", `"1"`).ok(200).tagged(9, 9).same(`{` + prod + `,"max_depth":5,"version":9,"applied":true}`)

	const shop = `"id":"shop","name":"shop","roles":["admin"],"act_for_users":false,"scopes":["admin","check","read","write"],"created_at":"?"`
	created := a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["admin"]}`).ok(201).tagged(10, 10).
		same(`{` + shop + `,"version":10,"applied":true,"token":"?"}`)
	if token, _ := created.body["token"].(string); !regexp.MustCompile(`^tenantry_prod\.shop\.[A-Za-z0-9_-]{43}$`).MatchString(token) {
		t.Errorf("the token is %q", token)
	}
	a.do("GET", "/v1/environment/clients", "").ok(200).same(`{"total":1,"clients":[{` + shop + `,"version":10}]}`)
	a.do("DELETE", "/v1/environment/clients/shop", "", "If-Match", `"10"`).refused(422, "invalid_if_match", "If-Match")
	a.do("DELETE", "/v1/environment/clients/shop", "").refused(409, "last_admin", "")
	a.do("POST", "/v1/environment/clients", `{"id":"office","roles":["admin"]}`).ok(201).tagged(11, 11)
	a.do("DELETE", "/v1/environment/clients/shop", "").ok(200).tagged(0, 12)
}

func TestL1_JournalOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	a.do("POST", "/v1/users/ada/block", "", "X-Request-Id", "trace-7", "Act-For-User", "bob").ok(200)
	a.do("GET", "/v1/journal?after=5", "").ok(200).same(`{"next_after":6,"more":false,"entries":[{"version":6,"at":"?","kind":"user.blocked",
		"actor":{"name":"user:bob","client":"shop","user":"bob"},"request_id":"trace-7","from":"192.0.2.1","changes":[{
			"before":{"user":{"id":"ada","email":"ada@globex.example","name":"","blocked":false,"created_at":"?"}},
			"after":{"user":{"id":"ada","email":"ada@globex.example","name":"","blocked":true,"created_at":"?"}}}],"changes_total":1}]}`)
	a.do("GET", "/v1/journal?after=6", "").ok(200).same(`{"next_after":6,"more":false,"entries":[]}`)
	page := a.do("GET", "/v1/journal?limit=5", "").ok(200)
	if page.body["more"] != true || page.body["next_after"] != 5.0 {
		t.Errorf("page: %s", page.text)
	}
	var seen []string // every entity of the fifth entry, a creation of a user
	for _, change := range page.body["entries"].([]any)[4].(map[string]any)["changes"].([]any) {
		for kind := range change.(map[string]any)["after"].(map[string]any) {
			seen = append(seen, kind)
		}
	}
	if diff := cmp.Diff([]string{"user", "membership", "assignment"}, seen); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestNotYetInForceIs202(t *testing.T) {
	a := seeded(t, granting{late: true})
	if got := a.do("PATCH", "/v1/accounts/globex", `{"name":"G"}`).ok(202).tagged(6, 6); got.body["applied"] != false {
		t.Errorf("changed: %s", got.text)
	}
	if got := a.do("DELETE", "/v1/users/ada", "").ok(202).tagged(0, 7); got.body["applied"] != false {
		t.Errorf("deleted: %s", got.text)
	}
	if got := a.do("POST", "/v1/environment/clients", `{"id":"shop","roles":["admin"]}`).ok(202); got.body["token"] == "" || got.body["applied"] != false {
		t.Errorf("created: %s", got.text)
	}
}

func TestIdempotencyKey(t *testing.T) {
	a := withStore(t, granting{})
	key := []string{"Idempotency-Key", "k1"}
	first := a.do("POST", "/v1/accounts", `{"name":"Globex"}`, key...).ok(201).tagged(2, 2)
	again := a.do("POST", "/v1/accounts", `{"name":"Globex"}`, key...).ok(201).tagged(2, 2)
	if diff := cmp.Diff(first.body, again.body); diff != "" {
		t.Errorf("the repeat (-first +repeat):\n%s", diff)
	}
	a.do("POST", "/v1/accounts", `{"name":"Initech"}`, key...).refused(409, "idempotency_key_reused", "Idempotency-Key")
}
