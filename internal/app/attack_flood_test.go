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
	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/transport"
)

// dialFrom sends text over a connection of its own, from an address of this machine, and reads nothing.
func dialFrom(t *testing.T, s *service, from, text string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(context.Background(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, text) // it may be closed already
	return c
}

// begun waits for an answer to begin, and returns the status that it begins with.
func begun(t *testing.T, c net.Conn) string {
	t.Helper()
	head := make([]byte, len("HTTP/1.1 100"))
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(head), "HTTP/1.1 ")
}

// continued waits until the server reads the body that a request announced.
func continued(t *testing.T, c net.Conn) {
	t.Helper()
	if status := begun(t, c); status != "100" {
		t.Fatalf("the body is not asked for: %s", status)
	}
}

// slowBody is a request whose body does not come.
func slowBody(path, mediaType string, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: " + mediaType + "\r\nContent-Length: 100\r\n" +
		strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

// anew is the caller on a new connection each time.
func anew(c caller) caller {
	c.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return c
}

// TestAttack_StrangersWithSlowBodiesKeepNobodyOut: they come from as many addresses as it takes to have every connection.
func TestAttack_StrangersWithSlowBodiesKeepNobodyOut(t *testing.T) {
	for name, request := range map[string]string{
		"token endpoint": slowBody("/oauth2/token", "application/x-www-form-urlencoded"),
		"invitations":    slowBody("/v1/invitations/accept", "application/json"),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := oneMachine.make(t)
			cfg.Transport = app.Transport{Connections: transport.Bounds{Most: 40}, Limits: httpapi.Limits{Most: 20, Each: 3}}
			s := start(t, cfg)
			s.environment("prod")
			op := anew(s.client("prod", "op", false, account.PortalAdmin))
			for i := range 4 {
				for range 10 {
					continued(t, dialFrom(t, s, fmt.Sprintf("127.0.0.%d", i+2), request))
				}
			}
			for range 20 {
				op.must("GET", "/v1/accounts", nil)
			}
		})
	}
}

// TestAttack_StrangersWithUnreadDocumentsKeepNobodyOut: an answer that is not read is not our work for long.
func TestAttack_StrangersWithUnreadDocumentsKeepNobodyOut(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Connections: transport.Bounds{Most: 8}}
	s := start(t, cfg)
	s.environment("prod")
	op := anew(s.client("prod", "op", false, account.PortalAdmin))
	flood := strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 100) // more than what is on the way
	for i := range 4 {
		for range 2 {
			c := dialFrom(t, s, fmt.Sprintf("127.0.0.%d", i+2), flood)
			begun(t, c) // it is being sent
		}
	}
	for range 3 {
		eventually(t, "an answer", func() bool {
			a, err := op.try("GET", "/v1/accounts", nil)
			return err == nil && a.status == http.StatusOK
		})
	}
}

// TestAttack_OneAccountsTokensLeavePlacesToOthers: whoever may make API tokens makes eight, and sends slow bodies with each.
func TestAttack_OneAccountsTokensLeavePlacesToOthers(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: httpapi.Limits{Most: 16, Each: 2}}
	w := furnished(t, cfg)
	outsider := w.delegate.as("outsider") // an admin of initech alone
	held, refused := 0, 0
	for i := range 8 {
		made := outsider.must("POST", "/v1/accounts/initech/api-tokens", obj{"name": fmt.Sprint("robot ", i), "roles": []string{"viewer"}})
		for range 2 {
			c := dialFrom(t, w.service, "127.0.0.2", slowBody("/v1/check", "application/json", "Authorization: Bearer "+made.body["token"].(string)))
			switch status := begun(t, c); status {
			case "100":
				held++
			case "503":
				refused++
			default:
				t.Fatalf("answered %s", status)
			}
		}
	}
	if held != 2 || refused != 14 {
		t.Errorf("%d bodies are waited for, %d were refused; the account has 2 places", held, refused)
	}
	w.op.must("GET", "/v1/accounts", nil)
	w.dev.must("GET", "/v1/accounts", nil)
}

// TestAttack_StrangersKeepInvitationsFromNobody: two addresses that send slow bodies, as many as they may.
func TestAttack_StrangersKeepInvitationsFromNobody(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport = app.Transport{Limits: httpapi.Limits{Most: 16, Each: 2}}
	s := start(t, cfg)
	s.environment("prod")
	for i := range 2 {
		for range 2 {
			continued(t, dialFrom(t, s, fmt.Sprintf("127.0.0.%d", i+2), slowBody("/v1/invitations/accept", "application/json")))
		}
	}
	a := caller{s: s}.do("POST", "/v1/invitations/preview", obj{"token": "tenantry_invitation_prod.x.y"})
	if a.status != http.StatusNotFound {
		t.Errorf("a third address previews an invitation: %d %s", a.status, a.code())
	}
}
