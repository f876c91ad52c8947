package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/client"
)

func clientOf(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFollowJournalGoesOnWhereItWasCut and ends where it is refused.
func TestFollowJournalGoesOnWhereItWasCut(t *testing.T) {
	var asked []string
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Last-Event-ID")+" "+r.URL.RawQuery)
		event := func(id int, name, data string) { fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", id, name, data) }
		switch len(asked) {
		case 1: // nothing but the beginning, and cut
			event(5, "open", `{"after":5}`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case 2:
			event(5, "open", `{"after":5}`)
			fmt.Fprint(w, ": still here\n\n")
			event(6, "entry", `{"version":6}`)
			event(8, "entry", `{"version":8}`)
			fmt.Fprint(w, "id: 9\nevent: entry\ndata: {\"vers") // half an event is none
		case 3:
			event(8, "open", `{"after":8}`)
			event(9, "entry", `{"version":9}`)
			fmt.Fprint(w, "event: end\ndata: {\"code\":\"permission_denied\",\"detail\":\"no more\"}\n\n")
		}
	})
	var got []string
	var refused *client.Problem
	for event, err := range c.FollowJournal(t.Context(), client.JournalFilter{Account: "globex", Branch: true, Kinds: []string{"a.*", "b.c"}}, -1) {
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, fmt.Sprint(event.Version, " ", string(event.Entry)))
	}
	if diff := cmp.Diff([]string{`6 {"version":6}`, `8 {"version":8}`, `9 {"version":9}`}, got); diff != "" {
		t.Errorf("entries:\n%s", diff)
	}
	if refused == nil || refused.Code != "permission_denied" {
		t.Errorf("the end: %v", refused)
	}
	const query = " account=globex&branch=true&kind=a.%2A&kind=b.c"
	if diff := cmp.Diff([]string{query, "5" + query, "8" + query}, asked); diff != "" {
		t.Errorf("asked:\n%s", diff)
	}
}

func TestFollowJournalEndsWithItsContextAndItsLoop(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "id: 1\nevent: entry\ndata: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.FollowJournal(ctx, client.JournalFilter{}, 0) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
	for range c.FollowJournal(t.Context(), client.JournalFilter{}, 0) {
		break
	}
}

func TestExportJournalIsCompleteOrAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		body  string
		abort bool
		ok    bool
	}{
		"complete":        {"{\"version\":1}\n{\"complete\":true,\"entries\":1,\"through\":1}\n", false, true},
		"complete as CSV": {"version,at\r\n1,x\r\ncomplete,entries=1\r\n", false, true},
		"without an end":  {"{\"version\":1}\n", false, false},
		"cut":             {"{\"version\":1}\n", true, false},
		"cut in the end":  {"{\"version\":1}\n{\"compl", false, false},
		"more after it":   {"complete,entries=1\r\n1,x\r\n", false, false},
		"nothing":         {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, tt.body)
				_ = http.NewResponseController(w).Flush()
				if tt.abort {
					panic(http.ErrAbortHandler)
				}
			})
			var out bytes.Buffer
			err := c.ExportJournal(t.Context(), client.JournalFilter{}, "ndjson", &out)
			if (err == nil) != tt.ok || !strings.HasPrefix(out.String(), tt.body) {
				t.Errorf("%v, %q", err, out.String())
			}
		})
	}
}
