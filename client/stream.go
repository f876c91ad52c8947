package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// streamEvent is one of the events that a server sends.
type streamEvent struct {
	name    string
	version int64 // the id
	data    json.RawMessage
}

// errEnough is that the loop over events has ended.
var errEnough = errors.New("enough")

// follow hands over the events of a stream after a version, -1 for those from now on, but for the last. It
// connects again whenever it is cut off, until ctx ends or the server refuses, whose error it returns, or
// take returns an error, which it returns unless it is errEnough.
func (c *Client) follow(ctx context.Context, path string, query url.Values, after int64, take func(streamEvent) error) error {
	const longest = 10 * time.Second
	pause := time.Second
	for {
		events, err := c.followOnce(ctx, path, query, &after, take)
		switch {
		case errors.Is(err, errEnough):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !temporary(err):
			return err
		case events > 0:
			pause = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, longest)
		}
	}
}

// temporary reports whether a stream that ended so may go on after a while. A
// refusal that says otherwise ends it for good; everything else is the network's.
func temporary(err error) bool {
	var refused *Problem
	return !errors.As(err, &refused) || refused.Temporary()
}

// followOnce reads one stream to its end, and returns how many events there were. After is moved along.
func (c *Client) followOnce(ctx context.Context, path string, query url.Values, after *int64, take func(streamEvent) error) (events int, err error) {
	last := ""
	if *after >= 0 {
		last = strconv.FormatInt(*after, 10)
	}
	resp, err := c.lasting(ctx, path, query, last)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	var id string
	var e streamEvent
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return events, nil // cut off, or at its end: come again
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			e.name = value
		case "data":
			e.data = json.RawMessage(value)
		}
		if line != "\n" || e.name == "" {
			continue
		}
		if e.name == "end" {
			return events, c.ended(e.data)
		}
		if e.version, err = strconv.ParseInt(id, 10, 64); err != nil {
			return events, notOurs(err)
		}
		events++
		*after = e.version
		if err := take(e); err != nil {
			return events, err
		}
		e = streamEvent{}
	}
}

func notOurs(err error) error {
	return fmt.Errorf("tenantry: the stream is not what a Tenantry server sends: %w", err)
}

// ended turns the end of a stream into an error, nil if one is to come again at
// once: with another token, if it has outlasted the one that it began with.
func (c *Client) ended(data json.RawMessage) error {
	p := &Problem{Title: "the stream has ended"}
	_ = json.Unmarshal(data, p) // if it was cut off before it said why, there is no code
	if p.Code == "unauthenticated" && c.tokens != nil {
		return nil
	}
	switch p.Code {
	case "", "reconnect", "stopping", "complete":
		return nil
	case "permission_denied", "user_blocked", "may_not_act_for_users":
		p.Status = http.StatusForbidden
	case "user_not_found":
		p.Status = http.StatusNotFound
	case "unauthenticated":
		p.Status = http.StatusUnauthorized
	default:
		p.Status = http.StatusServiceUnavailable // is tried again, and refused then if it was a refusal
	}
	return p
}

// lasting sends a request whose answer may take any time.
func (c *Client) lasting(ctx context.Context, path string, query url.Values, lastEvent string) (*http.Response, error) {
	unhurried := *c.http
	unhurried.Timeout = 0
	headers := map[string]string{"Act-For-User": c.actFor, "Last-Event-ID": lastEvent}
	resp, err := c.send(ctx, &unhurried, http.MethodGet, c.base+path+"?"+query.Encode(), nil, headers)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return nil, problemOf(resp.StatusCode, text)
	}
	return resp, nil
}
