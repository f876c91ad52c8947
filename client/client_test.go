package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/client"
)

const token = "tenantry_prod.shop.c2VjcmV0"

// serve answers every request with fn, and returns a client of it.
func serve(t *testing.T, fn http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(fn)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL+"/", token, client.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestCheck(t *testing.T) {
	type sent struct{ Method, Path, Auth, ActFor, Token, Body string }
	var got sent
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = sent{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Act-For-User"), r.Header.Get("Consistency-Token"), string(body)}
		answer(w, http.StatusOK, `{"allowed":true,"later":"fields are ignored"}`)
	})
	allowed, err := c.ActingFor("ada").WithConsistencyToken("tc1.x").Check(t.Context(), "user:ada", "access", "account:globex")
	if err != nil || !allowed {
		t.Fatalf("Check: %v, %v", allowed, err)
	}
	want := sent{"POST", "/v1/check", "Bearer " + token, "ada", "tc1.x", `{"subject":"user:ada","permission":"access","resource":"account:globex"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if _, err := c.Check(t.Context(), "user:ada", "access", "account:globex"); err != nil || got.ActFor != "" || got.Token != "" {
		t.Errorf("the client itself was changed: %+v, %v", got, err)
	}
}

func TestNothingButAllowedIsAllowed(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		failed bool
	}{
		"denied":       {200, `{"allowed":false}`, false},
		"conditional":  {200, `{"allowed":false,"conditional":true}`, false},
		"empty object": {200, `{}`, false},
		"no JSON":      {200, `<html>`, true},
		"empty":        {200, ``, true},
		"another type": {200, `{"allowed":"true"}`, true},
		"redirect":     {302, `{"allowed":true}`, true},
		"refused":      {403, `{"allowed":true}`, true},
		"away":         {503, `{"allowed":true}`, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v1/check" {
					t.Error("the token went to", r.URL.Path)
				}
				w.Header().Set("Location", "/elsewhere")
				answer(w, tt.status, tt.body)
			})
			allowed, err := c.Check(t.Context(), "user:ada", "access", "account:globex")
			if allowed || (err != nil) != tt.failed {
				t.Errorf("Check: %v, %v", allowed, err)
			}
		})
	}
}

func TestProblem(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusUnprocessableEntity, `{"type":"urn:tenantry:error:unknown_permission","title":"Unprocessable Entity","status":422,"detail":"there is no permission","code":"unknown_permission","field":"permission","request_id":"req_1"}`)
	})
	_, err := c.Check(t.Context(), "user:ada", "fly", "account:globex")
	var got *client.Problem
	if !errors.As(err, &got) {
		t.Fatalf("Check: %v, want a Problem", err)
	}
	want := &client.Problem{Status: 422, Code: "unknown_permission", Title: "Unprocessable Entity", Detail: "there is no permission", Field: "permission", RequestID: "req_1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problem (-want +got):\n%s", diff)
	}
	if got.Temporary() || !(&client.Problem{Status: 503}).Temporary() {
		t.Error("only 503 of the two is temporary")
	}
}

func TestProblemFromSomethingElse(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusBadGateway, "<h1>bad gateway</h1>") })
	_, err := c.Check(t.Context(), "user:ada", "access", "account:globex")
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 502 || p.Code != "" || !p.Temporary() {
		t.Errorf("Check: %#v", err)
	}
}

func TestCheckBulk(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Items []client.Question }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if len(in.Items) == 1 {
			answer(w, http.StatusOK, `{"items":[]}`)
			return
		}
		answer(w, http.StatusOK, `{"items":[{"allowed":true},{"allowed":false,"conditional":true},{"allowed":false,"error":{"code":"invalid_object","detail":"no","field":"subject"}}]}`)
	})
	got, err := c.CheckBulk(t.Context(), make([]client.Question, 3))
	if err != nil {
		t.Fatal(err)
	}
	want := []client.Answer{{Allowed: true}, {Conditional: true}, {Problem: &client.Problem{Code: "invalid_object", Detail: "no", Field: "subject"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if _, err := c.CheckBulk(t.Context(), make([]client.Question, 1)); err == nil {
		t.Error("an answer is missing, and no error")
	}
}

// pages is a server with three accounts, two a page.
func pages(t *testing.T, fail bool) *client.Client {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/v1/users/a%2Fb/accounts" || r.URL.Query().Get("q") != "g" || r.URL.Query().Get("limit") != "2" {
			t.Errorf("asked for %s", r.URL)
		}
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Consistency-Token", "tc1.first")
			answer(w, http.StatusOK, `{"accounts":[
				{"id":"globex","name":"Globex","parent":null,"depth":0,"path":[],"created_at":"2026-01-02T03:04:05Z","sub_account_management":true,"sources":[{"account":"globex","via":"direct","roles":["admin"]}]},
				{"id":"east","name":"East","parent":"globex","depth":1,"path":[{"id":"globex","name":"Globex"}],"created_at":"2026-01-02T03:04:05Z","sub_account_management":false,"sources":[]}],
				"total":3,"next_cursor":"two"}`)
			return
		}
		if got := r.Header.Get("Consistency-Token"); got != "tc1.first" {
			t.Errorf("the second page was asked for with the token %q", got)
		}
		if fail {
			answer(w, http.StatusServiceUnavailable, `{"code":"engine_unavailable","detail":"away"}`)
			return
		}
		answer(w, http.StatusOK, `{"accounts":[{"id":"west","name":"West","parent":"globex"}],"total":3}`)
	})
}

func TestAccounts(t *testing.T) {
	page, err := pages(t, false).Accounts(t.Context(), "a/b", client.AccountsOptions{Query: "g", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := client.Account{
		ID: "globex", Name: "Globex", Path: []client.Place{}, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		SubAccountManagement: true, Sources: []client.Source{{Account: "globex", Via: "direct", Roles: []string{"admin"}}},
	}
	if diff := cmp.Diff(want, page.Accounts[0]); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	if page.Total != 3 || page.NextCursor != "two" || page.ConsistencyToken != "tc1.first" || page.Accounts[1].Parent != "globex" {
		t.Errorf("page: %+v", page)
	}
}

func TestAllAccounts(t *testing.T) {
	opts := client.AccountsOptions{Query: "g", Limit: 2}
	var ids []string
	for a, err := range pages(t, false).AllAccounts(t.Context(), "a/b", opts) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff([]string{"globex", "east", "west"}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}

	n, last := 0, error(nil)
	for _, err := range pages(t, true).AllAccounts(t.Context(), "a/b", opts) {
		n, last = n+1, err
	}
	var p *client.Problem
	if n != 3 || !errors.As(last, &p) || p.Code != "engine_unavailable" {
		t.Errorf("two accounts and the problem of the second page are due; got %d items, the last %v", n, last)
	}

	for range pages(t, true).AllAccounts(t.Context(), "a/b", opts) {
		break
	}
}

func TestAccountIDs(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if want := "/v1/users/a%2Fb/accounts/ids"; r.URL.EscapedPath() != want || r.URL.Query().Get("under") != "globex" {
			t.Errorf("asked for %s; want %s", r.URL, want)
		}
		w.Header().Set("Consistency-Token", "tc1.first")
		switch r.URL.Query().Get("cursor") {
		case "":
			answer(w, http.StatusOK, `{"ids":["globex","east"],"total":3,"next_cursor":"two"}`)
		default:
			if got := r.Header.Get("Consistency-Token"); got != "tc1.first" {
				t.Errorf("the second page was asked for with the token %q", got)
			}
			answer(w, http.StatusOK, `{"ids":["west"],"total":3}`)
		}
	})
	ids, err := c.AccountIDs(t.Context(), "a/b", client.AccountsOptions{Under: "globex"})
	if diff := cmp.Diff([]string{"globex", "east", "west"}, ids); err != nil || diff != "" {
		t.Errorf("%v, ids (-want +got):\n%s", err, diff)
	}
}

func TestActingForNobodyIsNotTheClientItself(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Act-For-User")) != 1 {
			t.Error("the header is not there")
		}
		answer(w, http.StatusUnprocessableEntity, `{"code":"invalid_request","detail":"empty"}`)
	})
	if _, err := c.ActingFor("").Check(t.Context(), "user:ada", "access", "account:globex"); err == nil {
		t.Error("no error")
	}
}

func TestNew(t *testing.T) {
	for _, address := range []string{"", "tenantry.example", "ftp://tenantry.example", "https://", "https://u:p@tenantry.example", "https://tenantry.example?x=1", "://"} {
		if _, err := client.New(address, token); err == nil {
			t.Errorf("New(%q): no error", address)
		}
	}
	for _, bad := range []string{"", token + "\n", "a b", "é"} {
		if _, err := client.New("https://tenantry.example", bad); err == nil || (bad != "" && strings.Contains(err.Error(), bad)) {
			t.Errorf("New with the token %q: %v", bad, err)
		}
	}
	if _, err := client.New("https://tenantry.example/behind/", token); err != nil {
		t.Error(err)
	}
}

func TestErrorsDoNotShowTheToken(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context(), "user:ada", "access", "account:globex"); err == nil || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("Check without a server: %v", err)
	}
}
