package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/account"
)

// TestFeatures_QuestionsThatCannotBeAsked are refused, alone and among others.
func TestFeatures_QuestionsThatCannotBeAsked(t *testing.T) {
	w := featured(t, oneMachine)
	q := func(subject, permission, resource string) obj {
		return obj{"subject": subject, "permission": permission, "resource": resource}
	}
	bad := []struct {
		question    obj
		code, field string
	}{
		{q("user:owner", "feature:none", "account:globex"), "unknown_feature", "permission"},
		{q("user:owner", "feature:", "account:globex"), "unknown_feature", "permission"},
		{q("user:owner", "feature:a b", "account:globex"), "unknown_feature", "permission"},
		{q("user:owner", "feature:chat", "environment:prod"), "feature_needs_account", "resource"},
		{q("user:owner", "feature:chat", "document:one"), "feature_needs_account", "resource"},
		{q("user:owner", "feature:chat", "account:dev/globex"), "invalid_id", "resource"},
		{q("user:owner", "feature:dev/chat", "account:globex"), "unknown_feature", "permission"},
	}
	items := []obj{q("user:owner", "feature:chat", "account:globex"), q("user:owner", "feature:beta", "account:globex"), q("user:owner", "access", "account:globex")}
	for _, b := range bad {
		w.op.do("POST", "/v1/check", b.question).is(t, 422, b.code, b.field)
		items = append(items, b.question)
	}
	answers := w.op.must("POST", "/v1/check/bulk", obj{"items": items}).body["items"].([]any)
	for i, want := range []bool{true, false, true} {
		if got := answers[i].(map[string]any); got["allowed"] != want || got["error"] != nil {
			t.Errorf("item %d: %v", i, got)
		}
	}
	for i, b := range bad {
		got := answers[i+3].(map[string]any)
		if e, _ := got["error"].(map[string]any); got["allowed"] != false || e["code"] != b.code || e["field"] != b.field {
			t.Errorf("%v: %v", b.question, got)
		}
	}
	// users ask about themselves
	w.as("viewer").do("POST", "/v1/check", q("user:owner", "feature:chat", "account:globex")).is(t, 403, "permission_denied", "subject")
	w.as("viewer").do("POST", "/v1/check", q("feature:chat", "has_feature", "account:globex")).is(t, 403, "permission_denied", "subject")
	w.as("viewer").do("POST", "/v1/check", q("user:viewer", "has_feature", "account:globex")).is(t, 422, "unknown_permission", "permission")
}

// TestFeatures_TheSwitcherFindsWhereAFeatureCanBeUsed (W1).
func TestFeatures_TheSwitcherFindsWhereAFeatureCanBeUsed(t *testing.T) {
	w := featured(t, oneMachine)
	w.grant("initech", "owner", obj{"roles": []string{"viewer"}})
	w.turn("initech", "chat", "account", true)
	w.turn("globex-eu", "chat", "account", false)
	reach := func(user, query string) []string {
		ids := w.op.reach(user, query)
		slices.Sort(ids)
		return ids
	}
	for _, c := range []struct{ user, query, want string }{
		{"owner", "permission=feature:chat", "globex globex-eu-fr initech"},
		{"owner", "permission=feature:reports", "globex globex-eu globex-eu-fr"},
		{"owner", "permission=feature:beta", ""},
		{"owner", "permission=feature:chat&under=globex-eu", "globex-eu-fr"},
		{"owner", "permission=feature:chat&q=fr&sort=name", "globex-eu-fr"},
		{"owner", "permission=feature:beta&under=globex", ""},
		{"viewer", "permission=feature:reports", ""},
		{"viewer", "permission=feature:chat&sort=date", "globex"},
		{"banned", "permission=feature:chat", ""},
	} {
		if got := strings.Join(reach(c.user, c.query), " "); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.user, c.query, got, c.want)
		}
	}
	first := w.op.must("GET", "/v1/users/owner/accounts?limit=1&permission=feature:chat", nil)
	w.op.do("GET", "/v1/users/owner/accounts?limit=1&permission=feature:beta&cursor="+first.body["next_cursor"].(string), nil).is(t, 422, "invalid_cursor", "cursor")
	w.op.do("GET", "/v1/users/owner/accounts?permission=feature:none", nil).is(t, 422, "unknown_feature", "permission")
	w.op.do("GET", "/v1/users/owner/accounts?permission=feature:", nil).is(t, 422, "invalid_id", "permission")
	w.as("owner").must("GET", "/v1/me/accounts?permission=feature:beta&under=globex", nil)
	w.as("owner").refuse("account_not_found", "GET", "/v1/me/accounts?permission=feature:beta&under=lobby-2", nil)
	w.as("viewer").refuse("account_not_found", "GET", "/v1/me/accounts?permission=feature:beta&under=globex-eu", nil)
}

// TestFeatures_AnAccountsListIsComplete: pages, totals, and who is told what does not exist.
func TestFeatures_AnAccountsListIsComplete(t *testing.T) {
	w := featured(t, oneMachine)
	for range 4 {
		w.turn("globex", w.newFeature(), "branch", true)
	}
	var keys []string
	cursor := ""
	for {
		page := w.as("viewer").must("GET", "/v1/accounts/globex/features?limit=3&cursor="+cursor, nil)
		keys = append(keys, page.list("features", "key")...)
		if page.body["total"] != 7.0 {
			t.Fatalf("total: %s", page.raw)
		}
		next, more := page.body["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	if len(keys) != 7 || !slices.IsSorted(keys) {
		t.Errorf("the pages hold %v", keys)
	}
	w.op.do("GET", "/v1/accounts/nowhere/features", nil).is(t, 404, "account_not_found", "")
	w.as("owner").do("GET", "/v1/accounts/nowhere/features", nil).is(t, 403, "permission_denied", "")
	w.op.do("GET", "/v1/accounts/globex/features?cursor=x", nil).is(t, 422, "invalid_cursor", "cursor")
	w.op.do("GET", "/v1/accounts/globex/features?limit=1001", nil).is(t, 422, "invalid_limit", "limit")
	w.op.do("GET", "/v1/accounts/globex/features", nil, "Consistency-Token", string(account.TokenAt("prod", 9999))).
		is(t, 422, "invalid_consistency_token", "Consistency-Token")
	none := w.dev.must("GET", "/v1/accounts/globex/features", nil)
	if none.body["total"] != 0.0 || len(none.body["features"].([]any)) != 0 {
		t.Errorf("E1: dev has features of prod: %s", none.raw)
	}
}
