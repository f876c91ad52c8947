package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// wrong is a request that cannot be granted, and the problem it is answered with.
type wrong struct {
	what         string
	method, path string
	body         any // a string is sent as it is
	headers      []string
	status       int
	code, field  string
}

// TestWrongInput: whatever is wrong is told with a stable code that names the
// field, and leaves the directory and the journal as they were.
func TestWrongInput(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			w.deep(t)
			export, head := w.export("prod"), w.head("prod")
			for _, group := range [][]wrong{wrongIDs(), wrongNames(), wrongHierarchy(), taken(), wrongRoles(), wrongMembers(), wrongJSON(), wrongParameters(), wrongHeaders(), wrongSettings(), wrongQuestions(), tooMuch()} {
				for _, in := range group {
					t.Run(in.what, func(t *testing.T) {
						w.op.in(t).do(in.method, in.path, in.body, in.headers...).is(t, in.status, in.code, in.field)
					})
				}
			}
			if after := w.head("prod"); after != head {
				t.Errorf("the journal went from %d to %d", head, after)
			}
			if w.export("prod") != export {
				t.Error("the directory has changed")
			}
		})
	}
}

// deep makes a path of as many accounts as the environment allows (8), the last of them level-8.
func (w *world) deep(t *testing.T) {
	t.Helper()
	for i := 1; i <= 8; i++ {
		parent := ""
		if i > 1 {
			parent = fmt.Sprintf("level-%d", i-1)
		}
		w.account(w.op, fmt.Sprintf("level-%d", i), parent)
	}
}

// malformedIDs are no identifiers, whatever they are to name.
func malformedIDs() []string {
	return []string{"a/b", "a#b", "a@b", "a:b", "a b", "a.b", "a*", "ä", "a\x00b", "a\nb", "../dev", "dev/owner", "prod|x", strings.Repeat("a", 65)}
}

func wrongIDs() []wrong {
	var rows []wrong
	for _, id := range malformedIDs() {
		e := url.PathEscape(id)
		invalid := func(method, path string, body any, field string) {
			rows = append(rows, wrong{fmt.Sprintf("id %.10q %s %s", id, method, field), method, path, body, nil, 422, "invalid_id", field})
		}
		invalid("POST", "/v1/accounts", obj{"id": id, "name": "X"}, "id")
		invalid("POST", "/v1/accounts", obj{"name": "X", "parent": id}, "parent")
		invalid("POST", "/v1/accounts/globex/move", obj{"parent": id}, "parent")
		invalid("POST", "/v1/users", obj{"id": id, "email": "x@example.com", "memberships": []obj{{"account": "globex", "roles": []string{"viewer"}}}}, "id")
		invalid("POST", "/v1/users", obj{"email": "x@example.com", "memberships": []obj{{"account": id, "roles": []string{"viewer"}}}}, "account")
		invalid("POST", "/v1/roles", obj{"key": id, "permissions": []string{}}, "key")
		invalid("POST", "/v1/roles", obj{"key": "x", "account": id, "permissions": []string{}}, "account")
		invalid("POST", "/v1/environment/clients", obj{"id": id, "roles": []string{"admin"}}, "id")
		invalid("PUT", "/v1/accounts/globex/members/viewer", obj{"roles": []string{id}}, "roles")
		invalid("GET", "/v1/accounts?under="+url.QueryEscape(id), nil, "under")
		invalid("GET", "/v1/users/owner/accounts?under="+url.QueryEscape(id), nil, "under")
		invalid("GET", "/v1/accounts/"+e, nil, "account")
		invalid("PATCH", "/v1/accounts/"+e, obj{"name": "X"}, "account")
		invalid("DELETE", "/v1/accounts/"+e, nil, "account")
		invalid("GET", "/v1/accounts/"+e+"/tree", nil, "account")
		invalid("PUT", "/v1/accounts/globex/members/"+e, obj{"roles": []string{"viewer"}}, "user")
		invalid("DELETE", "/v1/accounts/globex/members/"+e, nil, "user")
		invalid("GET", "/v1/users/"+e, nil, "user")
		invalid("POST", "/v1/users/"+e+"/block", nil, "user")
		invalid("PATCH", "/v1/roles/"+e, obj{"name": "X"}, "role")
		invalid("DELETE", "/v1/environment/clients/"+e, nil, "client")
	}
	for _, body := range []obj{{"id": "", "name": "X"}, {"name": "X", "parent": ""}} {
		field := "parent"
		if _, ok := body["id"]; ok {
			field = "id"
		}
		rows = append(rows, wrong{"empty " + field, "POST", "/v1/accounts", body, nil, 422, "invalid_id", field})
	}
	return append(rows,
		wrong{"unknown account", "GET", "/v1/accounts/no-such", nil, nil, 404, "account_not_found", ""},
		wrong{"unknown account, changed", "PATCH", "/v1/accounts/no-such", obj{"name": "X"}, nil, 404, "account_not_found", ""},
		wrong{"unknown parent", "POST", "/v1/accounts", obj{"name": "X", "parent": "no-such"}, nil, 404, "account_not_found", "parent"},
		wrong{"unknown new parent", "POST", "/v1/accounts/globex/move", obj{"parent": "no-such"}, nil, 404, "account_not_found", "parent"},
		wrong{"unknown user", "POST", "/v1/users/no-such/block", nil, nil, 404, "user_not_found", ""},
		wrong{"unknown member", "DELETE", "/v1/accounts/globex/members/clerk", nil, nil, 404, "membership_not_found", ""},
		wrong{"unknown account of a role", "POST", "/v1/roles", obj{"key": "x", "account": "no-such", "permissions": []string{}}, nil, 404, "account_not_found", "account"},
		wrong{"unknown client", "DELETE", "/v1/environment/clients/no-such", nil, nil, 404, "client_not_found", ""},
		wrong{"unknown route", "GET", "/v1/no-such", nil, nil, 404, "route_not_found", ""},
		wrong{"route with a slash", "GET", "/v1/accounts/", nil, nil, 404, "route_not_found", ""},
		wrong{"unknown method", "PUT", "/v1/accounts", obj{}, nil, 405, "method_not_allowed", ""},
	)
}

