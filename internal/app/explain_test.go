package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// explained is an explanation in one line: "allowed: via@account role+role; …", "denied: …; not reason reason".
func (c caller) explained(subject, permission, resource string) string {
	c.s.t.Helper()
	a := c.must("POST", "/v1/explain", obj{"subject": subject, "permission": permission, "resource": resource})
	return inOneLine(a.body)
}

func inOneLine(body map[string]any) string {
	out := "denied:"
	if body["allowed"] == true {
		out = "allowed:"
	}
	for _, s := range body["sources"].([]any) {
		out += " " + reasonText(s.(map[string]any)) + ";"
	}
	because, _ := body["because"].([]any)
	for i, b := range because {
		if i == 0 {
			out += " not"
		}
		out += " " + b.(string)
	}
	return out
}

func reasonText(s map[string]any) string {
	at, _ := s["account"].(string)
	var roles []string
	for _, r := range s["roles"].([]any) {
		roles = append(roles, r.(string))
	}
	text := fmt.Sprintf("%s@%s %s", s["via"], at, strings.Join(roles, "+"))
	if ends, ok := s["expires_at"].(string); ok {
		text += " until " + ends
	}
	return text
}

// TestS5_ExplainSaysWhereAPermissionComesFrom in the words of the rules.
func TestS5_ExplainSaysWhereAPermissionComesFrom(t *testing.T) {
	for _, s := range shapes(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t, s)
			ends := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
			kept, always := w.newUser("initech"), w.newUser("initech")
			w.account(w.op, "mode", "globex")
			w.account(w.op, "below", "mode")
			w.grant("mode", kept, obj{"roles": []string{"viewer"}, "expires_at": ends})
			w.op.must("PATCH", "/v1/accounts/mode", obj{"sub_account_access": "always_on"})
			w.op.must("PATCH", "/v1/accounts/mode", obj{"sub_account_access": "default_off"})
			w.grant("mode", always, obj{"roles": []string{"viewer", "greeter"}})
			w.grant("below", "owner", obj{"roles": []string{"viewer", "greeter"}})
			w.giveToken("mode", "machine", account.GrantedAccess, nil, "viewer")
			past := ends.Add(-2 * time.Hour)
			w.giveToken("below", "ended", "", &past, "viewer")

			at := func(subject, permission, id string) string { return w.op.explained(subject, permission, "account:"+id) }
			for _, c := range []struct{ subject, permission, id, want string }{
				{"user:owner", "access", "below", "allowed: direct@below greeter+viewer; grant@globex admin;"},
				{"user:owner", readSubAccounts, "below", "allowed: direct@below viewer; grant@globex admin;"},
				{"user:owner", writeSubAccounts, "below", "allowed: grant@globex admin;"},
				{"user:owner", "access", "initech", "denied: not no_membership"},
				{"user:euadmin", "access", "globex-eu", "allowed: direct@globex-eu admin;"},
				{"user:euadmin", "access", "globex-eu-fr", "denied: not no_sub_account_access"},
				{"user:clerk", deleteSubAccount, "globex-eu", "denied: not role_lacks_permission"},
				{"user:banned", "access", "globex-eu", "denied: grant@globex admin; not blocked"},
				{"user:banned", "access", "initech", "denied: not blocked no_membership"},
				{"user:" + kept, "access", "below", "allowed: kept@mode viewer until " + ends.Format(time.RFC3339) + ";"},
				{"user:" + always, "access", "below", "denied: not no_sub_account_access"},
				{"user:nobody", "access", "globex", "denied: not subject_not_found"},
				{"user:owner", "access", "nowhere", "denied: not account_not_found"},
				{"api_token:machine", readSubAccounts, "below", "allowed: grant@mode viewer;"},
				{"api_token:machine", "access", "globex", "denied: not no_membership"},
				{"api_token:ended", "access", "below", "denied: not expired"},
				{"operator:op", "access", "globex", "allowed: operator_role@ admin;"},
				{"operator:nobody", "access", "globex", "denied: not subject_not_found"},
				{"user:owner", "update_account", "globex-eu", "allowed: direct@globex admin;"},
				{"user:owner", "delete_account", "globex", "denied: not root_account"},
				{"user:owner", "create_sub_account", "globex-eu-fr", "allowed: grant@globex admin;"},
			} {
				if got := at(c.subject, c.permission, c.id); got != c.want {
					t.Errorf("%s %s %s:\n got %s\nwant %s", c.subject, c.permission, c.id, got, c.want)
				}
			}
			w.op.must("PATCH", "/v1/accounts/mode", obj{"sub_account_access": "always_on"})
			if got := at("user:"+always, readSubAccounts, "below"); got != "allowed: always_on@mode viewer;" {
				t.Errorf("always_on: %s", got)
			}
			w.op.must("PATCH", "/v1/accounts/globex-eu-fr", obj{"sub_account_management": false})
			w.op.must("PATCH", "/v1/environment", obj{"sub_accounts_enabled": false})
			want := "denied: grant@globex admin; not sub_accounts_disabled sub_account_management_off"
			if got := at("user:owner", "create_sub_account", "globex-eu-fr"); got != want {
				t.Errorf("switched off: got %s, want %s", got, want)
			}
			if got := at("operator:op", "create_sub_account", "globex-eu-fr"); got != "denied: operator_role@ admin; not sub_accounts_disabled sub_account_management_off" {
				t.Errorf("switched off, an operator: %s", got)
			}
		})
	}
}

