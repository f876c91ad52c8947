package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

// service is a Tenantry that answers on a real port, with an environment "prod".
type service struct {
	*app.App
	t   testing.TB
	url string
}

// shape is a kind of deployment.
type shape struct {
	name      string
	make      func(testing.TB) app.Config
	histories time.Duration // how long random histories may go on
}

// oneMachine is SQLite with the embedded engine.
var oneMachine = shape{name: "one machine", make: func(t testing.TB) app.Config {
	return app.Config{DataDir: t.TempDir()}
}}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

// said is what a service has logged, shown if its test fails.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start serves a deployment; it ends with the test.
func start(t testing.TB, cfg app.Config) *service {
	t.Helper()
	return startAt(t, cfg, "127.0.0.1")
}

// startAt is start at an address of this machine.
func startAt(t testing.TB, cfg app.Config, host string) *service {
	t.Helper()
	s, end := begin(t, cfg, host)
	t.Cleanup(end)
	return s
}

// begin serves a deployment at an address of this machine until it is told to end.
func begin(t testing.TB, cfg app.Config, host string) (s *service, end func()) {
	t.Helper()
	// On a busy machine things take longer; a test that is about waiting sets its own.
	cfg.ApplyWait = cmp.Or(cfg.ApplyWait, 30*time.Second)
	cfg.FreshWait = cmp.Or(cfg.FreshWait, 20*time.Second)
	cfg.Transport.Limits.Wait = cmp.Or(cfg.Transport.Limits.Wait, 25*time.Second)
	if cfg.Log == nil {
		var said said
		cfg.Log = slog.New(slog.NewTextHandler(&said, nil))
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the service said:\n%s", said.String())
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.Open(ctx, cfg)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, listener) }()
	return &service{App: a, t: t, url: "http://" + listener.Addr().String()}, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func (s *service) environment(env account.EnvironmentID) {
	s.t.Helper()
	_, err := s.Directory.CreateEnvironment(s.t.Context(), directory.Request{Actor: account.Actor{System: true}},
		account.Environment{ID: env, SubAccountsEnabled: true, MaxDepth: 8})
	if err != nil {
		s.t.Fatal(err)
	}
}

// caller sends requests with one credential, in a user's name if acting is set.
type caller struct {
	s      *service
	token  string
	acting string
	client *http.Client // nil for the default
}

// client makes a client and returns its caller.
func (s *service) client(env account.EnvironmentID, id account.ClientID, acts bool, roles ...account.PortalRole) caller {
	s.t.Helper()
	_, secret, err := s.Directory.CreateClient(s.t.Context(), directory.Request{Actor: account.Actor{Environment: env, System: true}},
		account.Client{ID: id, Roles: roles, ActForUsers: acts})
	if err != nil {
		s.t.Fatal(err)
	}
	return caller{s: s, token: identity.FormatToken(env, id, secret)}
}

// as is the same credential, acting for a user.
func (c caller) as(user string) caller {
	c.acting = user
	return c
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    []byte
}

// code is the stable code of a problem, or what the token endpoint has for one; "" if it is none.
func (a answer) code() string {
	code, _ := a.body["code"].(string)
	refused, _ := a.body["error"].(string)
	return cmp.Or(code, refused)
}

func (c caller) do(method, path string, body any, headers ...string) answer {
	c.s.t.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return a
}

func (c caller) try(method, path string, body any, headers ...string) (answer, error) {
	var in io.Reader
	media := "application/json"
	switch body := body.(type) {
	case nil:
	case string:
		in = bytes.NewReader([]byte(body))
	case url.Values:
		in, media = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		in = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.s.url+path, in)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", media)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.acting != "" {
		req.Header.Set("Act-For-User", c.acting)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := cmp.Or(c.client, http.DefaultClient).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.body) // some answers are no objects
	return a, nil
}

// must sends a request that has to succeed.
func (c caller) must(method, path string, body any, headers ...string) answer {
	c.s.t.Helper()
	a := c.do(method, path, body, headers...)
	if a.status >= 300 {
		c.s.t.Fatalf("%s %s %v: %d %s", method, path, body, a.status, a.raw)
	}
	return a
}

// refuse sends a request that has to be refused with a code.
func (c caller) refuse(code, method, path string, body any, headers ...string) answer {
	c.s.t.Helper()
	a := c.do(method, path, body, headers...)
	if a.code() != code {
		c.s.t.Fatalf("%s %s %v: want the code %s, got %d %s", method, path, body, code, a.status, a.raw)
	}
	return a
}

func (c caller) allowed(subject, permission, resource string, headers ...string) bool {
	c.s.t.Helper()
	a := c.must("POST", "/v1/check", obj{"subject": subject, "permission": permission, "resource": resource}, headers...)
	return a.body["allowed"] == true
}

// reach lists the ids of the accounts that a user may open, through all pages.
func (c caller) reach(user, query string) []string {
	c.s.t.Helper()
	var ids []string
	cursor := ""
	for {
		a := c.must("GET", fmt.Sprintf("/v1/users/%s/accounts?limit=3&cursor=%s&%s", user, cursor, query), nil)
		for _, item := range a.body["accounts"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		next, more := a.body["next_cursor"].(string)
		if !more || next == "" {
			if total := int(a.body["total"].(float64)); total != len(ids) {
				c.s.t.Fatalf("total is %d, the pages hold %d", total, len(ids))
			}
			return ids
		}
		cursor = next
	}
}

type obj map[string]any

func databaseFile(t testing.TB) string { return filepath.Join(t.TempDir(), "directory.db") }
