package client

import (
	"context"
	"fmt"
	"net/http"
)

// MaxBulk is the most questions that CheckBulk may ask at once.
const MaxBulk = 500

// Question asks whether a subject holds a permission on a resource.
type Question struct {
	Subject    string `json:"subject"`    // type:id, such as "user:ada"
	Permission string `json:"permission"` // a key of the catalogue, or a permission's name in the schema
	Resource   string `json:"resource"`   // type:id, such as "account:globex"
}

// Answer is the answer to one question of many.
type Answer struct {
	Allowed     bool     // false unless the server said that it is so
	Conditional bool     // a condition could not be decided; Allowed is false
	Problem     *Problem // why the question could not be asked, or nil; Allowed is false
}

// Check reports whether the subject holds the permission on the resource. With
// an error the answer is false.
func (c *Client) Check(ctx context.Context, subject, permission, resource string) (bool, error) {
	var out struct {
		Allowed bool `json:"allowed"`
	}
	if _, err := c.call(ctx, http.MethodPost, "/v1/check", nil, Question{subject, permission, resource}, &out); err != nil {
		return false, err
	}
	return out.Allowed, nil
}

// CheckBulk answers up to MaxBulk questions, in their order and all of one
// moment. A question that cannot be asked has a Problem; the others are answered.
func (c *Client) CheckBulk(ctx context.Context, questions []Question) ([]Answer, error) {
	var out struct {
		Items []struct {
			Allowed     bool     `json:"allowed"`
			Conditional bool     `json:"conditional"`
			Error       *Problem `json:"error"`
		} `json:"items"`
	}
	in := struct {
		Items []Question `json:"items"`
	}{append([]Question{}, questions...)}
	if _, err := c.call(ctx, http.MethodPost, "/v1/check/bulk", nil, in, &out); err != nil {
		return nil, err
	}
	if len(out.Items) != len(questions) {
		return nil, fmt.Errorf("tenantry: %d of %d questions were answered", len(out.Items), len(questions))
	}
	answers := make([]Answer, len(out.Items))
	for i, item := range out.Items {
		answers[i] = Answer{Allowed: item.Allowed && item.Error == nil, Conditional: item.Conditional, Problem: item.Error}
	}
	return answers, nil
}
