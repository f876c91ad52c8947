package app_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

// what requests with a token for one account may say whatever else is asked: they
// are about no account, or the token is not looked at.
var aboutNoAccount = []string{
	"GET /v1/permissions", "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /openapi.yaml", "GET /v1/me",
	"GET /.well-known/jwks.json", "GET /.well-known/oauth-authorization-server",
}

var inPath = regexp.MustCompile(`\{[a-z_]+\}`)

// lord is a user who holds everything in two trees, and has a token for globex-eu: nothing but that token stands in the way.
func (w *world) lord() (own, inEU caller) {
	w.t.Helper()
	w.user(w.op, "lord", []obj{
		{"account": "globex", "roles": []string{"admin"}, "sub_account_access": true},
		{"account": "initech", "roles": []string{"admin"}, "sub_account_access": true},
	})
	return w.as("lord"), w.opened(w.as("lord"), "globex-eu")
}

// sameAsNowhere sends a request that names another account, and the same about one
// that is not there. Both have to be refused, with the same words, and leave no trace.
func (w *world) sameAsNowhere(t *testing.T, c caller, other, method, path string, body any) answer {
	t.Helper()
	const nowhere = "no-such-account"
	put := func(text, id string) string { return strings.ReplaceAll(text, "{B}", id) }
	var text any
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	ask := func(id string) answer {
		if in, ok := text.(string); ok {
			return c.in(t).do(method, put(path, id), put(in, id))
		}
		return c.in(t).do(method, put(path, id), nil)
	}
	before := w.head("prod")
	there, absent := ask(other), ask(nowhere)
	words := func(a answer) string {
		detail, _ := a.body["detail"].(string)
		return detail
	}
	same := words(there) == words(absent) || strings.ReplaceAll(words(there), other, nowhere) == words(absent)
	refused := there.status >= 400
	if path == "/v1/check/bulk" { // refused one by one
		refused, same = !strings.Contains(string(there.raw), `"allowed":true`), string(there.raw) == string(absent.raw)
	}
	if !refused || !same || there.status != absent.status || there.code() != absent.code() {
		t.Errorf("%s %s %v about %s: %d %s; about nothing: %d %s", method, path, body, other, there.status, there.raw, absent.status, absent.raw)
	}
	if w.head("prod") != before {
		t.Errorf("%s %s %v about %s changed something", method, path, body, other)
	}
	return there
}

// TestW2_AnAccountTokenOpensNothingElse sends every operation that there is about
// accounts outside of the token's: elsewhere, above and below.
func TestW2_AnAccountTokenOpensNothingElse(t *testing.T) {
	w := newWorld(t, oneMachine)
	own, inEU := w.lord()
	doc := readContract(t)
	for _, other := range []string{"initech", "globex", "globex-eu-fr"} {
		own.must("GET", "/v1/accounts/"+other+"/members", nil)
		for path, item := range doc.Paths {
			for method, op := range item {
				method = strings.ToUpper(method)
				route := method + " " + path
				if slices.Contains(aboutNoAccount, route) {
					continue
				}
				sent := inPath.ReplaceAllStringFunc(path, func(name string) string {
					switch name {
					case "{account}":
						return "{B}"
					case "{version}":
						return "1"
					default:
						return "lord"
					}
				})
				if route == "DELETE /v1/accounts/{account}/features/{feature}" {
					sent += "?scope=account"
				}
				if method == "GET" && strings.Contains(path, "{account}") {
					if a := own.in(t).do(method, strings.ReplaceAll(sent, "{B}", other), nil); a.status >= 400 && a.status != 404 {
						t.Errorf("%s is not theirs anyway, so that this proves nothing: %s", route, a.raw)
					}
				}
				for _, body := range doc.bodies(op) {
					a := w.sameAsNowhere(t, inEU, other, method, sent, body)
					if strings.Contains(path, "{account}") && a.code() != "outside_account" {
						t.Errorf("%s is refused for another reason: %s", route, a.raw)
					}
				}
				for _, p := range op.Parameters {
					if p.In != "query" || !slices.Contains([]string{"under", "parent", "account", "subject", "q"}, p.Name) {
						continue
					}
					value := "{B}"
					if p.Name == "subject" {
						value = "account:{B}"
					}
					w.sameAsNowhere(t, inEU, other, method, sent+"?"+p.Name+"="+value, nil)
				}
			}
		}
	}
}

