package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/transport"
)

// certify writes a certificate for 127.0.0.1 with a serial number, and its key.
func certify(t *testing.T, files transport.Files, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// overTLS gets a path, and returns the answer's status, protocol and assurance of TLS, and the certificate's serial number.
func overTLS(t *testing.T, by *http.Client, url string) (answer string, serial int64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := by.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	answer = strings.Join([]string{resp.Status, resp.Proto, resp.Header.Get("Strict-Transport-Security")}, ", ")
	return answer, resp.TLS.PeerCertificates[0].SerialNumber.Int64()
}

// TestTLS: new connections get the new certificate, old ones go on, and plain HTTP is not answered.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	files := transport.Files{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Every: 5 * time.Millisecond}
	certify(t, files, 1)
	cfg := oneMachine.make(t)
	cfg.Transport.TLS = files
	s := start(t, cfg)
	url := strings.Replace(s.url, "http:", "https:", 1) + "/healthz"
	client := func() *http.Client {
		trust := &tls.Config{InsecureSkipVerify: true} // which certificate it is, is what the test looks at
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
	old := client()
	got, serial := overTLS(t, old, url)
	if got != "200 OK, HTTP/2.0, max-age=31536000" || serial != 1 {
		t.Errorf("answered %s with certificate %d", got, serial)
	}
	certify(t, files, 2)
	eventually(t, "the new certificate", func() bool {
		_, serial := overTLS(t, client(), url)
		return serial == 2
	})
	if _, serial := overTLS(t, old, url); serial != 1 {
		t.Errorf("an old connection has certificate %d now", serial)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP is answered %s", plain.Status)
	}
}

func TestWithoutItsCertificateAServerDoesNotStart(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Log = quiet()
	cfg.Transport.TLS = transport.Files{Cert: filepath.Join(t.TempDir(), "none"), Key: filepath.Join(t.TempDir(), "none")}
	a, err := app.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	if err := a.Serve(t.Context(), l); !fault.HasCode(err, "unreadable_file") {
		t.Errorf("serve: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is open")
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestSlowAndSilentClients: headers that do not come, answers that nobody takes and headers without end
// are given up, and others are answered meanwhile.
func TestSlowAndSilentClients(t *testing.T) {
	cfg := oneMachine.make(t)
	cfg.Transport.HeaderTimeout = 300 * time.Millisecond
	cfg.Transport.Connections = transport.Bounds{Most: 40, Each: 30}
	s := start(t, cfg)
	s.environment("prod")
	op := s.client("prod", "op", false, account.PortalAdmin)
	dial := func(text string) net.Conn {
		t.Helper()
		return dialFrom(t, s, "127.0.0.2", text)
	}
	var slow []net.Conn
	for range 60 { // twice as many as may be
		slow = append(slow, dial("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "))
	}
	for range 10 { // the document is large, and nobody reads it
		dial(strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 200))
	}
	for range 20 {
		op.must("GET", "/v1/accounts", nil)
	}
	for i, c := range slow {
		if text, err := io.ReadAll(c); os.IsTimeout(err) || bytes.Contains(text, []byte("200 OK")) {
			t.Fatalf("slow client %d: %v %s", i, err, text)
		}
	}
	large := dial("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n")
	if text, _ := io.ReadAll(large); !bytes.HasPrefix(text, []byte("HTTP/1.1 431 ")) {
		t.Errorf("endless headers: %.200s", text)
	}
	op.must("GET", "/v1/accounts", nil)
}

// TestTokensOnANetworkAreWarnedOf: once, and not where TLS, a proxy, or the loopback interface keeps them.
func TestTokensOnANetworkAreWarnedOf(t *testing.T) {
	for name, tt := range map[string]struct {
		address string
		proxies account.Networks
		want    bool
	}{
		"network": {"0.0.0.0:0", "", true}, "loopback": {"127.0.0.1:0", "", false}, "proxy": {"0.0.0.0:0", "192.0.2.0/24", false},
	} {
		var log said
		cfg := oneMachine.make(t)
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		cfg.Transport.TrustedProxies = tt.proxies
		a, err := app.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.Serve(ctx, l); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(log.String(), "without TLS"); got != tt.want {
			t.Errorf("%s: warned is %t", name, got)
		}
	}
}
