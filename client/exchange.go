package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// secretPrefix begins the secret of an environment client: tenantry_<environment>.<client>.<secret>.
const secretPrefix = "tenantry_"

// WithTokenExchange takes the token given to New for the secret of an environment
// client, and sends short-lived access tokens in its place, which it gets at
// /oauth2/token (RFC 6749, 4.4), keeps, and replaces in time. They are for the
// scopes named, check, read, write or admin, and for all that the client has if there are none.
//
// A secret that the server does not know makes every call fail with a *Problem whose Code is invalid_client.
func WithTokenExchange(scopes ...string) Option {
	return func(c *Client) { c.tokens = &exchange{scopes: scopes, turn: make(chan struct{}, 1)} }
}

// exchange gets access tokens for a secret, and keeps the last one.
type exchange struct {
	scopes []string
	cfg    clientcredentials.Config
	turn   chan struct{} // holds one while somebody looks at token
	token  *oauth2.Token
}

// prepare completes the exchange for a server and a secret.
func (e *exchange) prepare(base, secret string) error {
	name, found := strings.CutPrefix(secret, secretPrefix)
	last := strings.LastIndex(name, ".")
	if !found || last < 0 || strings.Count(name, ".") != 2 || strings.HasPrefix(name, "api_") {
		return errors.New("tenantry: only the secret of an environment client can be exchanged: tenantry_<environment>.<client>.<secret>")
	}
	e.cfg = clientcredentials.Config{
		ClientID: name[:last], ClientSecret: secret, TokenURL: base + "/oauth2/token", Scopes: e.scopes, AuthStyle: oauth2.AuthStyleInHeader,
	}
	return nil
}

// bearer returns a token that is good for a while, and whether it was got just now.
func (e *exchange) bearer(ctx context.Context, h *http.Client) (token string, fresh bool, err error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("tenantry: %w", ctx.Err())
	}
	if e.token.Valid() {
		return e.token.AccessToken, false, nil
	}
	got, err := e.cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, h))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return "", false, refusedToken(refused)
	}
	if err != nil {
		return "", false, fmt.Errorf("tenantry: getting an access token: %w", err)
	}
	e.token = got
	return got.AccessToken, true, nil
}

// drop forgets a token that the server does not take any more.
func (e *exchange) drop(token string) {
	e.turn <- struct{}{}
	if e.token != nil && e.token.AccessToken == token {
		e.token = nil
	}
	<-e.turn
}

func refusedToken(refused *oauth2.RetrieveError) *Problem {
	status := refused.Response.StatusCode
	if refused.ErrorCode == "" {
		return problemOf(status, refused.Body)
	}
	return &Problem{Status: status, Code: refused.ErrorCode, Title: http.StatusText(status), Detail: refused.ErrorDescription, RequestID: refused.Response.Header.Get("X-Request-Id")}
}

// send sends a request with a token: again with another one if the server does not
// take the one that was kept, which it then did nothing with. body may be nil.
func (c *Client) send(ctx context.Context, h *http.Client, method, target string, body []byte, headers map[string]string) (*http.Response, error) {
	for again := false; ; again = true {
		token, fresh := c.token, true
		if c.tokens != nil {
			var err error
			if token, fresh, err = c.tokens.bearer(ctx, c.http); err != nil {
				return nil, err
			}
		}
		resp, err := c.sendOnce(ctx, h, method, target, body, headers, token)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || fresh || again {
			return resp, err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		_ = resp.Body.Close()
		c.tokens.drop(token)
	}
}

func (c *Client) sendOnce(ctx context.Context, h *http.Client, method, target string, body []byte, headers map[string]string, token string) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return nil, fmt.Errorf("tenantry: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for name, value := range headers {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := h.Do(req)
	if err != nil {
		return nil, fmt.Errorf("tenantry: %w", err)
	}
	return resp, nil
}
