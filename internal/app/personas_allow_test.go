package app_test

// allowRows are the requests about where requests may come from. All personas come from this machine.
func allowRows() []row {
	here := obj{"ip_allow_list": []string{"127.0.0.0/8", "::1"}}
	return []row{
		{route: "PATCH /v1/environment", may: secure, on: send("/v1/environment", here)},
		{route: "PATCH /v1/environment", may: secure, on: send("/v1/environment", obj{"ip_allow_list": []string{}})},
		{route: "PATCH /v1/accounts/{account}", may: edit + aboveEU, on: send("/v1/accounts/globex", here)},
		{route: "PATCH /v1/accounts/{account}", may: edit + atEU, on: send("/v1/accounts/globex-eu", here)},
		{route: "PATCH /v1/accounts/{account}", may: edit + atEU, on: send("/v1/accounts/globex-eu", obj{"ip_allow_list": []string{}})},
		{route: "PATCH /v1/accounts/{account}", may: edit + aboveEU, on: send("/v1/accounts/globex", obj{"ip_allow_list": []string{}})},
	}
}
