package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

const oauthPath = "/oauth2/token"

// maxTokenRequest is the most bytes of a token request.
const maxTokenRequest = 8 << 10

// oauthClient is an environment client that asks for a token.
type oauthClient struct {
	Environment account.EnvironmentID
	Client      account.Client
	Secret      account.SecretID // by which it was known
	From        string           // the address that it asks from
}

// grant gives a client the token that a form asks for. Its refusals are oauthErrors.
type grant func(ctx context.Context, client oauthClient, form url.Values) (tokenAnswer, error)

// tokenAnswer is the answer of the token endpoint (RFC 6749, 5.1; RFC 8693, 2.2.1).
type tokenAnswer struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	TokenType       string `json:"token_type"`
	ExpiresIn       int    `json:"expires_in"`
	Scope           string `json:"scope,omitempty"`
}

// oauthProblem is a refusal of the token endpoint (RFC 6749, 5.2).
type oauthProblem struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (p *oauthProblem) Error() string { return p.Description }

// oauthError is the refusal with a code of RFC 6749 or RFC 8693.
func oauthError(code, description string) error { return &oauthProblem{code, description} }

func (s *server) registerOAuth() {
	grants := map[string]grant{grantExchange: s.exchange}
	s.router.Post(oauthPath, func(w http.ResponseWriter, r *http.Request) {
		answer, err := s.grantToken(w, r, grants)
		status := http.StatusOK
		var body any = answer
		if err != nil {
			var p *oauthProblem
			if !errors.As(err, &p) {
				s.fail(w, r, err)
				return
			}
			body, status = p, http.StatusBadRequest
			if p.Code == "invalid_client" {
				status = http.StatusUnauthorized
				w.Header().Set("WWW-Authenticate", `Basic realm="tenantry"`)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "token", Method: http.MethodPost, Path: oauthPath, Summary: "Get a token", Tags: []string{tagOperational},
		Security: []map[string][]string{}, Responses: map[string]*huma.Response{"200": {
			Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: s.schemaOf(tokenAnswer{})}},
		}},
	})
}

// grantToken authenticates the client, and lets the grant that is asked for answer.
func (s *server) grantToken(w http.ResponseWriter, r *http.Request, grants map[string]grant) (tokenAnswer, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return tokenAnswer{}, oauthError("invalid_request", "the body is to be application/x-www-form-urlencoded")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTokenRequest))
	if err != nil {
		return tokenAnswer{}, oauthError("invalid_request", "the body is too long, or ends too early")
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return tokenAnswer{}, oauthError("invalid_request", "the body is not well-formed")
	}
	for _, values := range form {
		if len(values) > 1 {
			return tokenAnswer{}, oauthError("invalid_request", "a parameter is there twice")
		}
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	env, client, secretID, err := s.auth.Client(r.Context(), id, secret)
	if errors.Is(err, fault.Unauthenticated) {
		return tokenAnswer{}, oauthError("invalid_client", "the client is unknown, or its secret is another")
	}
	if err != nil {
		return tokenAnswer{}, err
	}
	do, known := grants[form.Get("grant_type")]
	if !known {
		return tokenAnswer{}, oauthError("unsupported_grant_type", "there is no such grant_type")
	}
	return do(r.Context(), oauthClient{Environment: env, Client: client, Secret: secretID, From: infoFrom(r.Context()).from}, form)
}
