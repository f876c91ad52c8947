package app_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

const me = "/v1/me/accounts"

// TestE4_ImpersonationByEveryCombinationOfPortalRoles: impersonator, and only
// together with admin, backoffice_editor or backoffice_viewer.
func TestE4_ImpersonationByEveryCombinationOfPortalRoles(t *testing.T) {
	w := newWorld(t, oneMachine)
	all := account.PortalRoles()
	for bits := 1; bits < 1<<len(all); bits++ {
		var roles []account.PortalRole
		for i, r := range all {
			if bits&(1<<i) != 0 {
				roles = append(roles, r)
			}
		}
		has := func(r account.PortalRole) bool { return slices.Contains(roles, r) }
		partner := has(account.PortalAdmin) || has(account.BackofficeEditor) || has(account.BackofficeViewer)
		id := account.ClientID(fmt.Sprintf("c%d", bits))
		_, secret, err := w.Directory.CreateClient(t.Context(), directory.Request{Actor: account.Actor{Environment: "prod", System: true}}, account.Client{ID: id, Roles: roles})
		if refused := has(account.Impersonator) && !partner; (err != nil) != refused {
			t.Errorf("%v: %v", roles, err)
		}
		if err != nil {
			continue
		}
		c := caller{s: w.service, token: identity.FormatToken("prod", id, secret)}
		a := c.do("POST", "/v1/users/viewer/impersonate", obj{"reason": "Ticket 1"})
		switch want := has(account.Impersonator) && partner; {
		case want && a.status != 201:
			t.Errorf("%v: %d %s", roles, a.status, a.raw)
		case !want && a.code() != "permission_denied":
			t.Errorf("%v: %d %s", roles, a.status, a.raw)
		case want:
			caller{s: w.service, token: a.body["token"].(string)}.must("GET", me, nil)
		}
	}
}

// TestE4_ImpersonationIsJudgedAsTheUser follows a session from its beginning to its end.
func TestE4_ImpersonationIsJudgedAsTheUser(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := newWorld(t, shape)
			boss := w.client("prod", "boss", true, account.Impersonator, account.PortalAdmin)
			begun := boss.must("POST", "/v1/users/owner/impersonate", obj{"reason": " Ticket 4711: cannot see the invoices ", "minutes": 5})
			ada, id := caller{s: w.service, token: begun.body["token"].(string)}, begun.body["id"].(string)

			// what the user may, and no more than that, whatever the operator may
			if diff := cmp.Diff(w.as("owner").me(), ada.me()); diff != "" {
				t.Error(diff)
			}
			for _, path := range []string{"/v1/environment", "/v1/users", "/v1/journal", "/v1/impersonations", "/v1/accounts", "/v1/accounts/initech", "/v1/users/viewer", "/v1/environment/clients"} {
				ada.refuse("permission_denied", "GET", path, nil)
			}
			ada.refuse("permission_denied", "POST", "/v1/users/viewer/block", nil)
			if !ada.allowed("user:owner", "access", "account:globex-eu") || ada.allowed("user:owner", "access", "account:initech") {
				t.Error("the checks are not the user's")
			}
			ada.refuse("permission_denied", "POST", "/v1/check", obj{"subject": "operator:boss", "permission": "manage_security", "resource": "environment:prod"})

			// nothing that outlives it
			ada.refuse("not_while_impersonating", "POST", "/v1/accounts/globex/api-tokens", obj{"name": "Robot", "roles": []string{"viewer"}})
			ada.refuse("not_while_impersonating", "POST", "/v1/users/viewer/impersonate", obj{"reason": "More"})
			ada.as("viewer").refuse("may_not_act_for_users", "GET", me, nil).is(t, 403, "may_not_act_for_users", "Act-For-User")

			// every answer says so, refusals too; every entry as well
			made := ada.must("POST", "/v1/accounts", obj{"name": "Made by support", "parent": "globex"})
			refused := ada.refuse("permission_denied", "GET", "/v1/users", nil)
			for _, a := range []answer{made, refused} {
				if by := a.header.Get("Impersonated-By"); by != "operator:boss" {
					t.Errorf("Impersonated-By: %q", by)
				}
			}
			if by := w.as("owner").must("GET", me, nil).header.Get("Impersonated-By"); by != "" {
				t.Errorf("Impersonated-By: %q", by)
			}
			ended := ada.must("DELETE", "/v1/impersonations/"+id, nil)
			if diff := cmp.Diff("Ticket 4711: cannot see the invoices", ended.body["reason"]); diff != "" {
				t.Error(diff)
			}
			ada.refuse("unauthenticated", "GET", me, nil)

			byBoss := map[string]any{"name": "operator:boss", "client": "boss"}
			asAda := map[string]any{"name": "user:owner", "user": "owner", "client": "boss", "impersonation": id}
			type told struct {
				kind  string
				actor any
			}
			var last []told
			entries := w.op.must("GET", "/v1/journal?limit=1000", nil).body["entries"].([]any)
			for _, e := range entries[len(entries)-3:] {
				e := e.(map[string]any)
				last = append(last, told{e["kind"].(string), e["actor"]})
			}
			want := []told{{"impersonation.started", byBoss}, {"account.created", asAda}, {"impersonation.ended", asAda}}
			if diff := cmp.Diff(want, last, cmp.AllowUnexported(told{})); diff != "" {
				t.Error(diff)
			}
			started := entries[len(entries)-3].(map[string]any)["changes"].([]any)[0].(map[string]any)["after"].(map[string]any)["impersonation"].(map[string]any)
			if started["reason"] != "Ticket 4711: cannot see the invoices" || started["operator"] != "boss" || started["user"] != "owner" {
				t.Errorf("the journal says %v", started)
			}
		})
	}
}

