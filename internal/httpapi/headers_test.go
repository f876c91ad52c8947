package httpapi

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
)

func TestIfMatch(t *testing.T) {
	tests := map[string]account.Version{
		"": 0, "*": 0, `"1"`: 1, `"17"`: 17, `"9223372036854775807"`: 9223372036854775807,
		`17`: -1, `"0"`: -1, `"-1"`: -1, `"+1"`: -1, `"017"`: -1, `"9223372036854775808"`: -1, `W/"17"`: -1, `"17", "18"`: -1,
		`"`: -1, `""`: -1, `"17`: -1, `17"`: -1, `" 17"`: -1, `"*"`: -1, `"1e3"`: -1, `"１７"`: -1,
	}
	for header, want := range tests {
		got, err := parseIfMatch(header)
		switch {
		case want < 0 && (fault.From(err).Code != "invalid_if_match" || !errors.Is(err, fault.Invalid)):
			t.Errorf("parseIfMatch(%q) = %d, %v; want invalid_if_match", header, got, err)
		case want >= 0 && (err != nil || got != want):
			t.Errorf("parseIfMatch(%q) = %d, %v; want %d", header, got, err, want)
		}
	}
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{"", "*", `"17"`, `W/"17"`, `"`, `"99999999999999999999"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		version, err := parseIfMatch(header)
		if err == nil && version != 0 && etag(version) != header {
			t.Errorf("%q reads as %d", header, version)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", header, err)
		}
	})
}

func TestCursor(t *testing.T) {
	good := encodeCursor("accounts", account.ID("globex"))
	if got, err := decodeCursor[account.ID]("accounts", good); err != nil || got != "globex" {
		t.Errorf("decodeCursor = %q, %v", got, err)
	}
	if got, err := decodeCursor[account.ID]("accounts", ""); err != nil || got != "" {
		t.Errorf("decodeCursor of none = %q, %v", got, err)
	}
	raw := base64.RawURLEncoding.EncodeToString
	for _, bad := range []string{
		"globex", good + "=", good + "A", good[:len(good)-1] + "!", raw([]byte("users:globex")), raw([]byte("accounts:")),
		raw([]byte("accounts:a b")), raw([]byte("globex")), raw([]byte("accounts:globex\n")), strings.Repeat("A", 1000),
	} {
		if got, err := decodeCursor[account.ID]("accounts", bad); fault.From(err).Code != "invalid_cursor" {
			t.Errorf("decodeCursor(%q) = %q, %v; want invalid_cursor", bad, got, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor("accounts", account.ID("globex")))
	f.Add("")
	f.Add("!")
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := decodeCursor[account.ID]("accounts", cursor)
		switch {
		case err != nil && !errors.Is(err, fault.Invalid):
			t.Errorf("%q: %v", cursor, err)
		case err == nil && cursor != "" && encodeCursor("accounts", id) != cursor:
			t.Errorf("%q reads as %q", cursor, id)
		}
	})
}

func TestParameterProblems(t *testing.T) {
	a := failing(t, nil) // a request that got through would panic
	tests := []struct {
		name, method, path, body string
		headers                  []string
		code, field              string
	}{
		{name: "If-Match", method: "PATCH", path: "/v1/accounts/globex", body: `{}`, headers: []string{"If-Match", "17"}, code: "invalid_if_match", field: "If-Match"},
		{name: "If-Match where it means nothing", method: "POST", path: "/v1/accounts", body: `{"name":"a"}`, headers: []string{"If-Match", `"17"`}, code: "invalid_if_match", field: "If-Match"},
		{name: "empty If-Match", method: "DELETE", path: "/v1/accounts/globex", headers: []string{"If-Match", ""}, code: "invalid_request", field: "If-Match"},
		{name: "empty Idempotency-Key", method: "POST", path: "/v1/accounts", body: `{"name":"a"}`, headers: []string{"Idempotency-Key", ""}, code: "invalid_request", field: "Idempotency-Key"},
		{name: "empty Consistency-Token", method: "GET", path: "/v1/users/ada/accounts", headers: []string{"Consistency-Token", ""}, code: "invalid_request", field: "Consistency-Token"},
		{name: "empty Act-For-User", method: "GET", path: "/v1/accounts", headers: []string{"Act-For-User", ""}, code: "invalid_request", field: "Act-For-User"},
		{name: "cursor of accounts", method: "GET", path: "/v1/accounts?cursor=x", code: "invalid_cursor", field: "cursor"},
		{name: "cursor of users", method: "GET", path: "/v1/users?cursor=" + encodeCursor("accounts", "a"), code: "invalid_cursor", field: "cursor"},
		{name: "cursor of members", method: "GET", path: "/v1/accounts/globex/members?cursor=x", code: "invalid_cursor", field: "cursor"},
		{name: "limit", method: "GET", path: "/v1/accounts?limit=many", code: "invalid_request", field: "limit"},
		{name: "limit too high", method: "GET", path: "/v1/accounts?limit=1001", code: "invalid_limit", field: "limit"},
		{name: "limit below", method: "GET", path: "/v1/journal?limit=-1", code: "invalid_limit", field: "limit"},
		{name: "after", method: "GET", path: "/v1/journal?after=-1", code: "invalid_request", field: "after"},
		{name: "boolean", method: "DELETE", path: "/v1/accounts/globex?delete_users=perhaps", code: "invalid_request", field: "delete_users"},
		{name: "unknown parameter", method: "DELETE", path: "/v1/accounts/globex?delete_user=true", code: "invalid_request", field: "delete_user"},
		{name: "roots and parent", method: "GET", path: "/v1/accounts?roots=true&parent=globex", code: "invalid_request", field: "roots"},
		{name: "parent", method: "GET", path: "/v1/accounts?parent=a/b", code: "invalid_id", field: "parent"},
		{name: "no acting user", method: "GET", path: "/v1/me/accounts", code: "no_acting_user", field: "Act-For-User"},
		{name: "consistency token", method: "GET", path: "/v1/users/ada/accounts", headers: []string{"Consistency-Token", "17"}, code: "invalid_consistency_token", field: "Consistency-Token"},
		{name: "consistency token of another", method: "POST", path: "/v1/check", body: `{"subject":"user:a","permission":"access","resource":"account:b"}`, headers: []string{"Consistency-Token", string(account.TokenAt("dev", 3))}, code: "invalid_consistency_token", field: "Consistency-Token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.t = t
			a.do(tt.method, tt.path, tt.body, tt.headers...).refused(422, tt.code, tt.field)
		})
	}
}

func TestHeadersThatAreThereTwice(t *testing.T) {
	a := failing(t, nil) // a request that got through would panic
	for _, name := range []string{"Act-For-User", "If-Match", "Idempotency-Key", "Consistency-Token"} {
		for _, values := range [][]string{{"a", "a"}, {"a", "b"}, {"", "a"}, {"a", ""}} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/check", strings.NewReader("{}"))
			r.Header.Set("Authorization", "Bearer good")
			r.Header[name] = values
			a.t = t
			a.send(r).refused(422, "invalid_request", name)
		}
	}
}

func TestIDsInPaths(t *testing.T) {
	a := withStore(t, granting{})
	for _, id := range []string{"a%20b", "a%2Fb", "%C3%A9", "a.b", strings.Repeat("x", 65), "..%2f..", "a%00"} {
		for _, path := range []string{"/v1/accounts/%s", "/v1/accounts/%s/summary", "/v1/accounts/%s/tree", "/v1/accounts/%s/members", "/v1/accounts/%s/roles"} {
			a.do("GET", strings.ReplaceAll(path, "%s", id), "").refused(422, "invalid_id", "account")
		}
		a.do("DELETE", "/v1/accounts/"+id, "").refused(422, "invalid_id", "account")
		a.do("GET", "/v1/users/"+id, "").refused(422, "invalid_id", "user")
		a.do("POST", "/v1/users/"+id+"/block", "").refused(422, "invalid_id", "user")
		a.do("PUT", "/v1/accounts/globex/members/"+id, `{"roles":["a"]}`).refused(422, "invalid_id", "user")
		a.do("DELETE", "/v1/roles/"+id, "").refused(422, "invalid_id", "role")
		a.do("DELETE", "/v1/environment/clients/"+id, "").refused(422, "invalid_id", "client")
	}
}

func TestRequestID(t *testing.T) {
	a := failing(t, nil)
	if got := a.do("GET", "/healthz", "", "X-Request-Id", "trace-1.a_B").header.Get("X-Request-Id"); got != "trace-1.a_B" {
		t.Errorf("a well-formed id became %q", got)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("x", 65), "<script>", "é"} {
		if got := a.do("GET", "/healthz", "", "X-Request-Id", bad).header.Get("X-Request-Id"); got == bad || !strings.HasPrefix(got, "req_") {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestAuthorizationForms(t *testing.T) {
	d, db := onSQLite(t, granting{})
	const newClient = `{"id":"shop","roles":["admin"]}`
	good := serve(t, Deps{Directory: d}, Config{}).do("POST", "/v1/environment/clients", newClient).ok(201).body["token"].(string)
	stranger := withStore(t, granting{}).do("POST", "/v1/environment/clients", newClient).ok(201).body["token"].(string)
	a := serve(t, Deps{Directory: d, Authenticator: identity.New(identity.Sources{Credentials: db})}, Config{})
	for name, tt := range map[string]struct {
		headers []string
		status  int
	}{
		"good":                     {[]string{"Bearer " + good}, 200},
		"lower case":               {[]string{"bearer " + good}, 200},
		"absent":                   {nil, 401},
		"empty":                    {[]string{""}, 401},
		"two":                      {[]string{"Bearer " + good, "Bearer " + good}, 401},
		"basic":                    {[]string{"Basic " + good}, 401},
		"of another store":         {[]string{"Bearer " + stranger}, 401},
		"of another environment":   {[]string{"Bearer " + strings.Replace(good, "prod", "dev", 1)}, 401},
		"of another client":        {[]string{"Bearer " + strings.Replace(good, "shop", "shed", 1)}, 401},
		"without its last letter":  {[]string{"Bearer " + good[:len(good)-1]}, 401},
		"in another letter's case": {[]string{"Bearer " + strings.ToUpper(good)}, 401},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/permissions", nil)
		r.Header["Authorization"] = tt.headers
		got := a.send(r)
		if got.status != tt.status {
			t.Errorf("%s: %d, want %d: %s", name, got.status, tt.status, got.text)
		}
		if tt.status == 401 {
			got.refused(401, "unauthenticated", "")
		}
	}
	if secret := good[strings.LastIndex(good, ".")+1:]; strings.Contains(a.log.String(), secret) {
		t.Errorf("the log has the secret: %s", a.log)
	}
}
