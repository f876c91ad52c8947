package httpapi

import "testing"

func TestFeatures_OnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	const reports = `"key":"reports","name":"Reports","description":"One\ntwo","permission":"fe.account-hierarchy.write.sub-account-management"`
	a.do("POST", "/v1/features", `{"key":"reports","name":" Reports ","description":" One\ntwo ","permission":"fe.account-hierarchy.write.subAccountManagement"}`, "Idempotency-Key", "k").ok(201).tagged(6, 6).
		same(`{` + reports + `,"version":6,"applied":true}`)
	a.do("POST", "/v1/features", `{"key":"reports","name":" Reports ","description":" One\ntwo ","permission":"fe.account-hierarchy.write.subAccountManagement"}`, "Idempotency-Key", "k").ok(201).tagged(6, 6)
	a.do("POST", "/v1/features", `{"key":"reports"}`).refused(409, "feature_exists", "key")
	a.do("POST", "/v1/features", `{"key":"re ports"}`).refused(422, "invalid_id", "key")
	a.do("POST", "/v1/features", `{"key":"x","permission":"fly"}`).refused(422, "unknown_permission", "permission")
	a.do("POST", "/v1/features", `{"key":"x","description":"\u0007"}`).refused(422, "invalid_description", "description")
	a.do("POST", "/v1/features", `{"key":"chat","permission":null}`).ok(201).tagged(7, 7).same(`{"key":"chat","name":"","description":"","permission":null,"version":7,"applied":true}`)

	if got := a.do("GET", "/v1/features/reports", "").ok(200).same(`{` + reports + `,"version":6}`); got.header.Get("ETag") != `"6"` {
		t.Errorf("ETag is %s", got.header.Get("ETag"))
	}
	a.do("GET", "/v1/features/none", "").refused(404, "feature_not_found", "")
	first := a.do("GET", "/v1/features?limit=1", "").ok(200).same(`{"total":2,"next_cursor":"?","features":[{"key":"chat","name":"","description":"","permission":null,"version":7}]}`)
	next, _ := first.body["next_cursor"].(string)
	a.do("GET", "/v1/features?limit=1&cursor="+next, "").ok(200).same(`{"total":2,"features":[{` + reports + `,"version":6}]}`)
	a.do("GET", "/v1/plans?cursor="+next, "").refused(422, "invalid_cursor", "cursor")
	a.do("GET", "/v1/features?limit=1001", "").refused(422, "invalid_limit", "limit")

	a.do("PATCH", "/v1/features/reports", `{"name":"R"}`, "If-Match", `"5"`).refused(412, "stale", "")
	a.do("PATCH", "/v1/features/reports", `{"name":"","permission":""}`, "If-Match", `"6"`).ok(200).tagged(8, 8).
		same(`{"key":"reports","name":"","description":"One\ntwo","permission":null,"version":8,"applied":true}`)
	a.do("PATCH", "/v1/features/reports", `{}`).ok(200).tagged(8, 8)
	a.do("PATCH", "/v1/features/none", `{}`).refused(404, "feature_not_found", "")
	a.do("DELETE", "/v1/features/reports", "", "If-Match", `"6"`).refused(412, "stale", "")
	a.do("DELETE", "/v1/features/reports", "", "If-Match", `"8"`).ok(200).tagged(0, 9)
}

