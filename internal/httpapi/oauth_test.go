package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/fault"
)

// till issues tokens to the one client prod.shop, whose secret is "s3cret&+ %", and
// fails with err if that is set. Its tokens say what they are for.
type till struct{ err error }

const tillSecret = "s3cret&+ %"

func (t till) Client(_ context.Context, id, secret string) (account.EnvironmentID, account.Client, account.SecretID, error) {
	if t.err != nil {
		return "", account.Client{}, "", t.err
	}
	if id != "prod.shop" || secret != tillSecret {
		return "", account.Client{}, "", fault.New(fault.Unauthenticated, "unauthenticated", "the client \"is\" unknown – or not")
	}
	return "prod", account.Client{ID: "shop", Scopes: "check read"}, "sec_1", nil
}

func (till) ClientToken(_ context.Context, env account.EnvironmentID, client account.ClientID, secret account.SecretID, scopes account.Scopes) (string, time.Duration, error) {
	return strings.Join([]string{string(env), string(client), string(secret), string(scopes)}, "|"), 15 * time.Minute, nil
}

func (t till) Published(context.Context) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}, t.err
}

func (till) Changes() uint64 { return 0 }

func (till) Keep(context.Context, account.EnvironmentID) error { return nil }

func newTill(t *testing.T, err error) *api {
	t.Helper()
	a := till{err}
	return serve(t, Deps{Directory: newDirectory(t, broken{}, granting{}), OAuth: OAuth{Issuer: "https://tenantry.example", Clients: a, Tokens: a, Keys: a}}, Config{})
}

// token asks for a token, with a header if it is not "".
func (a *api) token(form, authorization string, headers ...string) answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodPost, tokenPath, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return a.send(r)
}

func basicOf(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

const grantForm = "grant_type=client_credentials"

func TestC1_TokensForClients(t *testing.T) {
	a := newTill(t, nil)
	good := basicOf("prod.shop", tillSecret)
	posted := "&client_id=prod.shop&client_secret=" + url.QueryEscape(tillSecret)
	for name, tt := range map[string]struct{ form, authorization, scope string }{
		"in the header":               {grantForm, good, "check read"},
		"in the body":                 {grantForm + posted, "", "check read"},
		"scheme in lower case":        {grantForm, strings.Replace(good, "Basic", "basic", 1), "check read"},
		"one scope":                   {grantForm + "&scope=read", good, "read"},
		"scopes in another order":     {grantForm + "&scope=read+check", good, "check read"},
		"client_id in both":           {grantForm + "&client_id=prod.shop", good, "check read"},
		"empty parameters":            {grantForm + "&scope=&client_secret=&client_id=", good, "check read"},
		"parameters nobody knows":     {grantForm + "&audience=me&resource=", good, "check read"},
		"percent where it needs none": {"grant%5Ftype=client%5Fcredentials", good, "check read"},
	} {
		got := a.token(tt.form, tt.authorization).ok(http.StatusOK)
		want := map[string]any{"access_token": "prod|shop|sec_1|" + tt.scope, "token_type": "Bearer", "expires_in": float64(900), "scope": tt.scope}
		if diff := cmp.Diff(want, got.body); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", name, got.header)
		}
	}
}

