package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/store"
)

// broadcast is an API on a real port, whose streams are quick.
type broadcast struct {
	*httptest.Server
	t    *testing.T
	d    *directory.Directory
	db   *store.DB
	auth *revocable
	stop chan struct{}
	made int
}

// revocable is known until it is revoked.
type revocable struct {
	known
	revoked atomic.Bool
}

func (r *revocable) Authenticate(ctx context.Context, p identity.Presented) (identity.Caller, error) {
	if r.revoked.Load() {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "revoked")
	}
	return r.known.Authenticate(ctx, p)
}

// timed says until when it is asked.
type timed struct {
	known
	until chan time.Time
}

func (a timed) Authenticate(ctx context.Context, p identity.Presented) (identity.Caller, error) {
	end, _ := ctx.Deadline()
	select {
	case a.until <- end:
	default:
	}
	return a.known.Authenticate(ctx, p)
}

func newBroadcast(t *testing.T, streams StreamConfig) *broadcast {
	t.Helper()
	d, db := onSQLite(t, granting{})
	if streams.Poll == 0 {
		streams.Poll = 5 * time.Millisecond
	}
	b := &broadcast{t: t, d: d, db: db, auth: &revocable{}, stop: make(chan struct{})}
	// The limits of whole requests are far below what a stream lasts.
	handler := New(Deps{Directory: d, Authenticator: b.auth, Stopping: b.stop}, Config{Streams: streams})
	b.Server = httptest.NewUnstartedServer(handler)
	b.Config.ReadTimeout, b.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	b.Start()
	t.Cleanup(b.Close)
	return b
}

// write makes n entries.
func (b *broadcast) write(n int) {
	b.t.Helper()
	for range n {
		b.made++
		_, err := b.d.CreateAccount(b.t.Context(), directory.Request{Actor: account.Actor{Environment: "prod", System: true}},
			directory.NewAccount{ID: account.ID(fmt.Sprintf("a%d", b.made)), Name: "A"})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// event is one event of a stream, or a comment.
type event struct{ name, id, data string }

// reading is a stream that is being read.
type reading struct {
	t      *testing.T
	cancel context.CancelFunc
	resp   *http.Response
	lines  *bufio.Reader
}

func (b *broadcast) open(query string, headers ...string) *reading {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+query, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	return &reading{b.t, cancel, resp, bufio.NewReader(resp.Body)}
}

// next reads one event; a comment has no name. io.EOF where the stream ends.
func (r *reading) next() (event, error) {
	var e event
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if line == "\n" {
				return e, nil
			}
		}
	}
}

// must reads an event of a name, passing over comments.
func (r *reading) must(name string) event {
	r.t.Helper()
	for {
		e, err := r.next()
		if err != nil {
			r.t.Fatalf("waiting for %s: %v", name, err)
		}
		if e.name == name {
			return e
		}
		if e.name != "" {
			r.t.Fatalf("got %+v, want %s", e, name)
		}
	}
}

// ended reads the end and its code, and that nothing follows.
func (r *reading) ended(code string) {
	r.t.Helper()
	var end StreamEnd
	if e := r.must("end"); json.Unmarshal([]byte(e.data), &end) != nil || end.Code != code || end.Detail == "" || e.id != "" {
		r.t.Errorf("the end is %+v, want %s", e, code)
	}
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		r.t.Errorf("after the end: %v", err)
	}
}
