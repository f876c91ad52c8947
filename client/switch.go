package client

import (
	"context"
	"net/http"
	"time"
)

// AccountToken is a token for one account.
type AccountToken struct {
	Token     string    `json:"token"` // a secret: what is sent as the bearer token
	ExpiresAt time.Time `json:"expires_at"`
	Account   Account   `json:"account"`
}

// Switch opens an account for the user in whose name c calls (see ActingFor), and
// returns a token for that account alone. The server checks that the user may open
// it; a *Problem with the code permission_denied says that they may not, or that there is no such account.
func (c *Client) Switch(ctx context.Context, account string) (AccountToken, error) {
	in := struct {
		Account string `json:"account"`
	}{account}
	var out AccountToken
	if _, err := c.call(ctx, http.MethodPost, "/v1/me/switch", nil, in, &out); err != nil {
		return AccountToken{}, err
	}
	return out, nil
}

// WithToken returns a client of the same server that calls with another token, in
// nobody else's name: one that Switch has returned, for example. An error as of New.
func (c *Client) WithToken(token string) (*Client, error) {
	return New(c.base, token, WithHTTPClient(c.http))
}