func wrongNames() []wrong {
	var rows []wrong
	for _, n := range []struct {
		what, name, code string
	}{
		{"empty", "", "missing_name"},
		{"blank", " \t\u00a0 ", "missing_name"},
		{"201 letters", strings.Repeat("n", 201), "name_too_long"},
		{"201 wide letters", strings.Repeat("語", 201), "name_too_long"},
		{"900 kB", strings.Repeat("n", 900_000), "name_too_long"},
		{"newline", "a\nb", "invalid_name"},
		{"NUL", "a\x00b", "invalid_name"},
		{"escape", "a\x1b[31mb", "invalid_name"},
		{"C1 control", "a\u0085b", "invalid_name"},
		{"delete", "a\x7fb", "invalid_name"},
	} {
		rows = append(rows,
			wrong{n.what + " name of an account", "POST", "/v1/accounts", obj{"name": n.name}, nil, 422, n.code, "name"},
			wrong{n.what + " new name of an account", "PATCH", "/v1/accounts/globex", obj{"name": n.name}, nil, 422, n.code, "name"},
			wrong{n.what + " name of the environment", "PATCH", "/v1/environment", obj{"name": n.name}, nil, 422, n.code, "name"},
		)
		if n.name == "" {
			continue // these may go without a name
		}
		rows = append(rows,
			wrong{n.what + " name of a user", "PATCH", "/v1/users/owner", obj{"name": n.name}, nil, 422, n.code, "name"},
			wrong{n.what + " name of a role", "PATCH", "/v1/roles/viewer", obj{"name": n.name}, nil, 422, n.code, "name"},
			wrong{n.what + " name of a client", "POST", "/v1/environment/clients", obj{"name": n.name, "roles": []string{"admin"}}, nil, 422, n.code, "name"},
		)
	}
	for _, email := range []string{"", "ada", "ada@", "@example.com", "Ada <ada@example.com>", "a@b, c@d", "ada@example.com\x00", "ada\n@example.com", strings.Repeat("a", 250) + "@example.com"} {
		rows = append(rows, wrong{fmt.Sprintf("e-mail %.12q", email), "PATCH", "/v1/users/owner", obj{"email": email}, nil, 422, "invalid_email", "email"})
	}
	return append(rows,
		wrong{"name of 10 MB", "POST", "/v1/accounts", obj{"name": strings.Repeat("n", 10<<20)}, nil, 413, "body_too_large", ""},
		wrong{"name that is not UTF-8", "POST", "/v1/accounts", "{\"name\":\"a\xff\xfeb\"}", nil, 422, "invalid_json", ""},
		wrong{"name that is a number", "POST", "/v1/accounts", obj{"name": 7}, nil, 422, "invalid_request", "name"},
		wrong{"no name", "POST", "/v1/accounts", obj{}, nil, 422, "invalid_request", "name"},
		wrong{"name that is null", "POST", "/v1/accounts", obj{"name": nil}, nil, 422, "invalid_request", "name"},
	)
}