// TestE4_ImpersonationNeedsAReasonAndIsShort.
func TestE4_ImpersonationNeedsAReasonAndIsShort(t *testing.T) {
	shape, clock := clocked()
	w := newWorld(t, shape)
	path := "/v1/users/owner/impersonate"
	before := w.head("prod")
	for _, tt := range []struct {
		path        string
		body        any
		status      int
		code, field string
	}{
		{path, obj{}, 422, "invalid_request", "reason"},
		{path, obj{"reason": " \n "}, 422, "missing_reason", "reason"},
		{path, obj{"reason": "a\nb"}, 422, "invalid_reason", "reason"},
		{path, obj{"reason": strings.Repeat("é", 501)}, 422, "invalid_reason", "reason"},
		{path, obj{"reason": "Ticket", "minutes": 0}, 422, "invalid_lifetime", "minutes"},
		{path, obj{"reason": "Ticket", "minutes": -1}, 422, "invalid_lifetime", "minutes"},
		{path, obj{"reason": "Ticket", "minutes": 16}, 422, "invalid_lifetime", "minutes"}, // token_minutes is 15
		{path, obj{"reason": "Ticket", "minutes": 1 << 62}, 422, "invalid_lifetime", "minutes"},
		{"/v1/users/banned/impersonate", obj{"reason": "Ticket"}, 403, "user_blocked", ""},
		{"/v1/users/nobody/impersonate", obj{"reason": "Ticket"}, 404, "user_not_found", ""},
		{"/v1/users/a%20b/impersonate", obj{"reason": "Ticket"}, 422, "invalid_id", "user"},
	} {
		w.support.do("POST", tt.path, tt.body).is(t, tt.status, tt.code, tt.field)
	}
	if w.head("prod") != before {
		t.Error("something was written")
	}
	lasts := func(body obj, want time.Duration) caller {
		t.Helper()
		a := w.support.must("POST", path, body)
		if end := clock.now().Add(want).Format(time.RFC3339); a.body["expires_at"] != end {
			t.Errorf("%v: it ends %v, want %s", body, a.body["expires_at"], end)
		}
		return caller{s: w.service, token: a.body["token"].(string)}
	}
	lasts(obj{"reason": strings.Repeat("é", 500)}, 15*time.Minute)
	w.op.must("PATCH", "/v1/environment", obj{"token_minutes": 1440})
	w.support.refuse("invalid_lifetime", "POST", path, obj{"reason": "Ticket", "minutes": 61})
	lasts(obj{"reason": "Ticket"}, 15*time.Minute)
	hour := lasts(obj{"reason": "Ticket", "minutes": 60}, time.Hour)
	w.op.must("PATCH", "/v1/environment", obj{"token_minutes": 2})
	two := lasts(obj{"reason": "Ticket"}, 2*time.Minute)

	// they end by themselves, to the second, and are tidied away by the next to begin
	clock.move(2*time.Minute - time.Second)
	two.must("GET", me, nil)
	clock.move(time.Second)
	two.refuse("unauthenticated", "GET", me, nil)
	hour.must("GET", me, nil)
	if got := w.op.must("GET", "/v1/impersonations", nil); got.body["total"] != float64(3) {
		t.Errorf("%s", got.raw)
	}
	clock.move(time.Hour)
	hour.refuse("unauthenticated", "GET", me, nil)
	w.support.must("POST", path, obj{"reason": "Ticket"})
	if err := w.Store.Read(t.Context(), "prod", func(r directory.Reader) error {
		rows, err := r.Impersonations(t.Context())
		if len(rows) != 1 {
			t.Errorf("%d sessions are kept", len(rows))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestE4_ForgedImpersonationTokens over the wire: changed, stripped of the signature, of another environment.
func TestE4_ForgedImpersonationTokens(t *testing.T) {
	w := newWorld(t, oneMachine)
	session, _ := w.impersonate(w.support, "viewer")
	devSupport := w.client("dev", "support", false, account.Impersonator, account.BackofficeViewer)
	devSession, _ := w.impersonate(devSupport, "viewer")
	parts, dev := strings.Split(session.token, "."), strings.Split(devSession.token, ".")
	payload := func(part, old, replacement string) string {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %v", text, err)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(text), old, replacement)))
	}
	for name, token := range map[string]string{
		"another user":               parts[0] + "." + payload(parts[1], `"sub":"viewer"`, `"sub":"owner"`) + "." + parts[2],
		"another operator":           parts[0] + "." + payload(parts[1], "operator:support", "operator:op") + "." + parts[2],
		"dev's payload for prod":     dev[0] + "." + payload(dev[1], `"dev"`, `"prod"`) + "." + dev[2],
		"dev's key":                  dev[0] + "." + parts[1] + "." + parts[2],
		"dev's signature":            parts[0] + "." + parts[1] + "." + dev[2],
		"no signature":               parts[0] + "." + parts[1] + ".",
		"no signature, as it claims": payload(parts[0], "EdDSA", "none") + "." + parts[1] + ".",
	} {
		a := caller{s: w.service, token: token}.do("GET", me, nil)
		if a.code() != "unauthenticated" || a.header.Get("Impersonated-By") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	// dev's session is good, in dev
	if diff := cmp.Diff(map[string][]string{"initech": {"direct at initech [viewer]"}}, devSession.me()); diff != "" {
		t.Error(diff)
	}
	session.must("GET", me, nil)
}
