package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// JournalFilter selects entries of the log: all conditions that are given have to
// hold. The zero value is everything.
type JournalFilter struct {
	Account string    // only what concerns this account; a user has to name one
	Branch  bool      // or an account below it
	Actor   string    // "user:ada", "operator:shop", "operator", "api_token:…", "system"
	Subject string    // "user:ada", "role:admin", …: only what concerns it
	Kinds   []string  // "membership.set", "membership.*"
	Since   time.Time // made then or later; zero for no bound; not for FollowJournal
	Until   time.Time // made before then; zero for no bound; not for FollowJournal
}

func (f JournalFilter) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{"account": f.Account, "actor": f.Actor, "subject": f.Subject} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Branch {
		query.Set("branch", "true")
	}
	for _, kind := range f.Kinds {
		query.Add("kind", kind)
	}
	for name, at := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return query
}

// ExportJournal writes the log to out, oldest first, as "ndjson" or "csv". It
// returns no error only if the export is complete: its last line says so.
func (c *Client) ExportJournal(ctx context.Context, f JournalFilter, format string, out io.Writer) error {
	query := f.query()
	query.Set("format", format)
	resp, err := c.lasting(ctx, "/v1/journal/export", query, "")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var last lastLine
	if _, err := io.Copy(io.MultiWriter(out, &last), resp.Body); err != nil {
		return fmt.Errorf("tenantry: the export was cut: %w", err)
	}
	if text := string(last.text); !strings.HasPrefix(text, `{"complete":true,`) && !strings.HasPrefix(text, "complete,") {
		return errors.New("tenantry: the export was cut: its last line is missing")
	}
	return nil
}

// lastLine keeps the beginning of the last line of what is written to it.
type lastLine struct {
	text  []byte
	ended bool
}

func (l *lastLine) Write(p []byte) (int, error) {
	const most = 64
	for _, b := range p {
		if l.ended {
			l.text, l.ended = l.text[:0], false
		}
		if b == '\n' {
			l.ended = true
		} else if len(l.text) < most {
			l.text = append(l.text, b)
		}
	}
	return len(p), nil
}

// JournalEvent is an entry of the log that came by FollowJournal.
type JournalEvent struct {
	Version int64           // follow after it, and nothing is lost or comes twice
	Entry   json.RawMessage // as GET /v1/journal shows it
}

// FollowJournal returns the entries of the log as they come, beginning after a
// version; with -1, with those that are written from now on. It connects again
// whenever it is cut off, until ctx ends, the server refuses, or the loop does;
// after an error there is nothing more.
func (c *Client) FollowJournal(ctx context.Context, f JournalFilter, after int64) iter.Seq2[JournalEvent, error] {
	return func(yield func(JournalEvent, error) bool) {
		const longest = 10 * time.Second
		pause := time.Second
		for {
			events, err := c.followOnce(ctx, f, &after, yield)
			switch {
			case errors.Is(err, errEnough):
				return
			case ctx.Err() != nil:
				yield(JournalEvent{}, ctx.Err())
				return
			case err != nil && !temporary(err):
				yield(JournalEvent{}, err)
				return
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
}

// errEnough is that the loop over events has ended.
var errEnough = errors.New("enough")

// temporary reports whether a stream that ended so may go on after a while. A
// refusal that says otherwise ends it for good; everything else is the network's.
func temporary(err error) bool {
	var refused *Problem
	return !errors.As(err, &refused) || refused.Temporary()
}

// followOnce reads one stream to its end, and returns how many events there were. After is moved along.
func (c *Client) followOnce(ctx context.Context, f JournalFilter, after *int64, yield func(JournalEvent, error) bool) (events int, err error) {
	query := f.query()
	last := ""
	if *after >= 0 {
		last = strconv.FormatInt(*after, 10)
	}
	resp, err := c.lasting(ctx, "/v1/journal/stream", query, last)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	var name, id string
	var data json.RawMessage
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
			name = value
		case "data":
			data = json.RawMessage(value)
		}
		if line != "\n" || name == "" {
			continue
		}
		if name == "end" {
			return events, c.ended(data)
		}
		version, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return events, fmt.Errorf("tenantry: the stream is not what a Tenantry server sends: %w", err)
		}
		events++
		*after = version
		if name == "entry" && !yield(JournalEvent{version, data}, nil) {
			return events, errEnough
		}
		name, data = "", nil
	}
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
