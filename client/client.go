// Package client asks a Tenantry server what a user may do and which accounts a user may open.
//
// A Client is made once and used by everything in a program; it is safe for
// concurrent use. Its methods return a *Problem when the server refuses, and
// treat every doubt as a refusal: Check answers true only when the server said so.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout bounds each request unless WithHTTPClient says otherwise.
const DefaultTimeout = 30 * time.Second

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 64 << 20

// Client calls one server with one token.
type Client struct {
	base   string
	token  string
	tokens *exchange // nil if the token is sent as it is
	http   *http.Client
	actFor string
	fresh  string
}

// Option adjusts a Client.
type Option func(*Client)

// WithHTTPClient sends requests through h, with its timeout and transport.
// Redirects are not followed whatever h says, so that the token goes nowhere else.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) { c.http = h }
}

// New returns a client of the server at baseURL, for example
// "https://tenantry.internal:8080", that calls with the token of an environment
// client. It makes no request. An error if the URL is not http or https, or the
// token is empty or could not be sent as a header.
func New(baseURL, token string, opts ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("tenantry: the server's address is written like https://tenantry.example:8080")
	}
	if token == "" {
		return nil, errors.New("tenantry: the token is empty; on the command line, give --token or TENANTRY_TOKEN")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("tenantry: the token has characters that no token has, such as spaces or line ends")
	}
	c := &Client{base: strings.TrimRight(u.String(), "/"), token: token, http: &http.Client{Timeout: DefaultTimeout}}
	for _, opt := range opts {
		opt(c)
	}
	if c.tokens != nil {
		if err := c.tokens.prepare(c.base, token); err != nil {
			return nil, err
		}
	}
	h := *c.http
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &h
	return c, nil
}

// ActingFor returns a client that calls in the name of a user: the user's rights
// decide instead of the token's. The token must belong to a client that may act for users.
//
// The user must not be empty; the server refuses such a call, rather than take it for the client's own.
func (c *Client) ActingFor(user string) *Client {
	acting := *c
	acting.actFor = user
	if user == "" {
		acting.actFor = " " // is sent, and refused
	}
	return &acting
}

// WithConsistencyToken returns a client whose questions see at least what the
// token names: the answer's Consistency-Token of a write, or of an earlier question.
func (c *Client) WithConsistencyToken(token string) *Client {
	fresh := *c
	fresh.fresh = token
	return &fresh
}

// Problem is a refusal by the server (RFC 9457).
type Problem struct {
	Status    int    `json:"status"`     // the HTTP status
	Code      string `json:"code"`       // stable; what programs act on
	Title     string `json:"title"`      // the status in words
	Detail    string `json:"detail"`     // for people
	Field     string `json:"field"`      // the field at fault, or ""
	RequestID string `json:"request_id"` // finds the request in the server's log
}

// Error returns the detail with the code.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Code == "" {
		return fmt.Sprintf("tenantry: %s (status %d)", text, p.Status)
	}
	return fmt.Sprintf("tenantry: %s (%s)", text, p.Code)
}

// Temporary reports whether the same request may succeed later.
func (p *Problem) Temporary() bool {
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// call sends a request and decodes its answer into out. It returns the answer's consistency token.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) (string, error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	headers := map[string]string{"Accept": "application/json", "Act-For-User": c.actFor, "Consistency-Token": c.fresh}
	var body []byte
	if in != nil {
		headers["Content-Type"] = "application/json"
		var err error
		if body, err = json.Marshal(in); err != nil {
			return "", fmt.Errorf("tenantry: %w", err)
		}
	}
	resp, err := c.send(ctx, c.http, method, target, body, headers)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return "", fmt.Errorf("tenantry: reading the answer: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", problemOf(resp.StatusCode, text)
	}
	if len(text) > maxAnswer {
		return "", fmt.Errorf("tenantry: the answer has more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return "", fmt.Errorf("tenantry: the answer is not what a Tenantry server sends: %w", err)
	}
	return resp.Header.Get("Consistency-Token"), nil
}

// problemOf reads a refusal; one that is not a problem came from something in between.
func problemOf(status int, text []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(text, p); err != nil || p.Code == "" {
		return &Problem{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf("something that is not Tenantry answered: %d %s", status, http.StatusText(status))}
	}
	p.Status = status
	return p
}
