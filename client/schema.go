package client

import (
	"context"
	"net/http"
)

// Removal is a definition, a relation or a type of subject that a change of the schema would take away.
type Removal struct {
	Definition string       `json:"definition"`         // of the resource
	Relation   string       `json:"relation,omitempty"` // "" is all of the definition
	Type       *SubjectType `json:"type,omitempty"`     // nil is all of the relation
}

// SubjectType is a type of subject that a relation takes.
type SubjectType struct {
	Definition string `json:"definition"`
	Relation   string `json:"relation,omitempty"` // of a set of subjects, as member in group#member
	Wildcard   bool   `json:"wildcard,omitempty"` // every object of the definition, as user:*
	Caveat     string `json:"caveat,omitempty"`
	Expiration bool   `json:"expiration,omitempty"`
}

// Orphans is a number of relationships, counted up to a limit.
type Orphans struct {
	Count int  `json:"count"`
	More  bool `json:"more"` // there are more than Count
}

// Schema returns the schema by which the deployment's SpiceDB decides.
func (c *Client) Schema(ctx context.Context) (string, error) {
	var out struct {
		Schema string `json:"schema"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/v1/schema", nil, nil, &out); err != nil {
		return "", err
	}
	return out.Schema, nil
}

// Orphans returns how many live relationships of the environment each of at most
// 100 removals from the schema would leave without a place, in their order.
func (c *Client) Orphans(ctx context.Context, removals []Removal) ([]Orphans, error) {
	in := struct {
		Removals []Removal `json:"removals"`
	}{removals}
	var out struct {
		Orphans []Orphans `json:"orphans"`
	}
	if _, err := c.call(ctx, http.MethodPost, "/v1/schema/orphans", nil, in, &out); err != nil {
		return nil, err
	}
	return out.Orphans, nil
}
