package app_test

// accountRows are the requests about accounts.
func accountRows() []row {
	return []row{
		{route: "GET /v1/accounts", may: see, on: get("/v1/accounts")},
		{route: "GET /v1/accounts", may: see, on: get("/v1/accounts?roots=true")},
		{route: "GET /v1/accounts", may: see + atEU, on: get("/v1/accounts?under=globex-eu")},
		{route: "GET /v1/accounts", may: see + atGlobex, on: get("/v1/accounts?parent=globex")},
		{route: "POST /v1/accounts", may: edit, on: send("/v1/accounts", obj{"name": "Root"})},
		{route: "POST /v1/accounts", may: edit + aboveEU, on: send("/v1/accounts", obj{"name": "Child", "parent": "globex"})},
		{route: "POST /v1/accounts", may: edit + atEU, on: send("/v1/accounts", obj{"name": "Grandchild", "parent": "globex-eu"})},
		{route: "GET /v1/accounts/{account}", may: see + atGlobex, on: get("/v1/accounts/globex")},
		{route: "GET /v1/accounts/{account}", may: see + atEU + "clerk", on: get("/v1/accounts/globex-eu")},
		{route: "GET /v1/accounts/{account}", may: see + aboveEU, on: get("/v1/accounts/globex-eu-fr")},
		{route: "PATCH /v1/accounts/{account}", may: edit, on: func(w *world) (string, any) {
			return "/v1/accounts/globex", obj{"name": w.fresh("Globex")}
		}},
		{route: "PATCH /v1/accounts/{account}", may: edit + aboveEU, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu", obj{"name": w.fresh("Globex EU")}
		}},
		{route: "PATCH /v1/accounts/{account}", may: edit + aboveEU, on: send("/v1/accounts/globex-eu", obj{"sub_account_management": true})},
		{route: "PATCH /v1/accounts/{account}", may: edit + atEU, on: send("/v1/accounts/globex-eu", obj{"sub_account_access": "default_off"})},
		{route: "PATCH /v1/accounts/{account}", may: see + atEU, on: send("/v1/accounts/globex-eu", obj{})},
		{route: "DELETE /v1/accounts/{account}", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount(""), nil
		}},
		{route: "DELETE /v1/accounts/{account}", may: edit + aboveEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("globex"), nil
		}},
		{route: "DELETE /v1/accounts/{account}", may: edit + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("globex-eu") + "?delete_users=true", nil
		}},
		{route: "POST /v1/accounts/{account}/move", may: edit + aboveEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("globex-eu") + "/move", obj{"parent": "globex"}
		}},
		{route: "GET /v1/accounts/{account}/summary", may: see + atGlobex, on: get("/v1/accounts/globex/summary")},
		{route: "GET /v1/accounts/{account}/summary", may: see + atEU, on: get("/v1/accounts/globex-eu/summary")},
		{route: "GET /v1/accounts/{account}/tree", may: see + atGlobex, on: get("/v1/accounts/globex/tree")},
		{route: "GET /v1/accounts/{account}/tree", may: see + atEU, on: get("/v1/accounts/globex-eu/tree")},
	}
}

