package app_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/app"
)

const tokensOfEU = "/v1/accounts/globex-eu/api-tokens"

// me is the accounts that a caller may open, each with where that comes from.
func (c caller) me() map[string][]string {
	c.s.t.Helper()
	found := map[string][]string{}
	for _, a := range c.must("GET", "/v1/me/accounts", nil).body["accounts"].([]any) {
		a := a.(map[string]any)
		var sources []string
		for _, s := range a["sources"].([]any) {
			s := s.(map[string]any)
			sources = append(sources, fmt.Sprint(s["via"], " at ", s["account"], " ", s["roles"]))
		}
		found[a["id"].(string)] = sources
	}
	return found
}

// TestC1_APITokens follows a machine member of an account through its life.
func TestC1_APITokens(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := newWorld(t, shape)
			made := w.as("owner").must("POST", "/v1/accounts/globex/api-tokens", obj{"name": "Robot", "roles": []string{"manager"}, "sub_account_access": true})
			id, token := made.body["id"].(string), made.body["token"].(string)
			if !strings.HasPrefix(token, "tenantry_api_prod."+id+".") || made.status != 201 {
				t.Errorf("%d, token %s", made.status, token)
			}
			robot := caller{s: w.service, token: token}

			// it opens what its roles open, and says why
			want := map[string][]string{
				"globex": {"direct at globex [manager]"}, "globex-eu": {"grant at globex [manager]"}, "globex-eu-fr": {"grant at globex [manager]"},
			}
			if diff := cmp.Diff(want, robot.me()); diff != "" {
				t.Error(diff)
			}
			if got := robot.must("GET", "/v1/me/accounts?q=fr&under=globex-eu", nil).list("accounts", "id"); !slices.Equal(got, []string{"globex-eu-fr"}) {
				t.Errorf("searched: %v", got)
			}
			robot.refuse("account_not_found", "GET", "/v1/me/accounts?under=initech", nil)
			robot.must("POST", "/v1/accounts", obj{"name": "Made by a robot", "parent": "globex-eu"})
			robot.refuse("permission_denied", "POST", "/v1/accounts", obj{"name": "No", "parent": "initech"})
			robot.refuse("permission_denied", "DELETE", "/v1/accounts/globex-eu-fr", nil)
			robot.as("viewer").refuse("may_not_act_for_users", "GET", "/v1/me/accounts", nil).is(t, 403, "may_not_act_for_users", "Act-For-User")

			// checks, of itself and by operators
			me := "api_token:" + id
			if !robot.allowed(me, readSubAccounts, "account:globex-eu-fr") || robot.allowed(me, "access", "account:initech") {
				t.Error("the robot's own checks are wrong")
			}
			if !w.op.allowed(me, "access", "account:globex-eu") || w.op.allowed(me, "fe.secure.write.roles", "account:globex") {
				t.Error("the operator's checks are wrong")
			}
			robot.refuse("permission_denied", "POST", "/v1/check", obj{"subject": "user:owner", "permission": "access", "resource": "account:globex"})

			// it is named in the journal, and its maker with it
			entries := w.op.must("GET", "/v1/journal?limit=1000", nil).body["entries"].([]any)
			last := entries[len(entries)-1].(map[string]any)
			if diff := cmp.Diff(map[string]any{"name": me, "api_token": id}, last["actor"]); diff != "" || last["kind"] != "account.created" {
				t.Errorf("%v: %s", last["kind"], diff)
			}
			got := w.as("owner").must("GET", "/v1/accounts/globex/api-tokens/"+id, nil)
			if diff := cmp.Diff(map[string]any{"name": "user:owner", "user": "owner", "client": "delegate"}, got.body["created_by"]); diff != "" {
				t.Error(diff)
			}

			w.as("owner").must("DELETE", "/v1/accounts/globex/api-tokens/"+id, nil, "If-Match", got.header.Get("ETag"))
			robot.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
			if w.op.allowed(me, "access", "account:globex") {
				t.Error("the engine still knows the token")
			}
			w.op.refuse("api_token_not_found", "GET", "/v1/accounts/globex/api-tokens/"+id, nil)
		})
	}
}