func TestC1_RequestsForTokensThatAreRefused(t *testing.T) {
	a := newTill(t, nil)
	good := basicOf("prod.shop", tillSecret)
	posted := "&client_id=prod.shop&client_secret=" + url.QueryEscape(tillSecret)
	plain := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, tt := range map[string]struct {
		form, authorization string
		status              int
		code                string
	}{
		"nothing":                      {"", "", 400, "invalid_request"},
		"no grant":                     {"scope=read", good, 400, "invalid_request"},
		"an empty grant":               {"grant_type=", good, 400, "invalid_request"},
		"another grant":                {"grant_type=password", good, 400, "unsupported_grant_type"},
		"grant in other letters":       {"grant_type=CLIENT_CREDENTIALS", good, 400, "unsupported_grant_type"},
		"no client":                    {grantForm, "", 401, "invalid_client"},
		"client_id alone":              {grantForm + "&client_id=prod.shop", "", 401, "invalid_client"},
		"client_secret alone":          {grantForm + "&client_secret=x", "", 401, "invalid_client"},
		"wrong secret":                 {grantForm, basicOf("prod.shop", "wrong"), 401, "invalid_client"},
		"wrong secret in the body":     {grantForm + "&client_id=prod.shop&client_secret=wrong", "", 401, "invalid_client"},
		"wrong client":                 {grantForm, basicOf("prod.bare", tillSecret), 401, "invalid_client"},
		"secret not form-encoded":      {grantForm, plain("prod.shop:" + tillSecret), 401, "invalid_client"},
		"no colon":                     {grantForm, plain("prod.shop"), 401, "invalid_client"},
		"not base64":                   {grantForm, "Basic %%%", 401, "invalid_client"},
		"bearer":                       {grantForm, "Bearer good", 401, "invalid_client"},
		"empty header":                 {grantForm, "Basic ", 401, "invalid_client"},
		"not UTF-8":                    {grantForm, plain("prod.shop:%ff"), 401, "invalid_client"},
		"in the header and the body":   {grantForm + posted, good, 400, "invalid_request"},
		"another client_id":            {grantForm + "&client_id=prod.bare", good, 400, "invalid_request"},
		"scope twice":                  {grantForm + "&scope=read&scope=check", good, 400, "invalid_request"},
		"grant twice":                  {grantForm + "&" + grantForm, good, 400, "invalid_request"},
		"empty and not":                {grantForm + "&scope=&scope=read", good, 400, "invalid_request"},
		"unknown scope":                {grantForm + "&scope=everything", good, 400, "invalid_scope"},
		"a scope it does not have":     {grantForm + "&scope=read+write", good, 400, "invalid_scope"},
		"every scope":                  {grantForm + "&scope=admin+check+read+write", good, 400, "invalid_scope"},
		"scopes with a gap":            {grantForm + "&scope=read++check", good, 400, "invalid_scope"},
		"scope with a tab":             {grantForm + "&scope=read%09check", good, 400, "invalid_scope"},
		"broken percent":               {grantForm + "&scope=%zz", good, 400, "invalid_request"},
		"semicolons":                   {grantForm + ";scope=read", good, 400, "invalid_request"},
		"NUL":                          {grantForm + "&scope=%00", good, 400, "invalid_request"},
		"a value that is not UTF-8":    {grantForm + "&scope=%ff", good, 400, "invalid_request"},
		"much":                         {grantForm + "&x=" + strings.Repeat("x", maxForm), good, 413, "invalid_request"},
		"JSON, whatever the type says": {`{"grant_type":"client_credentials"}`, good, 400, "invalid_request"},
	} {
		a.token(tt.form, tt.authorization).deny(name, tt.status, tt.code)
	}
	a.token(grantForm, good, "Authorization", good).deny("two headers", 400, "invalid_request")
	for _, media := range []string{"application/json", "", "application/x-www-form-urlencoded; charset", "multipart/form-data; boundary=x"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenPath, strings.NewReader(grantForm))
		r.Header.Set("Authorization", good)
		r.Header.Set("Content-Type", media)
		a.send(r).deny("as "+media, 400, "invalid_request")
	}
	for _, query := range []string{"?" + grantForm, "?"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenPath+query, strings.NewReader(grantForm))
		r.Header.Set("Authorization", good)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a.send(r).deny("in the address: "+query, 400, "invalid_request")
	}
	if log := a.log.String(); strings.Contains(log, tillSecret) || strings.Contains(log, url.QueryEscape(tillSecret)) || strings.Contains(log, good[6:]) {
		t.Error("the log shows the secret")
	}
	newTill(t, fault.New(fault.Unavailable, "database_unavailable", "away")).token(grantForm, good).deny("away", 503, "temporarily_unavailable")
	newTill(t, errors.New("broken in "+tillSecret)).token(grantForm, good).deny("broken", 500, "server_error")
}

