package app_test

// accessRows are the requests about where access comes from, and what moves it.
func accessRows() []row {
	question := obj{"subject": "user:owner", "permission": readSubAccounts, "resource": "account:globex-eu"}
	return []row{
		{route: "POST /v1/explain", may: see + "owner", on: send("/v1/explain", question)},
		{route: "GET /v1/accounts/{account}/access", may: see + aboveEU, on: get("/v1/accounts/globex/access")},
		{route: "GET /v1/accounts/{account}/access", may: see + atEU, on: get("/v1/accounts/globex-eu/access?q=o&type=user")},
		{route: "GET /v1/accounts/{account}/members", may: see + atEU, on: get("/v1/accounts/globex-eu/members?role=admin")},
		{route: "POST /v1/accounts/{account}/move", may: edit + aboveEU, on: send("/v1/accounts/globex-eu-fr/move", obj{"parent": "globex", "dry_run": true})},
		{route: "POST /v1/accounts/{account}/move", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("globex-eu") + "/move", obj{"parent": nil}
		}},
		{route: "POST /v1/accounts/{account}/move", may: edit, made: true, on: func(w *world) (string, any) {
			return "/v1/accounts/" + w.newAccount("") + "/move", obj{"parent": "globex-eu"}
		}},
	}
}
