package httpapi

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// maxForm is the most bytes of a request for a token: it may hold the token of a
// provider, of oidc.MaxToken bytes.
const maxForm = 24 << 10

// readForm reads the parameters of a request for a token. Those that are empty
// count as absent (RFC 6749, 3.2). A refusal (invalid_request) for what is no form,
// for a parameter that is there twice, and for any in the address, where it would be logged on the way.
func (s *server) readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, refuse("invalid_request", "the parameters go into the body, not into the address")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", "the body is to be application/x-www-form-urlencoded")
	}
	text, err := s.readAll(w, r, maxForm)
	if err != nil {
		return nil, notWhole(err)
	}
	return parseForm(string(text))
}

// notWhole is the refusal of a body that did not come whole.
func notWhole(err error) error {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		return err
	}
	e := refuse("invalid_request", "%s", f.Text)
	if status := statusOf(f); status != http.StatusUnprocessableEntity {
		e.status = status
	}
	return e
}

// parseForm reads the parameters of a form strictly.
func parseForm(text string) (url.Values, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, refuse("invalid_request", "the body is not a form as application/x-www-form-urlencoded has it")
	}
	for name, values := range form {
		switch {
		case len(values) > 1:
			return nil, refuse("invalid_request", "the parameter %s is there %d times", account.Quote(name), len(values))
		case !utf8.ValidString(name) || !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0):
			return nil, refuse("invalid_request", "a parameter is not text in UTF-8")
		case values[0] == "":
			delete(form, name)
		}
	}
	return form, nil
}

// oauthClient returns the client that sends a request for a token. It shows its
// secret in the header, or in the form, and not in both (RFC 6749, 2.3).
func (s *server) oauthClient(r *http.Request, form url.Values) (oauthClient, error) {
	id, secret, err := clientSecret(r.Header.Values("Authorization"), form)
	if err != nil {
		return oauthClient{}, err
	}
	env, client, used, err := s.oauth.Clients.Client(r.Context(), id, secret)
	if errors.Is(err, fault.Unauthenticated) {
		return oauthClient{}, refuse("invalid_client", "%s", fault.From(err).Text)
	}
	if err != nil {
		return oauthClient{}, err
	}
	return oauthClient{Environment: env, Client: client, Secret: used, From: infoFrom(r.Context()).from}, nil
}

// clientSecret returns what a client shows: its client_id and its client_secret.
func clientSecret(authorization []string, form url.Values) (id, secret string, err error) {
	switch {
	case len(authorization) > 1:
		return "", "", refuse("invalid_request", "there are %d Authorization headers", len(authorization))
	case len(authorization) == 1 && form.Has("client_secret"):
		return "", "", refuse("invalid_request", "the client shows its secret twice, in the header and in the body")
	case len(authorization) == 1:
		id, secret, ok := basic(authorization[0])
		if !ok {
			return "", "", refuse("invalid_client", "Authorization is Basic, with client_id and client_secret, both form-encoded")
		}
		if form.Has("client_id") && form.Get("client_id") != id {
			return "", "", refuse("invalid_request", "client_id is another in the body than in the header")
		}
		return id, secret, nil
	case form.Has("client_id") && form.Has("client_secret"):
		return form.Get("client_id"), form.Get("client_secret"), nil
	default:
		return "", "", refuse("invalid_client", "the client says who it is with client_id and client_secret, in Authorization: Basic or in the body")
	}
}

// basic reads the header that shows a client's secret. Both parts are form-encoded (RFC 6749, 2.3.1).
func basic(header string) (id, secret string, ok bool) {
	scheme, code, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	text, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(code, " "))
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(text), ":")
	id, badID := url.QueryUnescape(id)
	secret, badSecret := url.QueryUnescape(secret)
	return id, secret, ok && badID == nil && badSecret == nil && utf8.ValidString(id) && utf8.ValidString(secret)
}
