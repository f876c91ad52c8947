package app_test

// invitationRows are the requests about invitations.
func invitationRows() []row {
	there := func(rest string, body any) func(*world) (string, any) {
		return func(w *world) (string, any) {
			path, _ := w.invite("globex-eu", offer(w.fresh("guest")+"@new.example"))
			return path + rest, body
		}
	}
	open := func(route string) func(*world) (string, any) {
		return func(w *world) (string, any) {
			_, token := w.invite("globex-eu", offer(w.fresh("guest")+"@new.example"))
			return "/v1/invitations/" + route, obj{"token": token}
		}
	}
	to := func(id string, body func(obj) obj) func(*world) (string, any) {
		return func(w *world) (string, any) {
			return invitations(id), body(offer(w.fresh("guest") + "@new.example"))
		}
	}
	mail := func(body obj) obj { return body }
	const one = "/v1/accounts/{account}/invitations/{invitation}"
	return []row{
		{route: "POST /v1/accounts/{account}/invitations", may: edit + atEU, but: outlives, on: to("globex-eu", mail)},
		{route: "POST /v1/accounts/{account}/invitations", may: edit + aboveEU, but: outlives, on: to("globex", mail)},
		{route: "POST /v1/accounts/{account}/invitations", may: edit, but: outlives, on: to("globex-eu", byHand)},
		{route: "GET /v1/accounts/{account}/invitations", may: see + atEU, on: get(invitations("globex-eu"))},
		{route: "GET /v1/accounts/{account}/invitations", may: see + aboveEU, on: get(invitations("globex"))},
		{route: "GET " + one, may: see + atEU, made: true, on: there("", nil)},
		{route: "DELETE " + one, may: edit + atEU, made: true, on: there("", nil)},
		{route: "POST " + one + "/resend", may: edit + atEU, made: true, but: outlives, on: there("/resend", obj{})},
		{route: "POST " + one + "/resend", may: edit, made: true, but: outlives, on: there("/resend", obj{"delivery": "link"})},
		{route: "GET /v1/invitations", may: see, on: get("/v1/invitations")},
		{route: "POST /v1/invitations/accept", may: "**", on: open("accept")},
		{route: "POST /v1/invitations/preview", may: "**", on: open("preview")},
	}
}
