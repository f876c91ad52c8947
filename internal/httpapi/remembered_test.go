package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/fault"
)

// TestProbesAskOnceASecond: however many ask whether the server is ready, whatever the answer is.
func TestProbesAskOnceASecond(t *testing.T) {
	for name, missing := range map[string]error{"ready": nil, "not ready": fault.New(fault.Unavailable, "relay_behind", "prod is behind")} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			a := serve(t, Deps{Ready: func(ctx context.Context) error {
				asked++
				<-time.After(100 * time.Millisecond) // in the bubble: others come meanwhile
				return errors.Join(missing, ctx.Err())
			}}, Config{})
			want := http.StatusOK
			if missing != nil {
				want = http.StatusServiceUnavailable
			}
			gone, leave := context.WithCancel(t.Context())
			first := make(chan struct{})
			go func() { // who asks first, and does not wait
				defer close(first)
				a.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, http.MethodGet, "/readyz", nil))
			}()
			synctest.Wait()
			leave()
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					w := httptest.NewRecorder()
					a.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
					if w.Code != want {
						t.Errorf("%s: %d", name, w.Code)
					}
				})
			}
			all.Wait()
			<-first
			<-time.After(readyFor - time.Millisecond)
			a.do("GET", "/readyz", "").ok(want)
			if asked != 1 {
				t.Errorf("%s: asked %d times in a second", name, asked)
			}
			if n := strings.Count(a.log.String(), "level=WARN"); missing != nil && n != 1 {
				t.Errorf("%s: %d lines of the log are loud:\n%s", name, n, a.log)
			}
			<-time.After(time.Millisecond)
			a.do("GET", "/readyz", "").ok(want)
			if asked != 2 {
				t.Errorf("%s: asked %d times in two seconds", name, asked)
			}
		})
	}
}

// TestWhoWaitsForAProbeMayGo: and one that panics is not remembered.
func TestWhoWaitsForAProbeMayGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := &remembered[int]{lasts: time.Minute, most: time.Hour, find: func(ctx context.Context) (int, error) {
			asked++
			if asked == 1 {
				panic("on fire")
			}
			<-time.After(time.Minute)
			return 7, ctx.Err()
		}}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a panic is kept quiet")
				}
			}()
			_, _ = r.get(t.Context(), 0)
		}()
		found := make(chan int)
		go func() {
			v, err := r.get(t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			found <- v
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.get(ctx, 0); !fault.HasCode(err, "request_timeout") {
			t.Errorf("who waits: %v", err)
		}
		if v := <-found; v != 7 || asked != 2 {
			t.Errorf("found %d, asked %d times", v, asked)
		}
	})
}

// press publishes key sets, and counts them.
type press struct {
	till
	made    *int
	changes *atomic.Uint64
	away    *bool
}

func (p press) Published(context.Context) (jose.JSONWebKeySet, error) {
	*p.made++
	if *p.away {
		return jose.JSONWebKeySet{}, fault.New(fault.Unavailable, "database_unavailable", "away")
	}
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte("k"), KeyID: fmt.Sprint("key_", *p.made)}}}, nil
}

func (p press) Changes() uint64 { return p.changes.Load() }

// TestTheKeySetIsMadeOnceInAWhile: and anew when this process has changed a key.
func TestTheKeySetIsMadeOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := press{made: new(int), changes: new(atomic.Uint64), away: new(bool)}
		a := serve(t, Deps{OAuth: OAuth{Keys: p}}, Config{})
		shows := func(n int) {
			t.Helper()
			for range 20 {
				if got := a.do("GET", keysPath, "").ok(200); !strings.Contains(got.text, fmt.Sprintf("key_%d\"", n)) || *p.made != n {
					t.Fatalf("made %d times, want %d: %s", *p.made, n, got.text)
				}
			}
		}
		shows(1)
		<-time.After(keySetFor - time.Millisecond)
		shows(1)
		p.changes.Add(1)
		shows(2)
		<-time.After(keySetFor)
		shows(3)
		*p.away = true
		<-time.After(keySetFor)
		for range 20 {
			a.do("GET", keysPath, "").refused(503, "database_unavailable", "")
		}
		*p.away = false
		if *p.made != 4 {
			t.Errorf("made %d times while the database was away", *p.made-3)
		}
		<-time.After(failureLasts)
		shows(5)
	})
}
