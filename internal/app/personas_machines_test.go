package app_test

// machineRows are the requests about API tokens and impersonations.
func machineRows() []row {
	robot := obj{"name": "Robot", "roles": []string{"viewer"}}
	why := obj{"reason": "Ticket 1"}
	return []row{
		{route: "GET /v1/accounts/{account}/api-tokens", may: see + aboveEU, on: get("/v1/accounts/globex/api-tokens")},
		{route: "GET /v1/accounts/{account}/api-tokens", may: see + atEU, on: get("/v1/accounts/globex-eu/api-tokens?q=robot")},
		{route: "POST /v1/accounts/{account}/api-tokens", may: edit + aboveEU, but: outlives, on: send("/v1/accounts/globex/api-tokens", robot)},
		{route: "POST /v1/accounts/{account}/api-tokens", may: edit + atEU, but: outlives, on: send("/v1/accounts/globex-eu/api-tokens", robot)},
		{
			route: "POST /v1/accounts/{account}/api-tokens", may: edit + atEU, but: outlives,
			on: send("/v1/accounts/globex-eu/api-tokens", obj{"name": "Robot", "roles": []string{"admin"}, "sub_account_access": true}),
		},
		{route: "GET /v1/accounts/{account}/api-tokens/{token}", may: see + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/api-tokens/" + w.newAPIToken("globex-eu"), nil
		}},
		{route: "DELETE /v1/accounts/{account}/api-tokens/{token}", may: edit + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/api-tokens/" + w.newAPIToken("globex-eu"), nil
		}},
		{route: "POST /v1/users/{user}/impersonate", may: "impersonator ", made: true, but: outlives, on: func(w *world) (string, any) {
			return "/v1/users/" + w.newUser("globex-eu") + "/impersonate", why
		}},
		{route: "GET /v1/impersonations", may: see, on: get("/v1/impersonations")},
		{route: "DELETE /v1/impersonations/{impersonation}", may: edit + "impersonator ", made: true, on: func(w *world) (string, any) {
			_, id := w.impersonate(w.support, "owner")
			return "/v1/impersonations/" + id, nil
		}},
	}
}

// machine makes an API token, as the operator, and returns its caller.
func (w *world) machine(id string, body obj) caller {
	w.t.Helper()
	a := w.op.must("POST", "/v1/accounts/"+id+"/api-tokens", body)
	return caller{s: w.service, token: a.body["token"].(string)}
}

// newAPIToken makes an API token with the role viewer, as the operator, and returns its id.
func (w *world) newAPIToken(id string) string {
	w.t.Helper()
	a := w.op.must("POST", "/v1/accounts/"+id+"/api-tokens", obj{"name": w.fresh("Robot"), "roles": []string{"viewer"}})
	return a.body["id"].(string)
}

// impersonate begins an impersonation and returns its caller and its id.
func (w *world) impersonate(operator caller, user string) (caller, string) {
	w.t.Helper()
	a := operator.must("POST", "/v1/users/"+user+"/impersonate", obj{"reason": "Ticket 1"})
	return caller{s: w.service, token: a.body["token"].(string)}, a.body["id"].(string)
}