// TestE4_ExplainKnowsPortalRoles: each one against each permission, held against the check.
func TestE4_ExplainKnowsPortalRoles(t *testing.T) {
	w := newWorld(t, oneMachine)
	for _, role := range account.PortalRoles() {
		roles := []account.PortalRole{role}
		if role == account.Impersonator {
			roles = append(roles, account.BackofficeViewer)
		}
		id := strings.ReplaceAll(string(role), "_", "-")
		w.client("prod", account.ClientID(id), false, roles...)
		for _, permission := range append(w.permissions(), "access", "create_sub_account", "update_account", "delete_account", "move_account", "set_sub_account_management") {
			got := w.op.explained("operator:"+id, permission, "account:globex-eu")
			want := "denied: not portal_role_lacks_permission"
			if w.op.allowed("operator:"+id, permission, "account:globex-eu") {
				want = "allowed: operator_role@ " + string(roles[len(roles)-1]) + ";"
			}
			if got != want {
				t.Errorf("%s %s: got %s, want %s", role, permission, got, want)
			}
		}
	}
}

// TestS5_UsersAreExplainedThemselves, and only what they may know.
func TestS5_UsersAreExplainedThemselves(t *testing.T) {
	w := newWorld(t, oneMachine)
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	left := w.newUser("lobby")
	w.plant(changed(nil, account.Of(account.Membership{Account: "initech", User: account.UserID(left), Roles: []account.RoleKey{"admin"}, ExpiresAt: &past, CreatedAt: past})))
	for _, c := range []struct{ user, permission, id, want string }{
		{"owner", "access", "globex-eu-fr", "allowed: grant@globex admin;"},
		{"clerk", deleteSubAccount, "globex-eu", "denied: not role_lacks_permission"},
		// where they open nothing they do not learn what is there, or that it is below them
		{"euadmin", "access", "globex-eu-fr", "denied: not no_membership"},
		{"euadmin", "access", "globex", "denied: not no_membership"},
		{"euadmin", "access", "nowhere", "denied: not no_membership"},
		{left, "access", "initech", "denied: not expired"},
	} {
		if got := w.as(c.user).explained("user:"+c.user, c.permission, "account:"+c.id); got != c.want {
			t.Errorf("%s %s %s: got %s, want %s", c.user, c.permission, c.id, got, c.want)
		}
	}
	ask := func(subject, permission, resource string) obj {
		return obj{"subject": subject, "permission": permission, "resource": resource}
	}
	w.as("owner").refuse("permission_denied", "POST", "/v1/explain", ask("user:viewer", "access", "account:globex"))
	w.as("owner").refuse("unknown_permission", "POST", "/v1/explain", ask("user:owner", "create_sub_account", "account:globex"))
	w.op.refuse("not_explained", "POST", "/v1/explain", ask("operator:op", "manage_security", "environment:prod"))
	w.op.refuse("not_explained", "POST", "/v1/explain", ask("role:admin", "access", "account:globex"))
	w.op.refuse("not_explained", "POST", "/v1/explain", ask("user:owner#member", "access", "account:globex"))
	w.op.refuse("not_explained", "POST", "/v1/explain", ask("user:owner", "sub_account_management", "account:globex"))
	w.op.refuse("not_explained", "POST", "/v1/explain", ask("user:owner", "fly", "account:globex"))
	w.op.refuse("invalid_object", "POST", "/v1/explain", ask("owner", "access", "account:globex"))
	if got := w.dev.explained("user:owner", "access", "account:globex"); got != "denied: not no_membership" {
		t.Errorf("dev is told of prod: %s", got)
	}
}
