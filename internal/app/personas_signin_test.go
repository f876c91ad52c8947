package app_test

// signInRows are the requests about who calls: issuers, operators who are people, and who users are elsewhere.
func signInRows() []row {
	return []row{
		{route: "GET /v1/me", may: "*", on: get("/v1/me")},
		{route: "GET /v1/me/identities", may: users, otherwise: "no_acting_user", on: get("/v1/me/identities")},
		{route: "GET /v1/users/{user}/identities", may: see + "owner", on: get("/v1/users/owner/identities")},
		{route: "POST /v1/users/{user}/identities", may: secure, made: true, on: func(w *world) (string, any) {
			return "/v1/users/" + w.newUser("globex-eu") + "/identities", obj{"issuer": w.login(), "subject": w.fresh("subject")}
		}},
		{route: "DELETE /v1/users/{user}/identities/{identity}", may: secure, made: true, on: func(w *world) (string, any) {
			path := "/v1/users/" + w.newUser("globex-eu") + "/identities"
			a := w.op.must("POST", path, obj{"issuer": w.login(), "subject": w.fresh("subject")})
			return path + "/" + a.body["id"].(string), nil
		}},
		{route: "GET /v1/environment/issuers", may: secure, on: get("/v1/environment/issuers")},
		{route: "POST /v1/environment/issuers", may: secure, on: func(w *world) (string, any) {
			id := w.fresh("issuer")
			return "/v1/environment/issuers", obj{"id": id, "url": "https://" + id + ".example", "audiences": []string{"shop"}, "purpose": "users"}
		}},
		{route: "GET /v1/environment/issuers/{issuer}", may: secure, made: true, on: func(w *world) (string, any) {
			w.login()
			return "/v1/environment/issuers/login", nil
		}},
		{route: "PATCH /v1/environment/issuers/{issuer}", may: secure, made: true, on: func(w *world) (string, any) {
			w.login()
			return "/v1/environment/issuers/login", obj{"name": w.fresh("Login")}
		}},
		{route: "DELETE /v1/environment/issuers/{issuer}", may: secure, made: true, on: func(w *world) (string, any) {
			w.login()
			return "/v1/environment/issuers/login", nil
		}},
		{route: "GET /v1/environment/operators", may: secure, on: get("/v1/environment/operators")},
		{route: "POST /v1/environment/operators", may: secure, on: func(w *world) (string, any) {
			return "/v1/environment/operators", obj{"email": w.fresh("mara") + "@vendor.example", "roles": []string{"admin"}}
		}},
		{route: "GET /v1/environment/operators/{operator}", may: secure, made: true, on: func(w *world) (string, any) {
			return "/v1/environment/operators/" + w.newOperator("admin"), nil
		}},
		{route: "PATCH /v1/environment/operators/{operator}", may: secure, made: true, on: func(w *world) (string, any) {
			return "/v1/environment/operators/" + w.newOperator("admin"), obj{"roles": []string{"backoffice_viewer"}}
		}},
		{route: "DELETE /v1/environment/operators/{operator}", may: secure, made: true, on: func(w *world) (string, any) {
			return "/v1/environment/operators/" + w.newOperator("admin"), nil
		}},
	}
}

const (
	loginAddress = "https://login.example"
	staffAddress = "https://staff.example"
)

// login sees that prod trusts an issuer for users, and returns its address.
func (w *world) login() string {
	w.t.Helper()
	a := w.op.do("POST", "/v1/environment/issuers", obj{"id": "login", "url": loginAddress, "audiences": []string{"shop"}, "purpose": "users"})
	if a.status != 201 && a.code() != "issuer_exists" {
		w.t.Fatalf("an issuer: %d %s", a.status, a.raw)
	}
	return loginAddress
}

// newOperator makes a person an operator of prod, and returns the id.
func (w *world) newOperator(roles ...string) string {
	w.t.Helper()
	id := w.fresh("operator")
	w.op.must("POST", "/v1/environment/operators", obj{"id": id, "email": id + "@vendor.example", "roles": roles})
	return id
}
