package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/testpg"
	"github.com/tenantry/tenantry/internal/testspice"
)

// machines is the shape of docker-compose.yml as plain processes: PostgreSQL for
// the directory, SpiceDB with a database of its own, and tenantry told where
// they are by environment variables.
type machines struct {
	t   *testing.T
	env []string
	url string
}

func newMachines(t *testing.T) *machines {
	t.Helper()
	spice := testspice.Start(t, testpg.Database(t))
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return &machines{t: t, url: "http://" + address, env: append(os.Environ(),
		"TENANTRY_DATABASE="+testpg.Database(t), "TENANTRY_ENGINE="+spice.Address, "TENANTRY_ENGINE_KEY="+spice.Key,
		"TENANTRY_ENGINE_PLAINTEXT=true", "TENANTRY_LISTEN="+address)}
}

// run runs a command to its end and returns what it printed; it has to end with the exit code.
func (m *machines) run(code int, args ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tenantry", args...)
	cmd.Env = m.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		m.t.Fatalf("tenantry %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, stderr.String())
	}
	return string(out)
}

// serve starts a server and waits until it is ready.
func (m *machines) serve() *exec.Cmd {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), "tenantry", "serve")
	cmd.Env = m.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if m.ready() {
			return cmd
		}
		select {
		case <-deadline:
			m.t.Fatalf("the server is not ready:\n%s", stderr.String())
		case <-tick.C:
		}
	}
}

func (m *machines) ready() bool {
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.url+"/readyz", nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// TestSeveralMachines drives the shape of docker-compose.yml from the first
// command to a server that is killed and comes back.
func TestSeveralMachines(t *testing.T) {
	m := newMachines(t)
	if out := m.run(0, "load", "../../testdata/demo.ndjson"); !strings.Contains(out, "They are in force.") {
		t.Errorf("load: %q", out)
	}
	token := strings.TrimSpace(m.run(0, "client", "create", "shop", "--role", "admin"))
	ask := func(code int, args ...string) string {
		t.Helper()
		return m.run(code, append(args, "--server", m.url, "--token", token)...)
	}
	server := m.serve()
	if out := ask(0, "check", "user:ada", "access", "account:globex-north-acme"); out != "allowed\n" {
		t.Errorf("ada: %q", out)
	}
	if out := ask(1, "check", "user:bob", "access", "account:globex-north-acme"); out != "denied\n" {
		t.Errorf("bob: %q", out)
	}
	if out := ask(0, "accounts", "ada"); strings.Count(out, "\n") != 55 {
		t.Errorf("ada's accounts:\n%s", out)
	}
	m.run(0, "reconcile", "--dry-run")

	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()                  // killed
	m.run(0, "reconcile", "--dry-run") // looks, with no server running
	server = m.serve()
	ask(0, "check", "user:ada", "access", "account:globex-north-acme")

	// a client that is revoked beside the running server opens nothing
	m.run(0, "client", "revoke", "shop")
	ask(2, "check", "user:ada", "access", "account:globex-north-acme")

	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server should stop when asked to: %v", err)
	}
}