// TestC1_APITokensInTheList: pages, search, who made them, and never a secret.
func TestC1_APITokensInTheList(t *testing.T) {
	var log bytes.Buffer
	shape := oneMachine
	shape.make = func(t testing.TB) app.Config {
		return app.Config{DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	}
	var secrets []string
	t.Run("list", func(t *testing.T) {
		w := newWorld(t, shape)
		end := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		for i := range 5 {
			a := w.as("owner").must("POST", tokensOfEU, obj{"name": fmt.Sprintf("Exporter %d", i), "roles": []string{"viewer", "manager"}, "expires_at": end})
			token := a.body["token"].(string)
			secrets = append(secrets, token[strings.LastIndex(token, ".")+1:])
			caller{s: w.service, token: token}.must("GET", "/v1/me/accounts", nil)
			caller{s: w.service, token: token + "x"}.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
		}
		w.op.must("POST", "/v1/accounts/globex/api-tokens", obj{"name": "Exporter of another account", "roles": []string{"viewer"}})
		var names, ids []string
		for cursor := ""; ; {
			a := w.as("owner").must("GET", tokensOfEU+"?limit=2&q=EXPORTER&cursor="+cursor, nil)
			names, ids = append(names, a.list("api_tokens", "name")...), append(ids, a.list("api_tokens", "id")...)
			if a.body["total"] != float64(5) {
				t.Errorf("total: %s", a.raw)
			}
			more := false
			if cursor, more = a.body["next_cursor"].(string); !more {
				break
			}
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"Exporter 0", "Exporter 1", "Exporter 2", "Exporter 3", "Exporter 4"}, names); diff != "" || !slices.IsSorted(ids) {
			t.Errorf("%v %s", ids, diff)
		}
		if got := w.op.must("GET", tokensOfEU+"?q=r+3", nil).list("api_tokens", "name"); !slices.Equal(got, []string{"Exporter 3"}) {
			t.Errorf("searched: %v", got)
		}
		w.op.refuse("invalid_cursor", "GET", tokensOfEU+"?cursor=abc", nil)
		w.op.refuse("account_not_found", "GET", "/v1/accounts/nowhere/api-tokens", nil)
		one := w.op.must("GET", tokensOfEU+"/"+ids[0], nil)
		if diff := cmp.Diff(end.Format(time.RFC3339), one.body["expires_at"]); diff != "" {
			t.Error(diff)
		}
		eventually(t, "the last use is shown", func() bool {
			used, _ := w.op.must("GET", tokensOfEU+"/"+ids[0], nil).body["last_used_at"].(string)
			return used != ""
		})

		// a token of another account is not there
		w.op.refuse("api_token_not_found", "GET", "/v1/accounts/globex/api-tokens/"+ids[0], nil)
		w.op.refuse("api_token_not_found", "DELETE", "/v1/accounts/globex/api-tokens/"+ids[0], nil)
		w.as("outsider").refuse("permission_denied", "GET", tokensOfEU+"/"+ids[0], nil)
		w.as("outsider").refuse("invalid_id", "DELETE", "/v1/accounts/initech/api-tokens/x%20y", nil).is(t, 422, "invalid_id", "token")
	})
	for _, secret := range secrets {
		if len(secret) < 43 || strings.Contains(log.String(), secret) {
			t.Errorf("the log has, or is not looked through for, %s", secret)
		}
	}
}

