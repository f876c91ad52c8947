package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
)

// featured is a world with the features reports (for who reads users), chat and
// beta, the plan pro with reports and chat, and the plan basic with chat; globex has pro.
func featured(t testing.TB, cfg shape) *world {
	t.Helper()
	w := newWorld(t, cfg)
	w.op.must("POST", "/v1/features", obj{"key": "reports", "permission": "fe.secure.read.users"})
	w.op.must("POST", "/v1/features", obj{"key": "chat"})
	w.op.must("POST", "/v1/features", obj{"key": "beta"})
	w.op.must("POST", "/v1/plans", obj{"key": "pro", "features": []string{"reports", "chat"}})
	w.op.must("POST", "/v1/plans", obj{"key": "basic", "features": []string{"chat"}})
	w.op.must("PUT", "/v1/accounts/globex/plan", obj{"plan": "pro"})
	return w
}

func (w *world) turn(id, feature, scope string, on bool) {
	w.t.Helper()
	w.op.must("PUT", "/v1/accounts/"+id+"/features/"+feature, obj{"enabled": on, "scope": scope})
}

func (w *world) unturn(id, feature, scope string) {
	w.t.Helper()
	w.op.must("DELETE", "/v1/accounts/"+id+"/features/"+feature+"?scope="+scope, nil)
}

// has is what an account has, as "feature: where from", by its list and by checks of the operator, who may do everything.
func (w *world) has(t *testing.T, id string, want ...string) {
	t.Helper()
	var got []string
	for _, item := range w.op.in(t).must("GET", "/v1/accounts/"+id+"/features", nil).body["features"].([]any) {
		f := item.(map[string]any)
		source := f["source"].(map[string]any)
		text := f["key"].(string) + " "
		if f["enabled"] != true {
			text = "not " + text
		}
		for _, field := range []string{"by", "plan", "scope", "account"} {
			if v, ok := source[field].(string); ok {
				text += " " + v
			}
		}
		got = append(got, text)
		if allowed := w.op.in(t).allowed("operator:op", "feature:"+f["key"].(string), "account:"+id); allowed != (f["enabled"] == true) {
			t.Errorf("at %s the check of %s says %t, the list %v", id, f["key"], allowed, f)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("features of %s (-want +got):\n%s", id, diff)
	}
}

// TestFeatures_PlansAndSwitches goes through what an account has, one change after the other.
func TestFeatures_PlansAndSwitches(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := featured(t, shape)
			const eu, fr = "globex-eu", "globex-eu-fr"
			w.has(t, "globex", "not beta  none", "chat  plan pro globex", "reports  plan pro globex")
			w.has(t, fr, "not beta  none", "chat  plan pro globex", "reports  plan pro globex")
			w.has(t, "initech", "not beta  none", "not chat  none", "not reports  none")

			w.op.must("PUT", "/v1/accounts/globex-eu/plan", obj{"plan": "basic"}) // its own takes the place of the one above
			w.has(t, eu, "not beta  none", "chat  plan basic globex-eu", "not reports  none")
			w.has(t, fr, "not beta  none", "chat  plan basic globex-eu", "not reports  none")

			w.turn("globex", "reports", "branch", true) // a switch comes before a plan, also a nearer one
			w.turn("globex", "chat", "account", false)  // for globex alone
			w.has(t, "globex", "not beta  none", "not chat  switch account globex", "reports  switch branch globex")
			w.has(t, fr, "not beta  none", "chat  plan basic globex-eu", "reports  switch branch globex")

			w.turn(eu, "reports", "branch", false) // the nearest switch counts
			w.turn(fr, "reports", "account", true) // and the account's own before that
			w.turn(fr, "reports", "branch", false)
			w.has(t, eu, "not beta  none", "chat  plan basic globex-eu", "not reports  switch branch globex-eu")
			w.has(t, fr, "not beta  none", "chat  plan basic globex-eu", "reports  switch account globex-eu-fr")
			w.unturn(fr, "reports", "account")
			w.has(t, fr, "not beta  none", "chat  plan basic globex-eu", "not reports  switch branch globex-eu-fr")
			w.unturn(fr, "reports", "branch")
			w.unturn(eu, "reports", "branch")
			w.has(t, fr, "not beta  none", "chat  plan basic globex-eu", "reports  switch branch globex")

			w.op.must("DELETE", "/v1/accounts/globex-eu/plan", nil)
			w.unturn("globex", "reports", "branch")
			w.op.must("PATCH", "/v1/plans/pro", obj{"features": []string{"beta"}}) // a plan changes for all who have it
			w.has(t, fr, "beta  plan pro globex", "not chat  none", "not reports  none")

			w.op.must("POST", "/v1/accounts/globex-eu/move", obj{"parent": "initech"}) // what comes from above follows the tree
			w.has(t, fr, "not beta  none", "not chat  none", "not reports  none")
		})
	}
}

