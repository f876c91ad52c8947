package app_test

import (
	"net/url"
	"strings"
)

// tokenRows are the requests for tokens, and about the keys that sign them.
func tokenRows() []row {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
	// Bearer is not how a client shows its secret here, whoever's it is
	bearers := all("invalid_client")
	// a secret in the body, and something in the header: only who sends no header is the client
	both := all("invalid_request")
	both["no-token"] = ""
	return []row{
		{route: "POST /oauth2/token", may: "", but: bearers, on: send("/oauth2/token", form)},
		{route: "POST /oauth2/token", may: "", but: both, on: func(w *world) (string, any) {
			id, _, _ := strings.Cut(strings.TrimPrefix(w.op.token, "tenantry_prod."), ".")
			return "/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"prod." + id}, "client_secret": {w.op.token}}
		}},
		{route: "GET /.well-known/oauth-authorization-server", may: "**", on: get("/.well-known/oauth-authorization-server")},
		{route: "GET /.well-known/jwks.json", may: "**", on: get("/.well-known/jwks.json")},
		{route: "GET /v1/environment/keys", may: secure, on: get("/v1/environment/keys")},
		{route: "POST /v1/environment/keys/rotate", may: secure, on: send("/v1/environment/keys/rotate", nil)},
		{route: "POST /v1/environment/keys/rotate", may: secure, on: send("/v1/environment/keys/rotate", obj{"revoke": false})},
	}
}

// all says of every persona that it is refused with a code.
func all(code string) map[string]string {
	but := map[string]string{}
	for name := range strings.FieldsSeq(everyPerson) {
		but[name] = code
	}
	return but
}
