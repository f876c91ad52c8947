package client

import (
	"context"
	"net/http"
	"time"
)

// Explanation is the answer to a Question with what it comes from.
type Explanation struct {
	Allowed bool     `json:"allowed"`
	Sources []Reason `json:"sources"` // what gives the permission, the nearest first
	Because []string `json:"because"` // why it is not allowed; codes such as "expired"
}

// Reason is one way by which a subject comes by a permission.
type Reason struct {
	Via       string     `json:"via"`     // direct, grant, kept, always_on or operator_role
	Account   string     `json:"account"` // where the membership is; "" for an operator's role
	Roles     []string   `json:"roles"`
	ExpiresAt *time.Time `json:"expires_at"` // nil is never
}

// Explain answers a question about an account as Check does, and says why.
func (c *Client) Explain(ctx context.Context, subject, permission, resource string) (Explanation, error) {
	var out Explanation
	if _, err := c.call(ctx, http.MethodPost, "/v1/explain", nil, Question{subject, permission, resource}, &out); err != nil {
		return Explanation{}, err
	}
	return out, nil
}