func wrongHierarchy() []wrong {
	return []wrong{
		{"parent in another environment", "POST", "/v1/accounts", obj{"name": "X", "parent": "dev-only"}, nil, 404, "account_not_found", "parent"},
		{"new parent in another environment", "POST", "/v1/accounts/globex/move", obj{"parent": "dev-only"}, nil, 404, "account_not_found", "parent"},
		{"own parent", "POST", "/v1/accounts/globex/move", obj{"parent": "globex"}, nil, 409, "hierarchy_cycle", "parent"},
		{"own child as parent", "POST", "/v1/accounts/globex/move", obj{"parent": "globex-eu"}, nil, 409, "hierarchy_cycle", "parent"},
		{"own grandchild as parent", "POST", "/v1/accounts/globex/move", obj{"parent": "globex-eu-fr"}, nil, 409, "hierarchy_cycle", "parent"},
		{"new account too deep", "POST", "/v1/accounts", obj{"name": "X", "parent": "level-8"}, nil, 409, "too_deep", "parent"},
		{"branch moved too deep", "POST", "/v1/accounts/globex/move", obj{"parent": "level-6"}, nil, 409, "too_deep", "parent"},
		{"account with children", "DELETE", "/v1/accounts/globex", nil, nil, 409, "account_has_children", ""},
		{"no parent to move to", "POST", "/v1/accounts/globex/move", obj{}, nil, 422, "invalid_request", "parent"},
		{"unknown access mode", "PATCH", "/v1/accounts/globex", obj{"sub_account_access": "sometimes"}, nil, 422, "invalid_access_mode", "sub_account_access"},
		{"unknown access mode at creation", "POST", "/v1/accounts", obj{"name": "X", "sub_account_access": "ALWAYS_ON"}, nil, 422, "invalid_access_mode", "sub_account_access"},
	}
}

func taken() []wrong {
	member := []obj{{"account": "globex", "roles": []string{"viewer"}}}
	return []wrong{
		{"account that there is", "POST", "/v1/accounts", obj{"id": "globex", "name": "X"}, nil, 409, "account_exists", "id"},
		{"user that there is", "POST", "/v1/users", obj{"id": "owner", "email": "x@example.com", "memberships": member}, nil, 409, "user_exists", "id"},
		{"address of another", "POST", "/v1/users", obj{"email": " OWNER@example.com ", "memberships": member}, nil, 409, "email_taken", "email"},
		{"new address of another", "PATCH", "/v1/users/viewer", obj{"email": "owner@example.com"}, nil, 409, "email_taken", "email"},
		{"role that there is", "POST", "/v1/roles", obj{"key": "viewer", "permissions": []string{}}, nil, 409, "role_exists", "key"},
		{"client that there is", "POST", "/v1/environment/clients", obj{"id": "op", "roles": []string{"admin"}}, nil, 409, "client_exists", "id"},
		{"role in use", "DELETE", "/v1/roles/viewer", nil, nil, 409, "role_in_use", ""},
	}
}
