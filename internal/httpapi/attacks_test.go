package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
)

// onPort serves an API on a port of its own.
func onPort(t *testing.T, a *api) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	return server
}

// raw sends bytes to a server on a connection of their own.
func raw(t *testing.T, server *httptest.Server, text string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// answered reads one answer.
func answered(t *testing.T, conn net.Conn) (status int, all string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, fmt.Sprint(resp.Header, string(body))
}

// TestNothingIsMadeOfTheHost: whatever host a request names, by header or in its target, no answer has it.
func TestNothingIsMadeOfTheHost(t *testing.T) {
	server := onPort(t, serve(t, Deps{}, Config{}))
	for _, path := range []string{"/v1/accounts", "/nothing", "/openapi.json", "/healthz", "/v1//accounts", "/v1/accounts/", "/../etc", "//evil.example/x"} {
		for _, head := range []string{
			"GET " + path + " HTTP/1.1\r\nHost: evil.example\r\n\r\n",
			"GET http://evil.example" + path + " HTTP/1.1\r\nHost: evil.example\r\n\r\n",
			"GET " + path + " HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Original-URL: /evil.example\r\n\r\n",
		} {
			status, all := answered(t, raw(t, server, head))
			if strings.Contains(strings.ReplaceAll(all, "//evil.example/x", ""), "evil.example") || status >= 300 && status < 400 {
				t.Errorf("%q is answered %d %s", head, status, all)
			}
		}
	}
	for _, head := range []string{
		"GET /healthz HTTP/1.1\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\rb\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
		"POST /v1/check HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "GET /healthz HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
	} {
		if status, all := answered(t, raw(t, server, head)); status != 400 && status != 501 {
			t.Errorf("%q is answered %d %s", head, status, all)
		}
	}
}

// TestLogInjection: what a request says is in the log as text of one line, in either format.
func TestLogInjection(t *testing.T) {
	const evil = "x\r\nlevel=ERROR msg=\"all is lost\"\x1b[31m\u2028\x00"
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"json": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
	} {
		var log bytes.Buffer
		h := New(Deps{Authenticator: known{}, Logger: slog.New(handler(&log)), Directory: newDirectory(t, broken{err: fmt.Errorf("a cause: %s", evil)}, granting{})}, Config{})
		for _, path := range []string{"/v1/accounts", "/" + evil, "/v1/accounts/" + evil} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.URL.Path = path
			r.RemoteAddr = evil
			for _, name := range []string{"X-Request-Id", "User-Agent", "Act-For-User", "Consistency-Token", "If-Match", "X-Forwarded-For", "Host", "Referer", "Origin", "Content-Type"} {
				for _, credential := range []string{"Bearer good", evil} {
					r.Header = http.Header{name: {evil}, "Authorization": {credential}}
					h.ServeHTTP(httptest.NewRecorder(), r)
				}
			}
		}
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if len(lines) != 60 {
			t.Errorf("%s: 60 requests failed, the log has %d lines", name, len(lines))
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, "time=") && !strings.HasPrefix(line, `{"time":`) || strings.ContainsAny(line, "\r\x1b\x00\u2028") {
				t.Errorf("%s: a line of the log is %q", name, line)
			}
		}
		if strings.Contains(log.String(), "Bearer") || strings.Contains(log.String(), "good") {
			t.Errorf("%s: a credential is in the log", name)
		}
	}
}

// one lets one question be worked on at once.
func one() Config {
	return Config{Limits: Limits{AtWork: 1, Wait: time.Minute}, BodyTimeout: time.Minute}
}

// TestSlowBodiesHoldNoTurn: who sends a body byte by byte is in nobody's way.
func TestSlowBodiesHoldNoTurn(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	a := serve(t, Deps{Directory: d}, one())
	server := onPort(t, a)
	var slow []net.Conn
	for range 20 {
		slow = append(slow, raw(t, server, "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"name\":"))
	}
	for range 20 {
		if status, all := answered(t, raw(t, server, "GET /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n")); status != 200 {
			t.Fatalf("answered %d %s", status, all)
		}
	}
	if _, err := io.WriteString(slow[0], `"Slow"}`); err != nil {
		t.Fatal(err)
	}
	if status, all := answered(t, slow[0]); status != 201 {
		t.Errorf("the slow one: %d %s", status, all)
	}
}

// stuck is the connection of a reader who takes nothing.
type stuck struct {
	http.ResponseWriter
	writing, release chan struct{}
}

func (s stuck) Write(p []byte) (int, error) {
	s.writing <- struct{}{}
	<-s.release
	return s.ResponseWriter.Write(p)
}

// takeNothing has readers ask, whose answers wait to be taken until taken is called.
func takeNothing(a *api, readers int, request func() *http.Request) (taken func()) {
	s := stuck{writing: make(chan struct{}, readers), release: make(chan struct{})}
	var asked sync.WaitGroup
	for range readers {
		asked.Go(func() {
			mine := s
			mine.ResponseWriter = httptest.NewRecorder()
			a.handler.ServeHTTP(mine, request())
		})
		<-s.writing
	}
	return func() {
		close(s.release)
		asked.Wait()
	}
}

// TestReadersWhoTakeNothingHoldNoTurn: an answer is sent when its turn is over.
func TestReadersWhoTakeNothingHoldNoTurn(t *testing.T) {
	d, _ := onSQLite(t, granting{})
	a := serve(t, Deps{Directory: d}, one())
	request := func() *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/accounts", nil)
		r.Header.Set("Authorization", "Bearer good")
		return r
	}
	taken := takeNothing(a, 20, request)
	a.send(request()).ok(200)
	taken()
}

// TestWhoIsTooMuchIsToldSo: a request that gets no turn is refused, and the next one is not.
func TestWhoIsTooMuchIsToldSo(t *testing.T) {
	cfg := one()
	cfg.Limits.Wait = time.Millisecond
	entered, release := make(chan struct{}), make(chan struct{})
	a := serve(t, Deps{Directory: newDirectory(t, halting{entered: entered, release: release}, granting{})}, cfg)
	first := make(chan answer, 1)
	go func() { first <- a.do("GET", "/v1/accounts", "") }()
	<-entered
	if got := a.do("GET", "/v1/accounts", "").refused(503, "too_busy", ""); got.header.Get("Retry-After") != "1" {
		t.Errorf("the refusal: %v", got.header)
	}
	a.do("GET", "/healthz", "").ok(200)
	close(release)
	if got := <-first; got.status != 404 {
		t.Errorf("the first one: %d %s", got.status, got.text)
	}
	go func() { <-entered }()
	a.do("GET", "/v1/accounts", "").ok(404)
}

// halting is a store that answers when it is let.
type halting struct {
	empty
	entered, release chan struct{}
}

func (h halting) Head(ctx context.Context, env account.EnvironmentID) (account.Version, error) {
	h.entered <- struct{}{}
	<-h.release
	return h.empty.Head(ctx, env)
}