// TestW2_OtherAccountsByWhatIsTheirs: their things below the token's own account, and its own things with theirs.
func TestW2_OtherAccountsByWhatIsTheirs(t *testing.T) {
	w := newInviting(t, oneMachine).world
	own, inEU := w.lord()
	const eu = "/v1/accounts/globex-eu"
	for _, other := range []string{"initech", "globex", "globex-eu-fr"} {
		member := w.newUser(other)
		token := w.newAPIToken(other)
		role := w.newRole(other)
		invitation := own.must("POST", invitations(other), offer(w.fresh("guest")+"@example.com")).body["id"].(string)
		viewer := obj{"roles": []string{"viewer"}}
		for _, try := range []struct {
			name, method, path string
			body               any
		}{
			{other, "POST", eu + "/move", obj{"parent": "{B}"}},
			{other, "POST", eu + "/move", obj{"parent": "{B}", "dry_run": true}},
			{other, "POST", "/v1/accounts", obj{"name": "Mine", "parent": "{B}"}},
			{other, "POST", "/v1/roles", obj{"key": "mine", "account": "{B}", "permissions": []string{}}},
			{other, "POST", "/v1/check", obj{"subject": "user:lord", "permission": "access", "resource": "account:{B}"}},
			{other, "POST", "/v1/explain", obj{"subject": "user:lord", "permission": "access", "resource": "account:{B}"}},
			{other, "POST", switchPath, obj{"account": "{B}"}},
			{other, "GET", "/v1/accounts?parent={B}", nil},
			{other, "GET", me + "?under={B}", nil},
			{member, "PUT", eu + "/members/{B}", viewer},
			{member, "DELETE", eu + "/members/{B}", nil},
			{member, "GET", "/v1/users/{B}", nil},
			{member, "GET", "/v1/users/{B}/accounts", nil},
			{member, "POST", "/v1/check", obj{"subject": "user:{B}", "permission": "access", "resource": "account:globex-eu"}},
			{token, "GET", eu + "/api-tokens/{B}", nil},
			{token, "DELETE", eu + "/api-tokens/{B}", nil},
			{invitation, "GET", eu + "/invitations/{B}", nil},
			{invitation, "DELETE", eu + "/invitations/{B}", nil},
			{invitation, "POST", eu + "/invitations/{B}/resend", obj{}},
			{role, "PATCH", "/v1/roles/{B}", obj{"name": "Mine"}},
			{role, "DELETE", "/v1/roles/{B}", nil},
		} {
			w.sameAsNowhere(t, inEU, try.name, try.method, try.path, try.body)
		}
		// a cursor of another list, and a key under which something was done elsewhere
		if other != "globex-eu-fr" {
			w.newAccount(other)
			w.newAccount(other)
			listed := own.must("GET", "/v1/accounts?limit=1&under="+other, nil)
			a := inEU.do("GET", "/v1/accounts?under=globex-eu&cursor="+listed.body["next_cursor"].(string), nil)
			for _, id := range a.list("accounts", "id") {
				if id != "globex-eu" && id != "globex-eu-fr" {
					t.Errorf("a cursor of %s shows %s", other, a.raw)
				}
			}
			key := []string{"Idempotency-Key", w.fresh("key")}
			made := obj{"name": "Made once", "parent": other}
			own.must("POST", "/v1/accounts", made, key...)
			inEU.refuse("outside_account", "POST", "/v1/accounts", made, key...)
		}
	}
	// what is asked beside a right at the account: to add permissions where a role is in use below
	role := w.newRole("globex-eu")
	w.grant("globex-eu-fr", w.newUser("lobby"), obj{"roles": []string{role}})
	inEU.refuse("permission_denied", "PATCH", "/v1/roles/"+role, obj{"permissions": []string{"fe.secure.read.users"}})
	own.must("PATCH", "/v1/roles/"+role, obj{"permissions": []string{"fe.secure.read.users"}})
}

// TestW2_ARevokedSecretEndsItsTokens: those that a client got with it, in a user's name.
func TestW2_ARevokedSecretEndsItsTokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	c := w.opened(w.as("owner"), "globex")
	c.must("GET", "/v1/accounts/globex", nil)
	actor := account.Actor{Environment: "prod", System: true}
	err := w.Store.Write(t.Context(), "prod", func(tx directory.Tx) error {
		secrets, err := tx.ClientSecrets(t.Context(), "delegate")
		if err != nil {
			return err
		}
		var gone []account.Change
		for _, s := range secrets {
			gone = append(gone, account.Change{Before: account.Of(s.Value)})
		}
		_, err = tx.Append(t.Context(), account.Entry{Environment: "prod", Actor: actor, Kind: account.SecretRevoked, Changes: gone})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.refuse("unauthenticated", "GET", "/v1/accounts/globex", nil)
}
