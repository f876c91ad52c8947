package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/fault"
)

func TestBodyProblems(t *testing.T) {
	a := failing(t, nil) // a request that got through would panic
	tests := []struct {
		name, method, path, body string
		status                   int
		code, field              string
	}{
		{"malformed", "POST", "/v1/accounts", `{"name":`, 422, "invalid_json", ""},
		{"not JSON", "POST", "/v1/accounts", `name=Globex`, 422, "invalid_json", ""},
		{"absent", "POST", "/v1/accounts", ``, 422, "invalid_json", ""},
		{"blank", "POST", "/v1/accounts", " \n", 422, "invalid_json", ""},
		{"two values", "POST", "/v1/accounts", `{"name":"a"}{"name":"b"}`, 422, "invalid_json", ""},
		{"trailing text", "POST", "/v1/accounts", `{"name":"a"} x`, 422, "invalid_json", ""},
		{"comment", "POST", "/v1/accounts", `{/* */"name":"a"}`, 422, "invalid_json", ""},
		{"field twice", "POST", "/v1/accounts", `{"name":"a","parent":"x","parent":null}`, 422, "invalid_json", ""},
		{"not UTF-8", "POST", "/v1/accounts", "{\"name\":\"\xff\"}", 422, "invalid_json", ""},
		{"too deep", "POST", "/v1/accounts", strings.Repeat("[", 20) + strings.Repeat("]", 20), 422, "invalid_json", ""},
		{"array", "POST", "/v1/accounts", `[]`, 422, "invalid_request", ""},
		{"null", "POST", "/v1/accounts", `null`, 422, "invalid_request", ""},
		{"unknown field", "POST", "/v1/accounts", `{"name":"a","title":"b"}`, 422, "invalid_request", "title"},
		{"upper case", "POST", "/v1/accounts", `{"Name":"a"}`, 422, "invalid_request", "Name"},
		{"folds to a field", "POST", "/v1/accounts", `{"name":"a","ſub_account_access":"always_on"}`, 422, "invalid_request", "ſub_account_access"},
		{"missing field", "POST", "/v1/accounts", `{}`, 422, "invalid_request", "name"},
		{"required null", "POST", "/v1/accounts", `{"name":null}`, 422, "invalid_request", "name"},
		{"wrong type", "POST", "/v1/accounts", `{"name":7}`, 422, "invalid_request", "name"},
		{"wrong inner type", "POST", "/v1/users", `{"email":"a@b.example","memberships":[{"account":"x","roles":["a"]},{"account":"x","roles":[1]}]}`, 422, "invalid_request", "memberships[1].roles[0]"},
		{"missing inner field", "POST", "/v1/users", `{"email":"a@b.example","memberships":[{"account":"x"}]}`, 422, "invalid_request", "memberships[0].roles"},
		{"first of several", "POST", "/v1/accounts", `{"name":7,"b":1,"a":1}`, 422, "invalid_request", "a"},
		{"empty id", "POST", "/v1/accounts", `{"name":"a","id":""}`, 422, "invalid_id", "id"},
		{"empty parent", "POST", "/v1/accounts", `{"name":"a","parent":""}`, 422, "invalid_id", "parent"},
		{"move without parent", "POST", "/v1/accounts/globex/move", `{}`, 422, "invalid_request", "parent"},
		{"move to an empty parent", "POST", "/v1/accounts/globex/move", `{"parent":""}`, 422, "invalid_id", "parent"},
		{"fraction for an integer", "PATCH", "/v1/environment", `{"max_depth":2.5}`, 422, "invalid_request", "max_depth"},
		{"too big for an integer", "PATCH", "/v1/environment", `{"max_depth":1e300}`, 422, "invalid_request", "max_depth"},
		{"time", "PUT", "/v1/accounts/globex/members/ada", `{"roles":["a"],"expires_at":"tomorrow"}`, 422, "invalid_request", "expires_at"},
		{"no roles", "PUT", "/v1/accounts/globex/members/ada", `{"roles":[]}`, 422, "missing_role", "roles"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.t = t
			a.do(tt.method, tt.path, tt.body).refused(tt.status, tt.code, tt.field)
		})
	}
}

func TestLongFieldNamesAreShortened(t *testing.T) {
	got := failing(t, nil).do("POST", "/v1/accounts", `{"`+strings.Repeat("x", 10_000)+`":1}`)
	if got.body["code"] != "invalid_request" || len(got.text) > 1000 {
		t.Errorf("the answer has %d bytes: %.200s", len(got.text), got.text)
	}
}

func TestMediaTypes(t *testing.T) {
	a := failing(t, errors.New("reached"))
	for media, status := range map[string]int{
		"application/json": 500, "Application/JSON; charset=utf-8": 500, "-": 500,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "application/merge-patch+json": 415, "application/json; =": 415, "json": 415,
	} {
		got := a.do("POST", "/v1/accounts", `{"name":"Globex"}`, "Content-Type", media)
		if got.status != status {
			t.Errorf("%q: %d, want %d: %s", media, got.status, status, got.text)
		}
		if status == 415 {
			got.refused(415, "unsupported_media_type", "Content-Type")
		}
	}
}

func TestBodyLimit(t *testing.T) {
	big := func(n int) string { return `{"name":"` + strings.Repeat("x", n-11) + `"}` }
	a := failing(t, nil)
	a.do("POST", "/v1/accounts", big(1<<20+1)).refused(413, "body_too_large", "")
	small := serve(t, Deps{Directory: newDirectory(t, broken{err: errors.New("reached")}, granting{})}, Config{MaxBody: 100})
	small.do("POST", "/v1/accounts", big(101)).refused(413, "body_too_large", "")
	small.do("POST", "/v1/accounts", big(100)).refused(500, "internal", "")
}

func TestUnknownCallersBodiesAreNotRead(t *testing.T) {
	a := failing(t, nil)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/accounts", unreadable{t})
	a.send(r).refused(401, "unauthenticated", "")
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestSlowBody(t *testing.T) {
	a := serve(t, Deps{Directory: newDirectory(t, broken{}, granting{})}, Config{BodyTimeout: 20 * time.Millisecond})
	server := httptest.NewServer(a.handler)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil { // in particular: the connection was not closed
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "HTTP/1.1 408 ") || !strings.Contains(string(text), `"body_timeout"`) {
		t.Errorf("the answer is %s", text)
	}
}

// FuzzParseJSON compares with encoding/json: what is taken is taken by both, as the same value.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",null,true,{"b":{}}]}`, `{"a":1,"a":2}`, `[`, `{"A":1}`, ` 1 `, `{}{}`, "\"\xff\"", `{"a":}`, `{"a",1}`, `[1 2]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseJSON(text)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q is taken, but %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-encoding/json +parseJSON):\n%s", text, diff)
		}
	})
}