// TestFeatures_TheUserNeedsTheRightAndTheAccountTheFeature: one without the other is not enough.
func TestFeatures_TheUserNeedsTheRightAndTheAccountTheFeature(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			w := featured(t, shape)
			op := w.op.in(t)
			token := w.apiToken("globex-eu", "manager")
			for _, c := range []struct {
				subject, feature, account string
				allowed                   bool
			}{
				{"user:owner", "reports", "globex", true},
				{"user:owner", "reports", "globex-eu-fr", true},
				{"user:owner", "beta", "globex", false},     // the account has it not
				{"user:viewer", "reports", "globex", false}, // reads no users
				{"user:viewer", "chat", "globex", true},     // may open the account
				{"user:viewer", "chat", "globex-eu", false}, // may not
				{"user:outsider", "reports", "globex", false},
				{"user:outsider", "reports", "initech", false}, // has the right, and the account no plan
				{"user:banned", "reports", "globex", false},    // U5
				{"user:banned", "chat", "globex", false},
				{"user:nobody", "chat", "globex", false},
				{"api_token:" + token, "reports", "globex-eu", true}, // C1
				{"api_token:" + token, "chat", "globex-eu", true},
				{"api_token:" + token, "beta", "globex-eu", false},
				{"api_token:" + token, "reports", "globex", false},
				{"operator:op", "reports", "globex", true},
				{"operator:op", "beta", "globex", false},
				{"operator:nobody", "chat", "globex", false},
			} {
				if got := op.allowed(c.subject, "feature:"+c.feature, "account:"+c.account); got != c.allowed {
					t.Errorf("%s uses %s in %s: %t", c.subject, c.feature, c.account, got)
				}
			}
			if !w.as("viewer").in(t).allowed("user:viewer", "feature:chat", "account:globex") {
				t.Error("the viewer is told that they may not use chat")
			}
			op.must("POST", "/v1/users/viewer/block", nil)
			if op.allowed("user:viewer", "feature:chat", "account:globex") {
				t.Error("U5: a blocked user uses a feature")
			}
			op.must("POST", "/v1/users/viewer/unblock", nil)
			op.must("PATCH", "/v1/features/chat", obj{"permission": "fe.secure.write.users"}) // binds at once
			if op.allowed("user:viewer", "feature:chat", "account:globex") || !op.allowed("user:owner", "feature:chat", "account:globex") {
				t.Error("the feature asks for another permission, and the check does not")
			}
		})
	}
}

// apiToken makes a machine member of an account, with a role that is in use there.
func (w *world) apiToken(id, role string) string {
	w.t.Helper()
	token := account.APIToken{ID: account.APITokenID(w.fresh("token")), Account: account.ID(id), Name: "Machine", Roles: []account.RoleKey{account.RoleKey(role)}}
	w.plant(account.Change{After: account.Of(token)})
	return string(token.ID)
}

