package client

import (
	"context"
	"net/http"
	"net/url"
)

// Move is what came of moving an account, or would come of it.
type Move struct {
	Moved   bool   `json:"moved"`   // false for a dry run, and if it was there already
	Applied bool   `json:"applied"` // in force; otherwise durable, and in force later
	Impact  Impact `json:"impact"`
}

// Impact is what a move does to who can open the accounts of the moved branch.
type Impact struct {
	Gains Shift `json:"gains"`
	Loses Shift `json:"loses"`
}

// Shift is how many users gain, or lose, access to how many accounts.
type Shift struct {
	Users    int `json:"users"`
	Accounts int `json:"accounts"`
	Pairs    int `json:"pairs"` // of a user and an account
}

// MoveAccount puts an account with its branch below a parent, or makes it a root
// account if parent is "". A dry run says what would come of it and moves nothing.
func (c *Client) MoveAccount(ctx context.Context, account, parent string, dryRun bool) (Move, error) {
	in := struct {
		Parent *string `json:"parent"`
		DryRun bool    `json:"dry_run"`
	}{DryRun: dryRun}
	if parent != "" {
		in.Parent = &parent
	}
	var out Move
	if _, err := c.call(ctx, http.MethodPost, "/v1/accounts/"+url.PathEscape(account)+"/move", nil, in, &out); err != nil {
		return Move{}, err
	}
	return out, nil
}
