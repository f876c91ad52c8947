package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestServeEndsWhenTheEngineDoes: a server whose engine is gone says so and ends, rather than refuse everything for ever.
func TestServeEndsWhenTheEngineDoes(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Log = quiet()
	a, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, listen(t)) }()
	if err := a.Engine.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err == nil || fault.From(err).Code != "engine_stopped" {
		t.Errorf("serve: %v", err)
	}
	if err := a.CatchUp(ctx); err != nil && fault.From(err).Code != "engine_stopped" {
		t.Errorf("catching up: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestMetricsOnAListenerOfTheirOwn: the API's port has no metrics then, and the metrics' port nothing else.
func TestMetricsOnAListenerOfTheirOwn(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.MetricsListener = listen(t)
	s := start(t, cfg)
	get := func(url string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	own := "http://" + cfg.MetricsListener.Addr().String()
	if status, _ := get(s.url + "/metrics"); status != 404 {
		t.Errorf("metrics on the API's port: %d", status)
	}
	if status, body := get(own + "/metrics"); status != 200 || !strings.Contains(body, "tenantry_http_requests_total") {
		t.Errorf("metrics on their own: %d\n%.500s", status, body)
	}
	if status, _ := get(own + "/v1/accounts"); status != 404 {
		t.Errorf("the API on the metrics' port: %d", status)
	}
}

// TestAMissingDatabaseIsNotMade: a mistyped path is an error, not an empty directory.
func TestAMissingDatabaseIsNotMade(t *testing.T) {
	cfg := app.Config{DataDir: t.TempDir() + "/typo", MustExist: true, Log: quiet()}
	for name, open := range map[string]func(context.Context, app.Config) (*app.App, error){"directory": app.OpenDirectory, "whole": app.Open} {
		if _, err := open(t.Context(), cfg); err == nil || fault.From(err).Code != "database_missing" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReadinessNamesNoEnvironment: whoever can connect may ask, and learns a code only.
func TestReadinessNamesNoEnvironment(t *testing.T) {
	cfg := oneMachine.make(t)
	release := make(chan struct{})
	cfg.OnBuild = func(account.EnvironmentID, int, int) { <-release }
	cfg.ApplyWait = time.Millisecond // it cannot come into force
	s := start(t, cfg)
	t.Cleanup(func() { close(release) }) // before the server ends
	s.environment("sesame")
	eventually(t, "readiness that waits for the environment", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(string(body), resp.Header); strings.Contains(text, "sesame") {
			t.Errorf("readyz: %s", text)
		}
		return resp.StatusCode == 503 && strings.Contains(string(body), "relay_starting")
	})
}