func TestFeatures_PlansOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	for _, key := range []string{"chat", "reports"} {
		a.do("POST", "/v1/features", `{"key":"`+key+`"}`).ok(201)
	}
	a.do("POST", "/v1/plans", `{"key":"pro","features":["reports","fly"]}`).refused(404, "feature_not_found", "features")
	a.do("POST", "/v1/plans", `{"key":"pro"}`).refused(422, "invalid_request", "features")
	const pro = `"key":"pro","name":"","description":"","features":["chat","reports"]`
	a.do("POST", "/v1/plans", `{"key":"pro","features":["reports","chat","reports"]}`).ok(201).tagged(8, 8).same(`{` + pro + `,"version":8,"applied":true}`)
	a.do("POST", "/v1/plans", `{"key":"pro","features":[]}`).refused(409, "plan_exists", "key")
	a.do("GET", "/v1/plans/pro", "").ok(200).same(`{` + pro + `,"version":8}`)
	a.do("GET", "/v1/plans/none", "").refused(404, "plan_not_found", "")
	a.do("GET", "/v1/plans", "").ok(200).same(`{"total":1,"plans":[{` + pro + `,"version":8}]}`)
	a.do("DELETE", "/v1/features/chat", "").refused(409, "feature_in_use", "")
	a.do("PATCH", "/v1/plans/pro", `{"features":["reports"]}`, "If-Match", `"7"`).refused(412, "stale", "")
	a.do("PATCH", "/v1/plans/pro", `{"features":["reports"],"name":"Pro"}`, "If-Match", `"8"`).ok(200).tagged(9, 9)
	a.do("PATCH", "/v1/plans/pro", `{"features":["reports"]}`).ok(200).tagged(9, 9)
	a.do("PATCH", "/v1/plans/pro", `{"features":["fly"]}`).refused(404, "feature_not_found", "features")

	a.do("PUT", "/v1/accounts/globex/plan", `{"plan":"none"}`).refused(404, "plan_not_found", "plan")
	a.do("PUT", "/v1/accounts/globex/plan", `{"plan":""}`).refused(422, "invalid_id", "plan")
	a.do("PUT", "/v1/accounts/nowhere/plan", `{"plan":"pro"}`).refused(404, "account_not_found", "")
	a.do("PUT", "/v1/accounts/globex/plan", `{"plan":"pro"}`, "If-Match", `"1"`).refused(412, "stale", "")
	if got := a.do("PUT", "/v1/accounts/globex/plan", `{"plan":"pro"}`, "If-Match", `"2"`).ok(200).tagged(10, 10); got.body["plan"] != "pro" {
		t.Errorf("given: %s", got.text)
	}
	a.do("PUT", "/v1/accounts/globex/plan", `{"plan":"pro"}`).ok(200).tagged(10, 10)
	if got := a.do("GET", "/v1/accounts/globex", "").ok(200); got.body["plan"] != "pro" {
		t.Errorf("read: %s", got.text)
	}
	a.do("DELETE", "/v1/plans/pro", "").refused(409, "plan_in_use", "")
	if got := a.do("DELETE", "/v1/accounts/globex/plan", "").ok(200).tagged(11, 11); got.body["plan"] != nil {
		t.Errorf("taken: %s", got.text)
	}
	a.do("DELETE", "/v1/accounts/globex/plan", "").ok(200).tagged(11, 11)
	a.do("DELETE", "/v1/plans/pro", "", "If-Match", `"9"`).ok(200).tagged(0, 12)
}

func TestFeatures_SwitchesOnTheWire(t *testing.T) {
	a := seeded(t, granting{})
	a.do("POST", "/v1/features", `{"key":"chat"}`).ok(201).tagged(6, 6)
	const at = "/v1/accounts/globex/features/chat"
	a.do("PUT", at, `{"enabled":true,"scope":"tree"}`).refused(422, "invalid_scope", "scope")
	a.do("PUT", at, `{"scope":"branch"}`).refused(422, "invalid_request", "enabled")
	a.do("PUT", at, `{"enabled":true}`).refused(422, "invalid_request", "scope")
	a.do("PUT", "/v1/accounts/globex/features/none", `{"enabled":true,"scope":"branch"}`).refused(404, "feature_not_found", "")
	a.do("PUT", "/v1/accounts/nowhere/features/chat", `{"enabled":true,"scope":"branch"}`).refused(404, "account_not_found", "")
	a.do("PUT", at, `{"enabled":true,"scope":"branch"}`, "If-Match", `"6"`).refused(412, "stale", "")
	a.do("PUT", at, `{"enabled":true,"scope":"branch"}`).ok(200).tagged(7, 7).
		same(`{"account":"globex","feature":"chat","scope":"branch","enabled":true,"version":7,"applied":true}`)
	a.do("PUT", at, `{"enabled":false,"scope":"account"}`).ok(200).tagged(8, 8)
	a.do("PUT", at, `{"enabled":true,"scope":"branch"}`).ok(200).tagged(7, 8)
	a.do("PUT", at, `{"enabled":false,"scope":"branch"}`, "If-Match", `"7"`).ok(200).tagged(9, 9)
	a.do("DELETE", "/v1/features/chat", "").refused(409, "feature_in_use", "")
	a.do("DELETE", at, "").refused(422, "invalid_scope", "scope")
	a.do("DELETE", at+"?scope=account", "", "If-Match", `"9"`).refused(412, "stale", "")
	a.do("DELETE", at+"?scope=account", "", "If-Match", `"8"`).ok(200).tagged(0, 10)
	a.do("DELETE", at+"?scope=account", "").refused(404, "feature_switch_not_found", "")
	a.do("DELETE", at+"?scope=branch", "").ok(200).tagged(0, 11).
		same(`{"account":"globex","feature":"chat","scope":"branch","enabled":false,"version":11,"applied":true}`)

	a.do("GET", "/v1/journal?after=8&limit=1", "").ok(200).same(`{"next_after":9,"more":true,"entries":[{"version":9,"at":"?","kind":"feature.switched",
		"actor":{"name":"operator:shop","client":"shop"},"request_id":"?","from":"192.0.2.1","changes_total":1,"changes":[{
			"before":{"feature_switch":{"account":"globex","feature":"chat","scope":"branch","enabled":true}},
			"after":{"feature_switch":{"account":"globex","feature":"chat","scope":"branch","enabled":false}}}]}]}`)
}
