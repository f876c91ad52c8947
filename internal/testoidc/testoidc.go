// Package testoidc is a test helper: it runs a real OpenID provider, the certified oidc-provider of Node.js, and signs users in at it.
//
// [Start] installs the provider once, as package-lock.json names it, into the
// user's cache, and runs it on a free port of the loopback address. Users sign in
// by the authorization code flow with PKCE; the provider believes who they say to
// be. Its process ends with the test, and with the test's process.
package testoidc

import (
	"bufio"
	"io"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long the provider gets to start, and to end.
const patience = time.Minute

// Provider is an OpenID provider at work. Its methods belong to the test's goroutine and end the test if they fail.
type Provider struct {
	Issuer string // its address, and the iss of its tokens; stays the same over a restart

	t      testing.TB
	script string
	output output
	input  io.Closer     // the process ends when it is closed
	ended  chan struct{} // closed when the process has ended
}

// Start runs a provider until the test ends.
func Start(tb testing.TB) *Provider {
	tb.Helper()
	p := &Provider{t: tb, script: install(tb)}
	tb.Cleanup(func() {
		p.Stop()
		if tb.Failed() {
			tb.Logf("testoidc: the provider said:\n%s", p.output.String())
		}
	})
	p.Start()
	return p
}

// Start runs the provider again after Stop, at the same address and with new keys.
func (p *Provider) Start() {
	p.t.Helper()
	port := "0"
	if u, err := url.Parse(p.Issuer); err == nil && p.Issuer != "" {
		port = u.Port()
	}
	cmd := exec.Command("node", p.script, port)
	cmd.Stderr = &p.output
	input, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatalf("testoidc: %v", err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatalf("testoidc: %v", err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("testoidc: %v", err)
	}
	issuer, ended := make(chan string, 1), make(chan struct{})
	p.input, p.ended = input, ended
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if address, ok := strings.CutPrefix(lines.Text(), "issuer "); ok {
				issuer <- address
			}
		}
		_ = cmd.Wait() // how it ended is in its output
	}()
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	select {
	case p.Issuer = <-issuer:
	case <-ended:
		p.t.Fatalf("testoidc: the provider did not start:\n%s", p.output.String())
	}
}

// Stop ends the provider: nobody answers at its address. It does nothing if the provider does not run.
func (p *Provider) Stop() {
	p.t.Helper()
	if p.input == nil {
		return
	}
	_ = p.input.Close() // fails only if the process has ended
	p.input = nil
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		p.t.Errorf("testoidc: the provider did not end within %s", patience)
	}
}

// Rotate replaces the keys that the provider signs with. The old ones are gone.
func (p *Provider) Rotate() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

// output keeps what the process writes.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(part []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(part)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
