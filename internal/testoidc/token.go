package testoidc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Whom tokens are for that Options say nothing of.
const (
	Audience       = "shop"                // of ID tokens: the client that asks
	AccessAudience = "https://api.example" // of access tokens: the API that they open
)

// callback is where the provider sends users to who have signed in. Nobody is there: the address is read, not opened.
const callback = "https://app.example/callback"

// Options say what a token is like; the zero value is an ID token for [Audience], signed with RS256, for five minutes.
type Options struct {
	Email         string
	EmailVerified any // the claim email_verified; left out if nil
	Name          string
	Claims        map[string]any // further claims

	// Access is for a JWT access token (RFC 9068) rather than an ID token. Its
	// audience is an address then, AccessAudience unless told otherwise.
	Access   bool
	Audience string
	Alg      string        // RS256, PS256, ES256, ES384 or EdDSA
	Lifetime time.Duration // in whole seconds
}

// Token signs a user in and returns the token that the provider issues.
func (p *Provider) Token(sub string, o Options) string {
	p.t.Helper()
	token, err := p.signIn(sub, o)
	if err != nil {
		p.t.Fatalf("testoidc: %s cannot sign in: %v", sub, err)
	}
	return token
}

func (p *Provider) signIn(sub string, o Options) (string, error) {
	client, resource := cmp.Or(o.Audience, Audience), ""
	if o.Access {
		client, resource = Audience, cmp.Or(o.Audience, AccessAudience)
	}
	if err := p.prepare(sub, client, o); err != nil {
		return "", err
	}
	scopes := []string{"openid", "email", "profile"}
	params := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("login_hint", sub)}
	if o.Access {
		scopes = append(scopes, "api")
		params = append(params, oauth2.SetAuthURLParam("resource", resource))
	}
	config := oauth2.Config{
		ClientID: client, RedirectURL: callback, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.Issuer + "/auth", TokenURL: p.Issuer + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	proof := oauth2.GenerateVerifier()
	code, err := p.authorize(config.AuthCodeURL("state", append(params, oauth2.S256ChallengeOption(proof))...))
	if err != nil {
		return "", err
	}
	answer, err := config.Exchange(p.t.Context(), code, oauth2.VerifierOption(proof))
	if err != nil {
		return "", err
	}
	if o.Access {
		return answer.AccessToken, nil
	}
	token, ok := answer.Extra("id_token").(string)
	if !ok {
		return "", errors.New("there is no ID token in the answer")
	}
	return token, nil
}

// prepare tells the provider who the user is, and how to make the token.
func (p *Provider) prepare(sub, client string, o Options) error {
	claims := map[string]any{}
	maps.Copy(claims, o.Claims)
	if o.Email != "" {
		claims["email"] = o.Email
	}
	if o.EmailVerified != nil {
		claims["email_verified"] = o.EmailVerified
	}
	if o.Name != "" {
		claims["name"] = o.Name
	}
	body, err := json.Marshal(map[string]any{
		"sub": sub, "claims": claims, "client": client, "alg": cmp.Or(o.Alg, "RS256"),
		"seconds": int(cmp.Or(o.Lifetime, 5*time.Minute).Seconds()),
	})
	if err != nil {
		return err
	}
	answer, err := http.Post(p.Issuer+"/prepare", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// authorize is the user's browser: it follows the provider from one page to the
// next, and returns the code that the provider sends it back to the application with.
func (p *Provider) authorize(address string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(to *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(to.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := browser.Get(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	code := back.Query().Get("code")
	if code == "" {
		page, _ := io.ReadAll(io.LimitReader(answer.Body, 2000)) // for the message
		return "", fmt.Errorf("no code: %s %s %s", answer.Status, back, page)
	}
	return code, nil
}