// TestC2_SecretsOfAPITokensAreInNoAnswerButTheFirst: nor in the journal.
func TestC2_SecretsOfAPITokensAreInNoAnswerButTheFirst(t *testing.T) {
	w := newWorld(t, oneMachine)
	a := w.op.must("POST", tokensOfEU, obj{"name": "Robot", "roles": []string{"viewer"}})
	token := a.body["token"].(string)
	secret := token[strings.LastIndex(token, ".")+1:]
	session, id := w.impersonate(w.support, "owner")
	for _, path := range []string{"/v1/journal?limit=1000", tokensOfEU, tokensOfEU + "/" + a.body["id"].(string), "/v1/impersonations"} {
		raw := string(w.op.must("GET", path, nil).raw)
		if strings.Contains(raw, secret) || strings.Contains(raw, session.token[strings.LastIndex(session.token, "."):]) {
			t.Errorf("%s shows a secret", path)
		}
	}
	if raw := string(w.op.must("DELETE", "/v1/impersonations/"+id, nil).raw); strings.Contains(raw, session.token) {
		t.Error(raw)
	}
}

// TestC1_APITokensAreRefusedForWhatTheyAre: bad input, and nothing half done.
func TestC1_APITokensAreRefusedForWhatTheyAre(t *testing.T) {
	w := newWorld(t, oneMachine)
	before := w.head("prod")
	for _, tt := range []struct {
		body        any
		status      int
		code, field string
	}{
		{obj{"roles": []string{"viewer"}}, 422, "invalid_request", "name"},
		{obj{"name": " ", "roles": []string{"viewer"}}, 422, "missing_name", "name"},
		{obj{"name": strings.Repeat("x", 201), "roles": []string{"viewer"}}, 422, "name_too_long", "name"},
		{obj{"name": "Robot", "roles": []string{}}, 422, "missing_role", "roles"},
		{obj{"name": "Robot", "roles": []string{"no-such"}}, 404, "role_not_found", "roles"},
		{obj{"name": "Robot", "roles": []string{"a b"}}, 422, "invalid_id", "roles"},
		{obj{"name": "Robot", "roles": []string{"viewer"}, "expires_at": "2020-01-01T00:00:00Z"}, 422, "expiry_past", "expires_at"},
		{obj{"name": "Robot", "roles": []string{"viewer"}, "expires_at": "soon"}, 422, "invalid_request", "expires_at"},
		{obj{"name": "Robot", "roles": []string{"viewer"}, "id": "mine"}, 422, "invalid_request", "id"},
		{obj{"name": "Robot", "roles": []string{"viewer"}, "token": "mine"}, 422, "invalid_request", "token"},
	} {
		w.op.do("POST", tokensOfEU, tt.body).is(t, tt.status, tt.code, tt.field)
	}
	w.op.refuse("account_not_found", "POST", "/v1/accounts/nowhere/api-tokens", obj{"name": "Robot", "roles": []string{"viewer"}})
	w.op.refuse("api_token_not_found", "DELETE", tokensOfEU+"/tok_x", nil)
	if w.head("prod") != before {
		t.Error("something was written")
	}
}

