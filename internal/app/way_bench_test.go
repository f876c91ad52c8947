package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkWay asks a check over HTTP of a whole service, from the index and from the engine, and a bare server
// of net/http that answers from a table in memory, in turns: the ratios are of the medians of one run. Some ask one after the other.
func BenchmarkWay(b *testing.B) {
	on, off := oneMachine.make(b), oneMachine.make(b)
	off.WithoutIndex = true
	indexed, plain := furnished(b, on), furnished(b, off)
	indexed.indexed()
	const question = `{"subject":"user:owner","permission":"fe.account-hierarchy.read.subAccount","resource":"account:globex-eu-fr"}`
	bare := bareServer(b)
	ways := []way{
		{"bare", bare, "", question},
		{"index", indexed.url + "/v1/check", indexed.op.token, question},
		{"engine", plain.url + "/v1/check", plain.op.token, question},
	}
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			took := make([][]time.Duration, len(ways))
			for b.Loop() {
				for i, w := range ways {
					took[i] = append(took[i], w.ask(b, clients, 200)...)
				}
			}
			medians := make([]float64, len(ways))
			for i, all := range took {
				slices.Sort(all)
				medians[i] = float64(all[len(all)/2]) / float64(time.Microsecond)
				b.ReportMetric(medians[i], "µs/"+ways[i].name)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(medians[1]/medians[0], "index/bare")
			b.ReportMetric(medians[2]/medians[1], "engine/index")
		})
	}
}

// way is where a check can be asked.
type way struct{ name, url, token, body string }

// ask asks n times by each of some clients, and returns how long each took.
func (w way) ask(b *testing.B, clients, n int) []time.Duration {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	all := make([][]time.Duration, clients)
	var failed atomic.Pointer[string]
	var asking sync.WaitGroup
	for c := range clients {
		asking.Go(func() {
			for i := range n + 20 {
				begun := time.Now()
				if problem := w.once(client); problem != "" {
					failed.Store(&problem)
					return
				}
				if i >= 20 { // the first ones make the connection
					all[c] = append(all[c], time.Since(begun))
				}
			}
		})
	}
	asking.Wait()
	if problem := failed.Load(); problem != nil {
		b.Fatal(*problem)
	}
	return slices.Concat(all...)
}

func (w way) once(client *http.Client) string {
	req, err := http.NewRequest(http.MethodPost, w.url, bytes.NewReader([]byte(w.body)))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(`"allowed":true`)) {
		return fmt.Sprintf("%s: %d %s %v", w.name, resp.StatusCode, text, err)
	}
	return ""
}

// bareServer answers every check from a table in memory, and looks at nothing else.
func bareServer(b *testing.B) string {
	b.Helper()
	table := map[string]bool{"user:owner account:globex-eu-fr": true}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"allowed":%t}`, table["user:owner account:globex-eu-fr"])
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	b.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return "http://" + listener.Addr().String()
}
