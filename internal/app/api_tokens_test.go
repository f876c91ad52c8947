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
			seen := w.op.must("GET", "/v1/accounts/globex/api-tokens/"+id, nil)
			for _, c := range []struct{ want, got any }{
				{map[string]any{"name": "user:owner", "user": "owner"}, got.body["created_by"]}, // the vendor's machines are its own business
				{map[string]any{"name": "user:owner", "user": "owner", "client": "delegate"}, seen.body["created_by"]},
			} {
				if diff := cmp.Diff(c.want, c.got); diff != "" {
					t.Error(diff)
				}
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
			next, more := a.body["next_cursor"].(string)
			if !more {
				break
			}
			cursor = next
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
	robot := w.machine("globex-eu", obj{"name": "Robot", "roles": []string{"viewer"}})
	elsewhere := caller{s: w.service, token: strings.Replace(robot.token, "tenantry_api_prod.", "tenantry_api_dev.", 1)}
	elsewhere.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
	w.dev.refuse("api_token_not_found", "DELETE", tokensOfEU+"/"+strings.Split(robot.token, ".")[1], nil)
	robot.must("GET", "/v1/me/accounts", nil)
	asClient := caller{s: w.service, token: strings.Replace(robot.token, "tenantry_api_prod.", "tenantry_prod.", 1)}
	asClient.refuse("unauthenticated", "GET", "/v1/me/accounts", nil)
}
