package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Account is an account that a user may open.
type Account struct {
	ID                   string    `json:"id"`
	Name                 string    `json:"name"`
	Parent               string    `json:"parent"` // "" for a root account
	Depth                int       `json:"depth"`  // the number of accounts above
	Path                 []Place   `json:"path"`   // the accounts above, the root first
	CreatedAt            time.Time `json:"created_at"`
	SubAccountManagement bool      `json:"sub_account_management"` // may have sub-accounts
	Sources              []Source  `json:"sources"`                // why the user may open it, the nearest first
}

// Place is an account on the way from the root.
type Place struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Source is one reason why a user may open an account.
type Source struct {
	Account string   `json:"account"` // where the membership is
	Via     string   `json:"via"`     // direct, grant, kept or always_on
	Roles   []string `json:"roles"`
}

// AccountsOptions selects and orders accounts; the zero value is all of them, in tree order.
type AccountsOptions struct {
	Query      string // part of the name or id, whatever the case
	Under      string // this account and those below it
	Permission string // only where the user holds it
	Sort       string // tree, name or date (newest first)
	Limit      int    // of a page, 1 to 1000; 50 if 0
	Cursor     string // NextCursor of the page before
}

// Page is a part of the accounts that a user may open.
type Page struct {
	Accounts         []Account `json:"accounts"`
	Total            int       `json:"total"`       // on all pages
	NextCursor       string    `json:"next_cursor"` // "" on the last page
	ConsistencyToken string    `json:"-"`           // what the page has seen
}

// Accounts returns a page of the accounts that a user may open, with the total:
// the account switcher. Opening one is a check of its own: see Switch.
func (c *Client) Accounts(ctx context.Context, user string, opts AccountsOptions) (Page, error) {
	var page Page
	token, err := c.call(ctx, http.MethodGet, "/v1/users/"+url.PathEscape(user)+"/accounts", opts.query(), nil, &page)
	if err != nil {
		return Page{}, err
	}
	page.ConsistencyToken = token
	return page, nil
}

func (o AccountsOptions) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"q": o.Query, "under": o.Under, "permission": o.Permission, "sort": o.Sort, "cursor": o.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if o.Limit != 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	return query
}

// AccountIDs returns the ids of all accounts that the user may open, by as many requests
// as it takes; opts.Limit is that of one page, 100,000 if 0. For an application that selects its own things by account.
func (c *Client) AccountIDs(ctx context.Context, user string, opts AccountsOptions) ([]string, error) {
	var all []string
	from := c
	for {
		var page struct {
			IDs        []string `json:"ids"`
			NextCursor string   `json:"next_cursor"`
		}
		token, err := from.call(ctx, http.MethodGet, "/v1/users/"+url.PathEscape(user)+"/accounts/ids", opts.query(), nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page.IDs...)
		if page.NextCursor == "" {
			return all, nil
		}
		opts.Cursor = page.NextCursor
		if token != "" { // no page is of an older moment than the one before
			from = c.WithConsistencyToken(token)
		}
	}
}

// AllAccounts goes through all pages of Accounts, from opts.Cursor on; no page
// is of an older moment than the one before. After an error there is nothing more.
func (c *Client) AllAccounts(ctx context.Context, user string, opts AccountsOptions) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		from := c
		for opts := opts; ; {
			page, err := from.Accounts(ctx, user, opts)
			if err != nil {
				yield(Account{}, err)
				return
			}
			for _, a := range page.Accounts {
				if !yield(a, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			opts.Cursor = page.NextCursor
			if page.ConsistencyToken != "" {
				from = c.WithConsistencyToken(page.ConsistencyToken)
			}
		}
	}
}