// TestFeatures_AnswersAreAsOfTheNewestFeature: what was made or changed a moment ago is what the next check sees, without a token.
func TestFeatures_AnswersAreAsOfTheNewestFeature(t *testing.T) {
	w := featured(t, oneMachine)
	for i := range 20 {
		key := w.newFeature()
		if w.op.allowed("user:owner", "feature:"+key, "account:globex") {
			t.Fatal("a new feature is had by nobody")
		}
		w.turn("globex", key, []string{"account", "branch"}[i%2], true)
		if !w.op.allowed("user:owner", "feature:"+key, "account:globex") {
			t.Fatal("switched on, and not allowed")
		}
		w.op.must("PATCH", "/v1/features/"+key, obj{"permission": "fe.secure.write.roles"})
		if w.op.allowed("user:viewer", "feature:"+key, "account:globex") {
			t.Fatal("the permission does not count yet")
		}
	}
}

// TestE4_EntitlementsAreTheirEditorsOnly: an account's administrator switches no
// feature and gives no plan, nor does a back-office editor, nor another environment's admin.
func TestE4_EntitlementsAreTheirEditorsOnly(t *testing.T) {
	w := featured(t, oneMachine)
	w.op.must("POST", "/v1/roles", obj{"key": "everything", "account": "globex", "permissions": w.permissions()})
	w.grant("globex", "owner", obj{"roles": []string{"admin", "everything"}, "sub_account_access": true})
	editor := w.client("prod", "editor", true, account.EntitlementsEditor)
	attackers := map[string]caller{
		"account admin":     w.as("owner"),
		"sub-account admin": w.as("euadmin"),
		// who acts for a user has that user's rights, whatever the client's own
		"account admin by an editor": editor.as("owner"),
		"back office":                w.client("prod", "office", false, account.BackofficeEditor),
		"entitlements viewer":        w.client("prod", "viewer", false, account.EntitlementsViewer),
	}
	w.turn("globex-eu", "beta", "branch", false)
	before := w.export("prod")
	for name, c := range attackers {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			on := obj{"enabled": true, "scope": "branch"}
			c.refuse("permission_denied", "PUT", "/v1/accounts/globex/plan", obj{"plan": "basic"})
			c.refuse("permission_denied", "DELETE", "/v1/accounts/globex/plan", nil)
			c.refuse("permission_denied", "PUT", "/v1/accounts/globex-eu/features/beta", on)
			c.refuse("permission_denied", "DELETE", "/v1/accounts/globex-eu/features/beta?scope=branch", nil)
			c.refuse("permission_denied", "PATCH", "/v1/plans/pro", obj{"features": []string{"beta", "chat", "reports"}})
			c.refuse("permission_denied", "PATCH", "/v1/features/reports", obj{"permission": ""})
			c.refuse("permission_denied", "POST", "/v1/plans", obj{"key": "mine", "features": []string{"beta"}})
			// and no other request lets a plan in
			a := c.do("PATCH", "/v1/accounts/globex-eu", obj{"plan": "basic"})
			a.is(t, 422, "invalid_request", "plan")
		})
	}
	w.dev.must("POST", "/v1/features", obj{"key": "chat"})
	w.dev.must("PUT", "/v1/accounts/globex/features/chat", obj{"enabled": false, "scope": "branch"})
	w.dev.refuse("feature_not_found", "PUT", "/v1/accounts/globex/features/beta", obj{"enabled": true, "scope": "branch"})
	w.dev.refuse("plan_not_found", "PUT", "/v1/accounts/globex/plan", obj{"plan": "basic"})
	w.dev.refuse("invalid_id", "PUT", "/v1/accounts/globex/plan", obj{"plan": "prod/basic"})
	if after := w.export("prod"); after != before {
		t.Errorf("prod has changed:\n%s", cmp.Diff(before, after))
	}
	editor.must("PUT", "/v1/accounts/globex/plan", obj{"plan": "basic"})
	editor.must("PUT", "/v1/accounts/globex-eu/features/beta", obj{"enabled": true, "scope": "branch"})
	w.has(t, "globex-eu", "beta  switch branch globex-eu", "chat  plan basic globex", "not reports  none")
}
