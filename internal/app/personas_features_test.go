package app_test

// featureRows are the requests about features and plans, and what accounts have of them.
func featureRows() []row {
	return []row{
		{route: "GET /v1/features", may: seeRoles, on: get("/v1/features")},
		{route: "POST /v1/features", may: editRoles, on: func(w *world) (string, any) {
			return "/v1/features", obj{"key": w.fresh("feature"), "permission": "fe.secure.read.users"}
		}},
		{route: "GET /v1/features/{feature}", may: seeRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/features/" + w.newFeature(), nil
		}},
		{route: "PATCH /v1/features/{feature}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/features/" + w.newFeature(), obj{"name": "Reports"}
		}},
		{route: "DELETE /v1/features/{feature}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/features/" + w.newFeature(), nil
		}},
		{route: "GET /v1/plans", may: seeRoles, on: get("/v1/plans")},
		{route: "POST /v1/plans", may: editRoles, on: func(w *world) (string, any) {
			return "/v1/plans", obj{"key": w.fresh("plan"), "features": []string{}}
		}},
		{route: "POST /v1/plans", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/plans", obj{"key": w.fresh("plan"), "features": []string{w.newFeature()}}
		}},
		{route: "GET /v1/plans/{plan}", may: seeRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/plans/" + w.newPlan(), nil
		}},
		{route: "PATCH /v1/plans/{plan}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/plans/" + w.newPlan(), obj{"name": "Pro"}
		}},
		{route: "DELETE /v1/plans/{plan}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/plans/" + w.newPlan(), nil
		}},
		{route: "PUT /v1/accounts/{account}/plan", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/plan", obj{"plan": w.newPlan()}
		}},
		{route: "DELETE /v1/accounts/{account}/plan", may: editRoles, on: get("/v1/accounts/globex-eu/plan")},
		{route: "GET /v1/accounts/{account}/features", may: see + atGlobex, on: get("/v1/accounts/globex/features")},
		{route: "GET /v1/accounts/{account}/features", may: see + atEU + "clerk", on: get("/v1/accounts/globex-eu/features")},
		{route: "GET /v1/accounts/{account}/features", may: see, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("") + "/features", nil
		}},
		{route: "PUT /v1/accounts/{account}/features/{feature}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/features/" + w.newFeature(), obj{"enabled": true, "scope": "branch"}
		}},
		{route: "DELETE /v1/accounts/{account}/features/{feature}", may: editRoles, made: true, on: func(w *world) (string, any) {
			path := "/v1/accounts/globex-eu/features/" + w.newFeature()
			w.op.must("PUT", path, obj{"enabled": true, "scope": "account"})
			return path + "?scope=account", nil
		}},
		{route: "POST /v1/check", may: see + "owner", on: func(w *world) (string, any) {
			key := w.newFeature()
			w.dev.must("POST", "/v1/features", obj{"key": key})
			return "/v1/check", obj{"subject": "user:owner", "permission": "feature:" + key, "resource": "account:globex-eu"}
		}},
	}
}

// newFeature makes a feature that needs no permission.
func (w *world) newFeature() string {
	w.t.Helper()
	key := w.fresh("feature")
	w.op.must("POST", "/v1/features", obj{"key": key})
	return key
}

// newPlan makes a plan that holds the features.
func (w *world) newPlan(features ...string) string {
	w.t.Helper()
	key := w.fresh("plan")
	w.op.must("POST", "/v1/plans", obj{"key": key, "features": append([]string{}, features...)})
	return key
}
