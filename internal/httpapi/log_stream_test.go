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
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
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

func (r *revocable) Authenticate(ctx context.Context, header, actFor string) (account.Actor, error) {
	if r.revoked.Load() {
		return account.Actor{}, fault.New(fault.Unauthenticated, "unauthenticated", "revoked")
	}
	return r.known.Authenticate(ctx, header, actFor)
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

// TestL1_StreamGoesOnWhereItStopped cuts streams wherever, and comes again with
// the last id: nothing is lost, and nothing comes twice.
func TestL1_StreamGoesOnWhereItStopped(t *testing.T) {
	b := newBroadcast(t, StreamConfig{})
	b.write(3)
	var got []string
	last := ""
	s := b.open("/v1/journal/stream?after=0")
	for cut := 1; len(got) < 30; cut++ {
		if e := s.must("open"); last != "" && e.id != last {
			t.Fatalf("opened at %s, want %s", e.id, last)
		}
		for range cut % 4 {
			e := s.must("entry")
			got, last = append(got, e.id), e.id
		}
		s.cancel()
		b.write(3)
		if last == "" {
			last = "0"
		}
		s = b.open("/v1/journal/stream?after=0", "Last-Event-ID", last) // the header goes before
	}
	var want []string
	for i := range got {
		want = append(want, fmt.Sprint(i+1))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestL1_StreamBeginsNowUnlessAskedOtherwise(t *testing.T) {
	b := newBroadcast(t, StreamConfig{})
	b.write(2)
	s := b.open("/v1/journal/stream")
	if e := s.must("open"); e.id != "3" || e.data != `{"after":3}` {
		t.Errorf("opened: %+v", e)
	}
	b.write(1)
	e := s.must("entry")
	var entry Entry
	if err := json.Unmarshal([]byte(e.data), &entry); err != nil || e.id != "4" || entry.Version != 4 || entry.Kind != account.AccountCreated || entry.ChangesTotal != 1 {
		t.Errorf("entry: %v %+v", err, e)
	}
	if s.resp.Header.Get("Content-Type") != "text/event-stream" || s.resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", s.resp.Header)
	}
}

// TestL1_StreamOutlastsRequests: the time that requests have does not end it, and an idle one shows that it lives.
func TestL1_StreamOutlastsRequests(t *testing.T) {
	b := newBroadcast(t, StreamConfig{Heartbeat: 20 * time.Millisecond})
	s := b.open("/v1/journal/stream")
	s.must("open")
	for began := time.Now(); time.Since(began) < 600*time.Millisecond; { // three times the server's limits
		if e, err := s.next(); err != nil || e.name != "" {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	b.write(1)
	s.must("entry")
}

func TestL1_StreamEnds(t *testing.T) {
	t.Run("after its time", func(t *testing.T) {
		b := newBroadcast(t, StreamConfig{Age: 20 * time.Millisecond})
		s := b.open("/v1/journal/stream")
		s.must("open")
		s.ended("reconnect")
	})
	t.Run("with the server", func(t *testing.T) {
		b := newBroadcast(t, StreamConfig{})
		s := b.open("/v1/journal/stream?after=0")
		s.must("open")
		s.must("entry")
		close(b.stop)
		s.ended("stopping")
	})
	t.Run("after as many as asked for", func(t *testing.T) {
		b := newBroadcast(t, StreamConfig{})
		b.write(5)
		s := b.open("/v1/journal/stream?after=1&limit=2")
		s.must("open")
		s.must("entry")
		s.must("entry")
		s.ended("complete")
	})
	t.Run("with the credential, at the next entry", func(t *testing.T) {
		b := newBroadcast(t, StreamConfig{Recheck: time.Hour})
		s := b.open("/v1/journal/stream")
		s.must("open")
		b.auth.revoked.Store(true)
		b.write(1)
		s.ended("unauthenticated")
	})
	t.Run("with the credential, without an entry", func(t *testing.T) {
		b := newBroadcast(t, StreamConfig{Recheck: 10 * time.Millisecond})
		s := b.open("/v1/journal/stream")
		s.must("open")
		b.auth.revoked.Store(true)
		s.ended("unauthenticated")
	})
}

func TestL1_StreamsAreBounded(t *testing.T) {
	b := newBroadcast(t, StreamConfig{Most: 3, Each: 2})
	var open []*reading
	for _, user := range []string{"ada", "ada", "bob"} {
		s := b.open("/v1/journal/stream?account=a1", "Act-For-User", user)
		s.must("open")
		open = append(open, s)
	}
	refused := func(user string) {
		t.Helper()
		r := b.open("/v1/journal/stream?account=a1", "Act-For-User", user).resp
		if text, _ := io.ReadAll(r.Body); r.StatusCode != 503 || !strings.Contains(string(text), `"too_many_streams"`) || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", user, r.StatusCode, text)
		}
	}
	refused("carol") // as many as the server takes
	open[2].cancel()
	refused("ada") // as many as one may
	deadline := time.Now().Add(30 * time.Second)
	for { // the place of the one that has gone
		r := b.open("/v1/journal/stream?account=a1", "Act-For-User", "carol")
		if r.resp.StatusCode == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a reader who left is not given to another")
		}
	}
}

// TestL1_SlowReadersAreLetGo: who does not take what is sent does not hold it.
func TestL1_SlowReadersAreLetGo(t *testing.T) {
	b := newBroadcast(t, StreamConfig{Most: 1, Patience: 50 * time.Millisecond})
	name := strings.Repeat("x", 200)
	for range 5 { // much more than what the sockets hold, with the changes shown
		var changes []account.Change
		for i := range 20_000 {
			b.made++
			id := account.ID(fmt.Sprintf("b%d-%d", b.made, i))
			changes = append(changes, account.Change{After: account.Of(account.Account{ID: id, Name: name})})
		}
		err := b.db.Write(t.Context(), "prod", func(tx directory.Tx) error {
			for part := range slices.Chunk(changes, 100) {
				if _, err := tx.Append(t.Context(), account.Entry{Kind: account.Imported, Changes: part}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.open("/v1/journal/stream?after=0") // is not read
	deadline := time.Now().Add(30 * time.Second)
	for {
		s := b.open("/v1/journal/stream")
		if s.resp.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a reader who does not read keeps the place")
		}
	}
}

func TestL1_BadQuestionsToTheLog(t *testing.T) {
	a := withStore(t, granting{})
	for query, want := range map[string]struct {
		code, field string
	}{
		"?kind=flown":                 {"unknown_kind", "kind"},
		"?kind=member.*":              {"unknown_kind", "kind"},
		"?kind=*":                     {"unknown_kind", "kind"},
		"?actor=ada":                  {"invalid_actor", "actor"},
		"?actor=role:x":               {"invalid_actor", "actor"},
		"?actor=user:a*":              {"invalid_actor", "actor"},
		"?subject=ada":                {"invalid_object", "subject"},
		"?subject=thing:x":            {"invalid_object", "subject"},
		"?subject=user:":              {"invalid_object", "subject"},
		"?account=no%20such":          {"invalid_id", "account"},
		"?branch=true":                {"invalid_request", "branch"},
		"?since=yesterday":            {"invalid_request", "since"},
		"?since=0001-02-01T00:00:00Z": {"invalid_time", "since"},
		"?until=1969-01-01T00:00:00Z": {"invalid_time", "until"},
		"?after=-1":                   {"invalid_request", "after"},
		"?before=-1":                  {"invalid_request", "before"},
		"?limit=1001":                 {"invalid_limit", "limit"},
		"?order=up":                   {"invalid_request", "order"},
		"?colour=red":                 {"invalid_request", "colour"},
		"/1?limit=1001":               {"invalid_limit", "limit"},
		"/1?first_change=-1":          {"invalid_request", "first_change"},
		"/first":                      {"invalid_request", "version"},
		"/stream?after=x":             {"invalid_request", "after"},
		"/stream?after=100":           {"invalid_request", "after"},
		"/stream?since=x":             {"invalid_request", "since"},
		"/stream?kind=x":              {"unknown_kind", "kind"},
		"/stream?limit=-1":            {"invalid_limit", "limit"},
		"/export?format=xml":          {"invalid_request", "format"},
		"/export?kind=x":              {"unknown_kind", "kind"},
		"/export?limit=5":             {"invalid_request", "limit"},
	} {
		t.Run(query, func(t *testing.T) {
			a.t = t
			a.do("GET", "/v1/journal"+query, "").refused(422, want.code, want.field)
		})
	}
	a.t = t
	for _, version := range []string{"0", "2", "99999999999"} {
		a.do("GET", "/v1/journal/"+version, "").refused(404, "entry_not_found", "")
	}
	a.do("GET", "/v1/journal/stream", "", "Last-Event-ID", "-1").refused(422, "invalid_request", "Last-Event-ID")
	a.do("GET", "/v1/journal/stream", "", "Authorization", "-").refused(401, "unauthenticated", "")
	a.do("GET", "/v1/journal/export", "", "Authorization", "-").refused(401, "unauthenticated", "")
}