// deny requires an error as RFC 6749, 5.2, has it.
func (a answer) deny(name string, status int, code string) {
	a.t.Helper()
	description, _ := a.body["error_description"].(string)
	if a.status != status || a.body["error"] != code || description == "" || len(a.body) != 2 {
		a.t.Errorf("%s: %d, want %d %s: %s", name, a.status, status, code, a.text)
	}
	if strings.ContainsFunc(description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) || strings.Contains(description, tillSecret) {
		a.t.Errorf("%s: the description is %q", name, description)
	}
	if challenge := a.header.Get("WWW-Authenticate"); (challenge == `Basic realm="tenantry"`) != (status == 401) {
		a.t.Errorf("%s: WWW-Authenticate: %s", name, challenge)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
		a.t.Errorf("%s: %v", name, a.header)
	}
}

// TestMetadataIsOfTheConfiguredAddress: whatever Host a request has.
func TestMetadataIsOfTheConfiguredAddress(t *testing.T) {
	a := newTill(t, nil)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, metadataPath, nil)
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("Forwarded", "host=evil.example")
	got := a.send(r).ok(http.StatusOK).same(`{
		"issuer": "https://tenantry.example", "token_endpoint": "https://tenantry.example/oauth2/token", "jwks_uri": "https://tenantry.example/.well-known/jwks.json",
		"grant_types_supported": "?", "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
		"scopes_supported": ["admin", "check", "read", "write"], "response_types_supported": []}`)
	if grants, _ := got.body["grant_types_supported"].([]any); !slices.Contains(grants, any("client_credentials")) {
		t.Errorf("grants: %v", grants)
	}
	if got.header.Get("Cache-Control") != "public, max-age=300" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", got.header)
	}
}

func TestKeySet(t *testing.T) {
	got := newTill(t, nil).do(http.MethodGet, keysPath, "", "Authorization", "-").ok(http.StatusOK).same(`{"keys": []}`)
	if got.header.Get("Cache-Control") != "public, max-age=300" || got.header.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("%v", got.header)
	}
	away := newTill(t, fault.New(fault.Unavailable, "database_unavailable", "away")).do(http.MethodGet, keysPath, "").refused(503, "database_unavailable", "")
	if away.header.Get("Cache-Control") != "no-store" {
		t.Error("a failure may be kept")
	}
}

// FuzzTokenRequest: whatever is sent is answered as RFC 6749 has it, and nothing but the secret opens.
func FuzzTokenRequest(f *testing.F) {
	good := basicOf("prod.shop", tillSecret)
	f.Add(grantForm, good)
	f.Add(grantForm+"&client_id=prod.shop&client_secret="+url.QueryEscape(tillSecret), "")
	f.Add("grant_type=%", "Basic Og==")
	f.Add("a;b=c&&=&=x", "Basic ====")
	f.Add(grantForm+"&scope=\xff", "basic  "+good)
	f.Add(strings.Repeat("a&", 5000), "Bearer x")
	handler := New(Deps{Directory: newDirectory(f, broken{}, granting{}), OAuth: OAuth{Issuer: "https://tenantry.example", Clients: till{}, Tokens: till{}, Keys: till{}}}, Config{})
	f.Fuzz(func(t *testing.T, form, authorization string) {
		got := (&api{t: t, handler: handler}).token(form, authorization)
		var body struct {
			Token       string `json:"access_token"`
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal([]byte(got.text), &body); err != nil {
			t.Fatalf("%q: %v", got.text, err)
		}
		known := []string{"invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"}
		switch {
		case got.status == http.StatusOK && body.Token != "" && showsSecret(form, authorization):
		case slices.Contains([]int{400, 401, 413}, got.status) && slices.Contains(known, body.Error) && body.Description != "" && body.Token == "":
		default:
			t.Errorf("%q, %q: %d %s", form, authorization, got.status, got.text)
		}
	})
}

// showsSecret reports whether a request shows the secret of prod.shop, read in another way than the code under test does.
func showsSecret(form, authorization string) bool {
	r := &http.Request{Header: http.Header{"Authorization": {authorization}}}
	if id, secret, ok := r.BasicAuth(); ok {
		id, badID := url.QueryUnescape(id)
		secret, badSecret := url.QueryUnescape(secret)
		return badID == nil && badSecret == nil && id == "prod.shop" && secret == tillSecret
	}
	values, err := url.ParseQuery(form)
	return err == nil && values.Get("client_id") == "prod.shop" && values.Get("client_secret") == tillSecret
}
