package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
)

// The addresses of OAuth, below the public one.
const (
	tokenPath    = "/oauth2/token" //nolint:gosec // G101: an address is no credential
	keysPath     = "/.well-known/jwks.json"
	metadataPath = "/.well-known/oauth-authorization-server"
)

// publicFor is for how long who has read the keys or the metadata may keep them.
// A key is published for longer than that before it signs (account.KeyLead).
const publicFor = "public, max-age=300"

// keySetFor is how long the rendered key set is remembered: making it reads every key that there is. What this
// process changes is seen at once. What others change later than that is still in time, as a key that is to sign waits
// for longer; and what is revoked is not believed here, whatever is published.
const keySetFor = 5 * time.Second

func (s *server) newKeySet() *remembered[[]byte] {
	return &remembered[[]byte]{lasts: keySetFor, most: s.cfg.Timeout, find: func(ctx context.Context) ([]byte, error) {
		set, err := s.oauth.Keys.Published(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(set)
	}}
}

// serverMetadata describes this server as RFC 8414 has it.
type serverMetadata struct {
	Issuer        string               `json:"issuer" doc:"The iss of issued tokens: the public address of this deployment." example:"https://tenantry.example"`
	TokenEndpoint string               `json:"token_endpoint"`
	KeySet        string               `json:"jwks_uri"`
	Grants        []string             `json:"grant_types_supported" nullable:"false"`
	Methods       []string             `json:"token_endpoint_auth_methods_supported" nullable:"false"`
	Scopes        []account.TokenScope `json:"scopes_supported" nullable:"false"`
	ResponseTypes []string             `json:"response_types_supported" nullable:"false" doc:"Empty: nobody signs in here."`
}

// keySet is public keys as RFC 7517 has them, for the document.
type keySet struct {
	Keys []struct {
		Type      string `json:"kty" example:"OKP"`
		Curve     string `json:"crv" example:"Ed25519"`
		ID        string `json:"kid" example:"key_k3vqm2xw7c5hj4d6zt2a"`
		Algorithm string `json:"alg" example:"EdDSA"`
		Use       string `json:"use" example:"sig"`
		X         string `json:"x" doc:"The public key, in base64url."`
	} `json:"keys" nullable:"false"`
}

// tokenError is an error of the token endpoint, for the document.
type tokenError struct {
	Error       string `json:"error" doc:"invalid_request, invalid_client, invalid_grant, unauthorized_client, unsupported_grant_type, invalid_scope, invalid_target, temporarily_unavailable or server_error." example:"invalid_client"`
	Description string `json:"error_description" doc:"What is wrong, for people."`
}

func (s *server) registerOAuth() {
	s.router.Post(tokenPath, s.giveToken)
	s.router.Get(metadataPath, func(w http.ResponseWriter, r *http.Request) {
		text, err := json.Marshal(s.metadata())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.sendPublic(w, "application/json", text)
	})
	s.router.Get(keysPath, func(w http.ResponseWriter, r *http.Request) {
		text, err := s.keySet.get(r.Context(), s.oauth.Keys.Changes())
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.sendPublic(w, "application/jwk-set+json", text)
	})
	s.documentToken()
	s.document(metadataPath, "oauthMetadata", "Where tokens are had, and what for (RFC 8414).", "application/json", s.schemaOf(serverMetadata{}), false)
	s.document(keysPath, "jwks", "The public keys that verify issued tokens, of every environment (RFC 7517).", "application/jwk-set+json", s.schemaOf(keySet{}), true)
	for _, path := range []string{metadataPath, keysPath} {
		s.api.OpenAPI().Paths[path].Get.Tags = []string{tagTokens}
	}
}

// metadata describes this server. Its addresses are the configured ones: what a
// request says in Host is its sender's word.
func (s *server) metadata() serverMetadata {
	return serverMetadata{
		Issuer: s.oauth.Issuer, TokenEndpoint: s.oauth.Issuer + tokenPath, KeySet: s.oauth.Issuer + keysPath, Grants: s.grantTypes(),
		Methods: []string{"client_secret_basic", "client_secret_post"}, Scopes: account.AllScopes(), ResponseTypes: []string{},
	}
}

// sendPublic answers with what everybody may have, and keep for a while.
func (s *server) sendPublic(w http.ResponseWriter, mediaType string, text []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", publicFor)
	if _, err := w.Write(text); err != nil {
		s.log.Debug("the answer could not be sent", "error", err)
	}
}

// documentToken describes the token endpoint, which is not huma's.
func (s *server) documentToken() {
	doc := s.api.OpenAPI()
	doc.Components.SecuritySchemes["client_secret"] = &huma.SecurityScheme{
		Type: "http", Scheme: "basic", Description: "client_id, <environment>.<client>, and client_secret, the client's token tenantry_<environment>.<client>.<secret>; both form-encoded.",
	}
	failed := map[string]*huma.MediaType{"application/json": {Schema: s.schemaOf(tokenError{})}}
	answers := map[string]*huma.Response{
		"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: s.schemaOf(tokenAnswer{})}}},
	}
	for status, text := range map[string]string{
		"400": "Bad Request", "401": "Unauthorized", "408": "Request Timeout", "413": "Request Entity Too Large", "503": "Service Unavailable",
	} {
		answers[status] = &huma.Response{Description: text, Content: failed}
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "giveToken", Method: http.MethodPost, Path: tokenPath, Tags: []string{tagTokens},
		Summary: "Get an access token",
		Description: "OAuth 2.0 (RFC 6749). With grant_type client_credentials an environment client gets a token for a short while, to send instead of its secret. " +
			"The client shows its secret in Authorization: Basic or in the body. Errors are told as RFC 6749 has it, not as problems. At most 24 KiB.",
		Security:    []map[string][]string{{"client_secret": {}}, {}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: tokenForm(s.grantTypes())}}},
		Responses:   answers,
	})
}

// tokenForm is the schema of a request for a token.
func tokenForm(grants []string) *huma.Schema {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	names := make([]any, len(grants))
	for i, g := range grants {
		names[i] = g
	}
	kind := text("How the token is had.")
	kind.Enum = names
	return &huma.Schema{Type: huma.TypeObject, Required: []string{"grant_type"}, Properties: map[string]*huma.Schema{
		"grant_type":    kind,
		"scope":         text("What the token is to be used for: admin, check, read, write, separated by spaces; all that the client may if absent."),
		"client_id":     text("<environment>.<client>, unless it is in Authorization."),
		"client_secret": text("The client's token, unless it is in Authorization."),
	}}
}
