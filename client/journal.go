package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
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
		err := c.follow(ctx, "/v1/journal/stream", f.query(), after, func(e streamEvent) error {
			if e.name == "entry" && !yield(JournalEvent{e.version, e.data}, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil {
			yield(JournalEvent{}, err)
		}
	}
}
