// Package web asks over HTTP with JSON, in the form of Tenantry's API, which the bare server of the sketch has too.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tenantry/tenantry/bench/internal/peer"
	"github.com/tenantry/tenantry/bench/internal/tree"
)

const (
	connections = 16                 // that are kept open
	room        = 64 << 10           // bytes that a buffer for an answer begins with
	least       = len(`"a0000000",`) // bytes of an account in an answer
	whole       = time.Hour          // a request ends with its context
)

// Client asks one server.
type Client struct {
	Base   string // http://host:port
	Token  string // of a client; "" sends none
	Teller string // who has to say that the answer is theirs: index or engine; "" for a server that does not say

	http http.Client
}

// NewClient returns a client of the server at host:port.
func NewClient(address string) *Client {
	return &Client{Base: "http://" + address, http: http.Client{
		Timeout:   whole,
		Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true},
	}}
}

// Close closes idle connections. It may be called on nil.
func (c *Client) Close() {
	if c != nil {
		c.http.CloseIdleConnections()
	}
}

// ask sends a request and returns the answer's body, or an error if its status is not 200.
func (c *Client) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	text, err := read(answer)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, bytes.TrimSpace(text))
	}
	return text, nil
}

func read(answer *http.Response) ([]byte, error) {
	if answer.ContentLength >= 0 {
		text := make([]byte, answer.ContentLength)
		_, err := io.ReadFull(answer.Body, text)
		return text, err
	}
	buffer := bytes.NewBuffer(make([]byte, 0, room))
	_, err := buffer.ReadFrom(answer.Body)
	return buffer.Bytes(), err
}

// told returns an error if an answer is not by whom it has to be.
func (c *Client) told(by gjson.Result) error {
	if c.Teller != "" && by.Str != c.Teller {
		return fmt.Errorf("answered by %q, not by the %s", by.Str, c.Teller)
	}
	return nil
}

// Check is POST /v1/check.
func (c *Client) Check(ctx context.Context, user, account int, p tree.Permission) (bool, error) {
	body := []byte(`{"subject":"user:` + tree.UserID(user) + `","permission":"` + p.Key() + `","resource":"account:` + tree.AccountID(account) + `"}`)
	text, err := c.ask(ctx, http.MethodPost, "/v1/check", body)
	if err != nil {
		return false, err
	}
	found := gjson.GetManyBytes(text, "allowed", "answered_by")
	return found[0].Bool(), c.told(found[1])
}

// Page is GET /v1/users/{user}/accounts, whose rows have names and paths too.
func (c *Client) Page(ctx context.Context, user int, query string) (peer.Page, error) {
	question := url.Values{"sort": {"name"}, "limit": {strconv.Itoa(peer.PageSize)}}
	if query != "" {
		question.Set("q", query)
	}
	page, _, err := c.accounts(ctx, "/v1/users/"+tree.UserID(user)+"/accounts?"+question.Encode(), "accounts.#.id")
	return page, err
}

// List is GET /v1/users/{user}/accounts/ids: all in one answer, as far as that has room for them.
func (c *Client) List(ctx context.Context, user int) ([]int32, error) {
	var all []int32
	question := url.Values{}
	for {
		page, next, err := c.accounts(ctx, "/v1/users/"+tree.UserID(user)+"/accounts/ids?"+question.Encode(), "ids")
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Accounts...); next == "" {
			return all, nil
		}
		question.Set("cursor", next)
	}
}

func (c *Client) accounts(ctx context.Context, path, ids string) (page peer.Page, next string, err error) {
	text, err := c.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return page, "", err
	}
	found := gjson.GetManyBytes(text, ids, "total", "next_cursor", "answered_by")
	page.Total = int(found[1].Int())
	page.Accounts = make([]int32, 0, min(page.Total, len(text)/least))
	found[0].ForEach(func(_, id gjson.Result) bool {
		page.Accounts = append(page.Accounts, int32(tree.Number(id.Str))) //nolint:gosec // some millions at most
		return true
	})
	return page, found[2].Str, c.told(found[3])
}

// Put is PUT /v1/accounts/{account}/members/{user}.
func (c *Client) Put(ctx context.Context, m tree.Membership) error {
	body := fmt.Appendf(nil, `{"roles":[%q],"sub_account_access":%t}`, m.Role, m.Branch)
	text, err := c.ask(ctx, http.MethodPut, member(m), body)
	return inForce(text, err)
}

// Remove is DELETE of the same.
func (c *Client) Remove(ctx context.Context, m tree.Membership) error {
	text, err := c.ask(ctx, http.MethodDelete, member(m), nil)
	return inForce(text, err)
}

func inForce(text []byte, err error) error {
	if applied := gjson.GetBytes(text, "applied"); err == nil && applied.Exists() && !applied.Bool() {
		return errors.New("a change was recorded, but was not in force in time")
	}
	return err
}

func member(m tree.Membership) string {
	return "/v1/accounts/" + tree.AccountID(int(m.Account)) + "/members/" + tree.UserID(int(m.User))
}
