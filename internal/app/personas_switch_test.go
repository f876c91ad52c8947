package app_test

import "strings"

// switchRows are the requests for tokens for one account (W2).
func switchRows() []row {
	const opens = "owner euadmin clerk " // may open globex-eu
	elsewhere := map[string]string{"viewer": "permission_denied", "outsider": "permission_denied"}
	nowhere := map[string]string{}
	for user := range strings.FieldsSeq(users + "impersonating") {
		nowhere[user] = "permission_denied"
	}
	everybody := map[string]string{}
	for name := range strings.FieldsSeq(everyPerson) {
		everybody[name] = "invalid_request" // a form is needed; who is calling stands in it
	}
	return []row{
		{route: "POST /v1/me/switch", may: opens, otherwise: "not_a_user", but: elsewhere, on: send("/v1/me/switch", obj{"account": "globex-eu"})},
		{route: "POST /v1/me/switch", otherwise: "not_a_user", but: nowhere, on: send("/v1/me/switch", obj{"account": "no-such"})},
		{route: "POST /oauth2/token", but: everybody, on: send("/oauth2/token", obj{"grant_type": "client_credentials"})},
	}
}

// opened is the caller with a token for one account, got with another credential.
func (w *world) opened(with caller, id string) caller {
	w.t.Helper()
	a := with.must("POST", "/v1/me/switch", obj{"account": id})
	return caller{s: w.service, token: a.body["token"].(string)}
}
