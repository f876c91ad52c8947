package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/directory"
)

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

// The time that a request has is that until its answer begins, and of each page after it.
func TestL1_WhatLastsHasTimeForEachPage(t *testing.T) {
	for _, path := range []string{"/v1/journal/stream", "/v1/journal/export"} {
		t.Run(path, func(t *testing.T) {
			b := newBroadcast(t, StreamConfig{})
			auth := timed{until: make(chan time.Time, 2)}
			b.Config.Handler = New(Deps{Directory: b.d, Authenticator: auth, Stopping: b.stop}, Config{Timeout: time.Hour, Streams: StreamConfig{Recheck: time.Millisecond}})
			before := time.Now()
			b.open(path)
			beginning, page := <-auth.until, <-auth.until
			if beginning.Before(before.Add(time.Hour)) || time.Until(page) > time.Hour || !page.After(beginning) {
				t.Errorf("it has to begin by %v, and to read a page by %v", beginning.Sub(before), page.Sub(before))
			}
		})
	}
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
	b := newBroadcast(t, StreamConfig{Most: 12, Each: 2}) // the people of an environment have three
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
	refused("carol") // as many as an environment's people have
	if r := b.open("/v1/journal/stream"); r.resp.StatusCode != 200 {
		t.Errorf("the people of an environment leave operators no room: %d", r.resp.StatusCode)
	}
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
	b := newBroadcast(t, StreamConfig{Most: 1, Each: 1, Patience: 50 * time.Millisecond})
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
	deadline, again := time.Now().Add(2*time.Minute), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for {
		s := b.open("/v1/journal/stream")
		if s.resp.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a reader who does not read keeps the place: %s", s.resp.Status)
		}
		<-again.C // the stream that is to end needs the processor more than this question does
	}
}
