package client

import (
	"context"
	"encoding/json"
	"iter"
)

// AccountsChange is what changed in the list of the accounts that a user may open. If it says
// Reload, nothing else: then the list has to be loaded anew.
type AccountsChange struct {
	Gained  []Account `json:"gained"`
	Lost    []string  `json:"lost"`
	Renamed []Account `json:"renamed"` // as they are now, as are all
	Moved   []Account `json:"moved"`   // to another parent; what is below them comes with them
	Reload  bool      `json:"-"`

	ConsistencyToken string `json:"consistency_token"` // a list that is asked for with it has what changed
}

// FollowAccounts returns what changes in the list of the accounts that the user whom the client acts for, or
// the client's own API token, may open: for a page that shows it. The first change is a Reload, which is when to load the
// list; see [Client.WithConsistencyToken]. It connects again whenever it is cut off, until ctx ends, the
// server refuses, as it does once the user is blocked, or the loop does; after an error there is nothing more.
func (c *Client) FollowAccounts(ctx context.Context) iter.Seq2[AccountsChange, error] {
	return func(yield func(AccountsChange, error) bool) {
		begun := false
		err := c.follow(ctx, "/v1/me/accounts/stream", nil, -1, func(e streamEvent) error {
			var change AccountsChange
			if err := json.Unmarshal(e.data, &change); err != nil {
				return notOurs(err)
			}
			switch e.name {
			case "open":
				change.Reload = !begun // later on the server says whether that is needed
				begun = true
			case "reload":
				change.Reload = true
			}
			if (change.Reload || e.name == "changed") && !yield(change, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil {
			yield(AccountsChange{}, err)
		}
	}
}