// TestC1_APITokensAreOfOneEnvironment: they open nothing elsewhere, and are nobody else's token.
func TestC1_APITokensAreOfOneEnvironment(t *testing.T) {
	w := newWorld(t, oneMachine)
	robot := w.apiToken("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}})
	elsewhere := caller{s: w.service, token: strings.Replace(robot.token, "tenantry_api_prod.", "tenantry_api_dev.", 1)}
	elsewhere.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	w.dev.refuse("api_token_not_found", "DELETE", tokensOfEU+"/"+strings.Split(robot.token, ".")[1], nil)
	robot.must("GET", "/v1/me/accounts", nil)
	asClient := caller{s: w.service, token: strings.Replace(robot.token, "tenantry_api_prod.", "tenantry_prod.", 1)}
	asClient.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
}

// TestU6_APITokensExpire: at the second, without anybody's doing.
func TestU6_APITokensExpire(t *testing.T) {
	shape, clock := clocked()
	w := newWorld(t, shape)
	robot := w.apiToken("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}, "expires_at": clock.now().Add(time.Hour).UTC().Format(time.RFC3339)})
	clock.move(59 * time.Minute)
	robot.must("GET", "/v1/me/accounts", nil)
	clock.move(2 * time.Minute)
	robot.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	if got := w.op.must("GET", tokensOfEU, nil).list("api_tokens", "name"); !slices.Equal(got, []string{"Robot"}) {
		t.Errorf("an expired token can be seen, to be tidied away: %v", got)
	}
}

// TestS3_APITokens: what the mode gives a machine, and what S4 leaves it.
func TestS3_APITokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	create := func(id string, asked any) (caller, answer) {
		body := obj{"name": "Robot", "roles": []string{"viewer"}}
		if asked != nil {
			body["sub_account_access"] = asked
		}
		a := w.op.do("POST", "/v1/accounts/"+id+"/api-tokens", body)
		token, _ := a.body["token"].(string)
		return caller{s: w.service, token: token}, a
	}
	for _, tt := range []struct {
		mode  string
		asked any
		opens string // via what it opens the child; "" for not at all
		code  string
	}{
		{"default_off", nil, "", ""},
		{"default_off", false, "", ""},
		{"default_off", true, "grant", ""},
		{"default_on", nil, "grant", ""},
		{"default_on", false, "", ""},
		{"default_on", true, "grant", ""},
		{"always_on", nil, "always_on", ""},
		{"always_on", true, "always_on", ""},
		{"always_on", false, "", "always_on"},
	} {
		top, child := w.branch(tt.mode)
		robot, a := create(top, tt.asked)
		if a.code() != tt.code {
			t.Errorf("%+v: %s", tt, a.raw)
		}
		if tt.code != "" {
			continue
		}
		var want []string
		if tt.opens != "" {
			want = []string{tt.opens + " at " + top + " [viewer]"}
		}
		if diff := cmp.Diff(want, robot.me()[child]); diff != "" {
			t.Errorf("%+v: %s", tt, diff)
		}
		if tt.opens == "always_on" { // S4: it keeps its access when the mode ends
			w.mode(top, "default_off")
			if diff := cmp.Diff([]string{"kept at " + top + " [viewer]"}, robot.me()[child]); diff != "" {
				t.Errorf("%+v: %s", tt, diff)
			}
		}
	}
	w.op.refuse("not_a_parent_account", "POST", "/v1/accounts/"+w.newLeaf()+"/api-tokens", obj{"name": "Robot", "roles": []string{"viewer"}, "sub_account_access": true})
}

// newLeaf makes an account that may not have sub-accounts.
func (w *world) newLeaf() string {
	w.t.Helper()
	id := w.fresh("leaf")
	w.op.must("POST", "/v1/accounts", obj{"id": id, "name": id})
	return id
}

// TestC1_ARoleThatOnlyAPITokensCarry comes into use with the first and out of use with the last.
func TestC1_ARoleThatOnlyAPITokensCarry(t *testing.T) {
	w := newWorld(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "gadget", "account": "globex", "permissions": []string{"fe.secure.read.users"}})
	var ids []string
	for range 2 {
		robot := w.apiToken("globex-eu", obj{"name": "Robot", "roles": []string{"gadget"}})
		robot.must("GET", "/v1/accounts/globex-eu/members", nil)
		ids = append(ids, strings.Split(robot.token, ".")[1])
	}
	w.op.refuse("role_in_use", "DELETE", "/v1/roles/gadget", nil)
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/globex-eu/move", obj{"parent": "initech"})
	w.op.refuse("role_out_of_branch", "POST", "/v1/accounts/initech/api-tokens", obj{"name": "Robot", "roles": []string{"gadget"}})
	for _, id := range ids {
		w.op.refuse("role_in_use", "DELETE", "/v1/roles/gadget", nil)
		w.op.must("DELETE", tokensOfEU+"/"+id, nil)
	}
	w.op.must("DELETE", "/v1/roles/gadget", nil)
}

// TestA5_DeletingAnAccountEndsItsAPITokens, and nobody else's.
func TestA5_DeletingAnAccountEndsItsAPITokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	id := w.newAccount("globex-eu")
	gone := w.apiToken(id, obj{"name": "Robot", "roles": []string{"viewer"}})
	stays := w.apiToken("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}})
	w.op.must("DELETE", "/v1/accounts/"+id, nil)
	gone.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	stays.must("GET", "/v1/me/accounts", nil)
}
