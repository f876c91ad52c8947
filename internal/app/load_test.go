package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/httpapi"
)

// loaded is a service with the limits of serve, and two clients of it: one floods, the other goes about its work.
type loaded struct {
	t        testing.TB
	s        *service
	noisy    caller
	steady   caller
	question string // of the steady one
	pace     time.Duration
}

// newLoaded fills the service over its own port, with a request for each account: leaves is how many there are to list.
func newLoaded(t testing.TB, limits httpapi.Limits, leaves int) *loaded {
	t.Helper()
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: limits}
	s := start(t, cfg)
	s.environment("prod")
	op := s.client("prod", "op", false, account.PortalAdmin)
	parent := ""
	for i := range 6 { // checks go up the tree
		id := fmt.Sprintf("level-%d", i)
		body := obj{"id": id, "name": id, "sub_account_management": true}
		if parent != "" {
			body["parent"] = parent
		}
		op.must("POST", "/v1/accounts", body)
		parent = id
	}
	for i := range leaves {
		op.must("POST", "/v1/accounts", obj{"id": fmt.Sprintf("leaf-%d", i), "name": "Leaf", "parent": "level-4"})
	}
	op.must("POST", "/v1/roles", obj{"key": "reader", "permissions": []string{"fe.account-hierarchy.read.subAccount"}})
	op.must("POST", "/v1/users", obj{"id": "ada", "email": "ada@example.com", "memberships": []obj{{"account": "level-0", "roles": []string{"reader"}, "sub_account_access": true}}})
	return &loaded{
		t: t, s: s, noisy: s.client("prod", "noisy", false, account.PortalAdmin), steady: s.client("prod", "steady", false, account.PortalAdmin),
		question: `{"subject":"user:ada","permission":"fe.account-hierarchy.read.subAccount","resource":"account:level-5"}`,
		pace:     4 * time.Millisecond,
	}
}

// from is an HTTP client that connects from an address of this machine, so that the two callers have addresses of their own.
func from(address string, connections int) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}, Timeout: time.Minute}
}

