package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

// listener reads a stream.
type listener struct {
	t     testing.TB
	resp  *http.Response
	lines *bufio.Reader
	close context.CancelFunc
	last  string // id of an event
}

// follow opens a stream of the log and reads its first event.
func (c caller) follow(query string, headers ...string) *listener {
	c.s.t.Helper()
	l, _ := c.listen("/v1/journal/stream?"+query, headers...)
	return l
}

// listen opens a stream and reads its first event.
func (c caller) listen(path string, headers ...string) (l *listener, opened string) {
	c.s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	c.s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.s.url+path, nil)
	if err != nil {
		c.s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if c.acting != "" {
		req.Header.Set("Act-For-User", c.acting)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.s.t.Fatal(err)
	}
	c.s.t.Cleanup(func() { _ = resp.Body.Close() })
	l = &listener{t: c.s.t, resp: resp, lines: bufio.NewReader(resp.Body), close: cancel}
	name, opened := l.next()
	if name != "open" {
		c.s.t.Fatalf("the stream begins with %s %s (%d)", name, opened, resp.StatusCode)
	}
	return l, opened
}

// next reads an event, passing over comments; no name at the end.
func (l *listener) next() (name, data string) {
	l.t.Helper()
	for {
		line, err := l.lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return "", ""
		}
		if err != nil {
			l.t.Fatalf("the stream broke: %v", err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case field == "id":
			l.last = value
		case field == "event":
			name = value
		case field == "data":
			data = value
		case line == "\n" && name != "":
			return name, data
		}
	}
}

// entry reads an event that is an entry.
func (l *listener) entry() entry {
	l.t.Helper()
	name, data := l.next()
	var e entry
	if err := json.Unmarshal([]byte(data), &e); err != nil || name != "entry" {
		l.t.Fatalf("got %s %s, want an entry", name, data)
	}
	return e
}

// ended reads the end, and why.
func (l *listener) ended(code string) {
	l.t.Helper()
	var end struct{ Code string }
	if name, data := l.next(); name != "end" || json.Unmarshal([]byte(data), &end) != nil || end.Code != code {
		l.t.Errorf("got %s %s, want the end with %s", name, data, code)
	}
	if name, _ := l.next(); name != "" {
		l.t.Errorf("after the end comes %s", name)
	}
}

// TestL1_StreamHasWhatEveryReplicaWrites: entries of another process, and of another
// server, come once each and in order, also to who was cut off meanwhile.
func TestL1_StreamHasWhatEveryReplicaWrites(t *testing.T) {
	for _, shape := range shapes(t) {
		t.Run(shape.name, func(t *testing.T) {
			cfg := shape.make(t)
			s := start(t, cfg)
			s.environment("prod")
			op := s.client("prod", "op", false, account.PortalAdmin)
			beside, err := app.OpenDirectory(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = beside.Close() })
			elsewhere := op
			if cfg.Remote.Address != "" {
				elsewhere.s = start(t, cfg)
			}
			l := op.follow("kind=account.created")
			var got, want []string
			for i := range 24 {
				id := fmt.Sprintf("a%d", i)
				want = append(want, id)
				if i%2 == 0 {
					_, err = beside.Directory.CreateAccount(t.Context(), directory.Request{Actor: account.Actor{Environment: "prod", System: true}},
						directory.NewAccount{ID: account.ID(id), Name: id})
					if err != nil {
						t.Fatal(err)
					}
				} else {
					elsewhere.must("POST", "/v1/accounts", obj{"id": id, "name": id})
				}
				if i%5 == 4 { // cut off, wherever it is; and come again at the other server
					got = append(got, l.entry().Changes[0].After["account"]["id"].(string))
					l.close()
					l = elsewhere.follow("kind=account.created", "Last-Event-ID", l.last)
				}
			}
			for len(got) < len(want) {
				got = append(got, l.entry().Changes[0].After["account"]["id"].(string))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestL1_StreamsEndWithTheRight: what is written after it is not sent any more.
func TestL1_StreamsEndWithTheRight(t *testing.T) {
	w := newWorld(t, oneMachine)
	member := func(user string) string { return "/v1/accounts/globex-eu/members/" + user }
	helper := w.client("prod", "helper", true, account.BackofficeViewer)
	watcher := w.client("prod", "watcher", false, account.BackofficeViewer)
	narrowed := w.client("prod", "narrowed", false, account.BackofficeViewer)
	temporary := w.newUser("lobby")
	w.grant("globex-eu", temporary, obj{"roles": []string{"manager"}, "expires_at": time.Now().Add(5 * time.Second).UTC().Format(time.RFC3339)})
	for name, c := range map[string]struct {
		reader caller
		query  string
		take   func()
		code   string
	}{
		"membership removed": {w.as("clerk"), "account=globex-eu", func() { w.op.must("DELETE", member("clerk"), nil) }, "permission_denied"},
		"role changed":       {w.as("euadmin"), "account=globex-eu", func() { w.grant("globex-eu", "euadmin", obj{"roles": []string{"viewer"}}) }, "permission_denied"},
		"branch access ended": {w.as("owner"), "account=globex-eu&branch=true", func() {
			w.grant("globex", "owner", obj{"roles": []string{"admin"}, "sub_account_access": false})
		}, "permission_denied"},
		"membership expired": {w.as(temporary), "account=globex-eu", func() {}, "permission_denied"},
		"user blocked":       {w.as("outsider"), "account=initech", func() { w.op.must("POST", "/v1/users/outsider/block", nil) }, "user_blocked"},
		"client revoked":     {watcher, "", func() { w.op.must("DELETE", "/v1/environment/clients/watcher", nil) }, "unauthenticated"},
		"client's scopes narrowed": {narrowed, "", func() {
			w.op.must("PATCH", "/v1/environment/clients/narrowed", obj{"scopes": []string{"check", "read", "write"}})
		}, "scope_missing"},
		"user's client revoked": {helper.as("viewer"), "account=lobby", func() { w.op.must("DELETE", "/v1/environment/clients/helper", nil) }, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "user's client revoked" {
				w.grant("lobby", "viewer", obj{"roles": []string{"manager"}})
			}
			l := c.reader.in(t).follow(c.query)
			c.take()
			l.ended(c.code)
		})
	}
}

// TestL1_StreamsEndWithTheServer: they do not hold it up, and say why they end.
func TestL1_StreamsEndWithTheServer(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Grace = 10 * time.Minute // longer than a test may take
	var l *listener
	t.Run("while it runs", func(sub *testing.T) {
		s := start(sub, cfg) // ends with this subtest, and fails it if anything had to be cut off
		s.environment("prod")
		l = s.client("prod", "op", false, account.PortalAdmin).in(t).follow("")
	})
	l.ended("stopping")
}