// peopleRows are the requests about users, members and roles.
func peopleRows() []row {
	viewer := obj{"roles": []string{"viewer"}}
	return []row{
		{route: "GET /v1/accounts/{account}/members", may: see + aboveEU, on: get("/v1/accounts/globex/members")},
		{route: "GET /v1/accounts/{account}/members", may: see + atEU, on: get("/v1/accounts/globex-eu/members")},
		// whom they know from the lobby; the API token is no member there
		{route: "PUT /v1/accounts/{account}/members/{user}", may: edit + atEU, made: true, but: map[string]string{"api-token": "user_not_found"}, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/members/" + w.newUser("lobby"), viewer
		}},
		{route: "PUT /v1/accounts/{account}/members/{user}", may: edit + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/members/" + w.newUser("globex-eu"), obj{"roles": []string{"viewer", "manager"}}
		}},
		{route: "PUT /v1/accounts/{account}/members/{user}", may: edit + aboveEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex/members/" + w.newUser("globex"), obj{"roles": []string{"viewer", "manager"}, "sub_account_access": true}
		}},
		{route: "DELETE /v1/accounts/{account}/members/{user}", may: edit + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/globex-eu/members/" + w.newUser("initech", "globex-eu"), nil
		}},
		{route: "GET /v1/users", may: see, on: get("/v1/users")},
		{route: "POST /v1/users", may: edit, on: func(w *world) (string, any) {
			return "/v1/users", obj{"email": w.fresh("new") + "@example.com", "memberships": []obj{{"account": "globex-eu", "roles": []string{"viewer"}}}}
		}},
		{route: "POST /v1/users", may: edit, on: func(w *world) (string, any) {
			return "/v1/users", obj{"email": w.fresh("new") + "@example.com", "memberships": []obj{
				{"account": "globex-eu", "roles": []string{"viewer"}}, {"account": "initech", "roles": []string{"viewer"}},
			}}
		}},
		{route: "GET /v1/users/{user}", may: see + "owner", on: get("/v1/users/owner")},
		{route: "PATCH /v1/users/{user}", may: edit, on: func(w *world) (string, any) {
			return "/v1/users/owner", obj{"name": w.fresh("Owner")}
		}},
		{route: "DELETE /v1/users/{user}", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/users/" + w.newUser("globex-eu"), nil
		}},
		{route: "POST /v1/users/{user}/block", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/users/" + w.newUser("globex-eu") + "/block", nil
		}},
		{route: "POST /v1/users/{user}/block", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/users/" + w.newUser("globex-eu") + "/block", obj{"revoke_api_tokens": true}
		}},
		{route: "POST /v1/users/{user}/unblock", may: edit, made: true, on: func(w *world) (string, any) {
			id := w.newUser("globex-eu")
			w.op.must("POST", "/v1/users/"+id+"/block", nil)
			return "/v1/users/" + id + "/unblock", nil
		}},
		{route: "GET /v1/users/{user}/accounts", may: see + "owner", on: get("/v1/users/owner/accounts")},
		{route: "GET /v1/users/{user}/accounts/ids", may: see + "owner", on: get("/v1/users/owner/accounts/ids")},
		{route: "GET /v1/me/accounts/ids", may: users + "api-token ", otherwise: "no_acting_user", on: get("/v1/me/accounts/ids")},
		{route: "GET /v1/me/accounts", may: users + "api-token ", otherwise: "no_acting_user", on: get("/v1/me/accounts")},
		{route: "GET /v1/me/accounts/stream", may: users + "api-token ", otherwise: "no_acting_user", on: get("/v1/me/accounts/stream?after=0&limit=1")},
		{route: "GET /v1/roles", may: seeRoles, on: get("/v1/roles")},
		{route: "GET /v1/accounts/{account}/roles", may: seeRoles + atEU, on: get("/v1/accounts/globex-eu/roles")},
		{route: "POST /v1/roles", may: editRoles, on: func(w *world) (string, any) {
			return "/v1/roles", obj{"key": w.fresh("role"), "permissions": []string{"fe.secure.read.users"}}
		}},
		{route: "POST /v1/roles", may: editRoles + atEU, on: func(w *world) (string, any) {
			return "/v1/roles", obj{"key": w.fresh("role"), "account": "globex-eu", "permissions": []string{"fe.secure.read.users"}}
		}},
		{route: "PATCH /v1/roles/{role}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/roles/" + w.newRole(""), obj{"permissions": []string{"fe.secure.read.roles"}}
		}},
		{route: "PATCH /v1/roles/{role}", may: editRoles + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/roles/" + w.newRole("globex-eu"), obj{"permissions": []string{"fe.secure.read.roles"}}
		}},
		{route: "DELETE /v1/roles/{role}", may: editRoles, made: true, on: func(w *world) (string, any) {
			return "/v1/roles/" + w.newRole(""), nil
		}},
		{route: "DELETE /v1/roles/{role}", may: editRoles + atEU, made: true, on: func(w *world) (string, any) {
			return "/v1/roles/" + w.newRole("globex-eu"), nil
		}},
	}
}

// newRole makes a role without permissions; of the environment if the account is "".
func (w *world) newRole(id string) string {
	w.t.Helper()
	key := w.fresh("role")
	body := obj{"key": key, "permissions": []string{}}
	if id != "" {
		body["account"] = id
	}
	w.op.must("POST", "/v1/roles", body)
	return key
}

// otherRows are the requests about the environment, and the questions.
func otherRows() []row {
	question := obj{"subject": "user:owner", "permission": "fe.account-hierarchy.read.subAccount", "resource": "account:globex-eu"}
	return []row{
		{route: "POST /v1/check", may: see + "owner", on: send("/v1/check", question)},
		{route: "POST /v1/check/bulk", may: see + "owner", on: send("/v1/check/bulk", obj{"items": []obj{question, question}})},
		{route: "GET /v1/schema", may: see, on: get("/v1/schema")},
		{route: "POST /v1/schema/orphans", may: see, on: send("/v1/schema/orphans", obj{"removals": []obj{{"definition": "account", "relation": "parent"}}})},
		{route: "GET /v1/permissions", may: "*", on: get("/v1/permissions")},
		{route: "GET /v1/environment", may: see, on: get("/v1/environment")},
		{route: "PATCH /v1/environment", may: secure, on: func(w *world) (string, any) {
			return "/v1/environment", obj{"name": w.fresh("Environment")}
		}},
		{route: "GET /v1/environment/clients", may: secure, on: get("/v1/environment/clients")},
		{route: "POST /v1/environment/clients", may: secure, on: send("/v1/environment/clients", obj{"roles": []string{"backoffice_viewer"}})},
		{route: "DELETE /v1/environment/clients/{client}", may: secure, made: true, on: func(w *world) (string, any) {
			id := w.fresh("client")
			w.op.must("POST", "/v1/environment/clients", obj{"id": id, "roles": []string{"admin"}})
			return "/v1/environment/clients/" + id, nil
		}},
		{route: "GET /v1/journal", may: see, on: get("/v1/journal")},
		{route: "GET /healthz", may: "**", on: get("/healthz")},
		{route: "GET /readyz", may: "**", on: get("/readyz")},
		{route: "GET /metrics", may: "**", on: get("/metrics")},
		{route: "GET /openapi.json", may: "**", on: get("/openapi.json")},
		{route: "GET /openapi.yaml", may: "**", on: get("/openapi.yaml")},
	}
}