// send sends a request and returns its status; 0 if ctx ended before.
func (l *loaded) send(ctx context.Context, by *http.Client, c caller, method, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := by.Do(req)
	if ctx.Err() != nil {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	if ctx.Err() != nil {
		return 0, nil
	}
	return resp.StatusCode, err
}

// flood is what the noisy client sends, again and again on each of its connections as soon as it is answered.
type flood struct {
	connections        int
	method, path, body string
}

// flooded is how the flood was answered.
type flooded struct {
	Served  int64 `json:"served"`
	Limited int64 `json:"limited"`
	Busy    int64 `json:"busy"`
}

// begin floods until end is called, which returns how it was answered.
func (l *loaded) begin(f flood) (end func() flooded) {
	ctx, cancel := context.WithCancel(l.t.Context())
	by := from("127.0.0.2", f.connections)
	var served, limited, busy atomic.Int64
	var senders sync.WaitGroup
	for range f.connections {
		senders.Go(func() {
			for ctx.Err() == nil {
				status, err := l.send(ctx, by, l.noisy, f.method, f.path, f.body)
				switch {
				case err != nil:
					l.t.Errorf("the flood: %v", err)
					return
				case status == 200:
					served.Add(1)
				case status == 429:
					limited.Add(1)
				case status == 503:
					busy.Add(1)
				case status != 0:
					l.t.Errorf("the flood: %d", status)
					return
				}
			}
		})
	}
	return func() flooded {
		cancel()
		senders.Wait()
		by.CloseIdleConnections()
		return flooded{served.Load(), limited.Load(), busy.Load()}
	}
}

// work sends the steady client's checks for a while, one at each beat of its pace if the one before is answered, and
// returns how long each took, sorted. Each has to be answered.
func (l *loaded) work(by *http.Client, length time.Duration) []time.Duration {
	l.t.Helper()
	var took []time.Duration
	beat := time.NewTicker(l.pace)
	defer beat.Stop()
	for begun := time.Now(); time.Since(begun) < length || len(took) == 0; <-beat.C {
		sent := time.Now()
		status, err := l.send(l.t.Context(), by, l.steady, http.MethodPost, "/v1/check", l.question)
		if err != nil || status != http.StatusOK {
			l.t.Fatalf("the steady client was answered %d (%v)", status, err)
		}
		took = append(took, time.Since(sent))
	}
	slices.Sort(took)
	return took
}

// figures are what one round measured: how long the steady client's checks took, in milliseconds.
type figures struct {
	Quiet, Flooded struct {
		Median, P95 float64
		Checks      int
	}
	Ratio   float64 // of the medians
	Seconds float64 // of the flood
	Flood   flooded
}

// round measures without the flood and then with it.
func (l *loaded) round(f flood, length time.Duration) figures {
	l.t.Helper()
	by := from("127.0.0.1", 2)
	defer by.CloseIdleConnections()
	var out figures
	note := func(took []time.Duration) (median, p95 float64, n int) {
		ms := func(i int) float64 { return float64(took[i].Microseconds()) / 1000 }
		return ms(len(took) / 2), ms(len(took) * 95 / 100), len(took)
	}
	out.Quiet.Median, out.Quiet.P95, out.Quiet.Checks = note(l.work(by, length))
	end := l.begin(f)
	begun := time.Now()
	out.Flooded.Median, out.Flooded.P95, out.Flooded.Checks = note(l.work(by, length))
	out.Seconds = time.Since(begun).Seconds()
	out.Flood = end()
	out.Ratio = out.Flooded.Median / out.Quiet.Median
	return out
}

var floods = map[string]flood{
	"checks":  {0, http.MethodPost, "/v1/check", `{"subject":"user:ada","permission":"fe.account-hierarchy.read.subAccount","resource":"account:leaf-7"}`},
	"lookups": {0, http.MethodGet, "/v1/users/ada/accounts?limit=200", ""},
	"lists":   {0, http.MethodGet, "/v1/accounts/level-0/access?limit=100", ""},
}

// TestLoad_AFloodIsTheFloodersAffair: while one client sends all it can, it is refused beyond its limit, and another
// one's checks are answered, each of them. How long they take is told, and not judged: BenchmarkFlood measures that.
// The limit is one that a busy machine reaches too.
func TestLoad_AFloodIsTheFloodersAffair(t *testing.T) {
	l := newLoaded(t, httpapi.Limits{Credential: 100}, 10) // so few that filling it stays under the limit, however fast
	l.pace = 20 * time.Millisecond
	f := floods["checks"]
	f.connections = 16
	var rounds []figures
	var all flooded
	deadline := time.Now().Add(time.Minute)
	for len(rounds) < 3 || all.Limited == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("the flood was answered %+v", all)
		}
		r := l.round(f, time.Second)
		rounds = append(rounds, r)
		all.Served, all.Limited = all.Served+r.Flood.Served, all.Limited+r.Flood.Limited
	}
	if all.Served == 0 {
		t.Error("nothing of the flood was served")
	}
	text, err := json.Marshal(rounds)
	if err != nil {
		t.Fatal(err)
	}
	least, median, most := spread(rounds)
	t.Logf("the steady client's median is %.2f times as long under the flood (%.2f to %.2f): %s", median, least, most, text)
}

// spread is the least, the median and the greatest ratio of the rounds.
func spread(rounds []figures) (least, median, most float64) {
	slices.SortFunc(rounds, func(a, b figures) int { return cmp.Compare(a.Ratio, b.Ratio) })
	return rounds[0].Ratio, rounds[len(rounds)/2].Ratio, rounds[len(rounds)-1].Ratio
}

// BenchmarkFlood is how much longer one client's checks take while another one sends what it can, with the limits of
// serve. Each iteration is two seconds without the flood and two with it; the
// ratio is reckoned within each, since other work on the machine hits both alike. Run it with -benchtime 5x.
func BenchmarkFlood(b *testing.B) {
	l := newLoaded(b, httpapi.Limits{Credential: 1000, Address: 2000, Failures: 60}, 200)
	warm := from("127.0.0.1", 2)
	l.work(warm, time.Second)
	warm.CloseIdleConnections()
	for _, name := range slices.Sorted(maps.Keys(floods)) {
		for _, connections := range []int{8, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, connections), func(b *testing.B) {
				l.t = b
				f := floods[name]
				f.connections = connections
				var rounds []figures
				for b.Loop() {
					rounds = append(rounds, l.round(f, 2*time.Second))
				}
				least, median, most := spread(rounds)
				middle := rounds[len(rounds)/2]
				for unit, value := range map[string]float64{
					"ratio": median, "ratio-min": least, "ratio-max": most, "ms-quiet": middle.Quiet.Median, "ms-flooded": middle.Flooded.Median,
					"served/s": float64(middle.Flood.Served) / middle.Seconds, "limited/s": float64(middle.Flood.Limited) / middle.Seconds, "ns/op": 0,
				} {
					b.ReportMetric(value, unit)
				}
			})
		}
	}
}
