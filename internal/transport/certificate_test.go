package transport_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/transport"
)

// pair is a certificate with a serial number and an end, and its key, as PEM.
func pair(t *testing.T, serial int64, end time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "tenantry.example"}, DNSNames: []string{"tenantry.example"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) count(what string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Count(n.text.String(), what)
}

// watched is a certificate in files that are looked at again and again, with what it logs.
type watched struct {
	t     *testing.T
	files transport.Files
	cert  *transport.Certificate
	log   *notes
}

func watch(t *testing.T, serial int64, end time.Time) *watched {
	t.Helper()
	dir := t.TempDir()
	w := &watched{t: t, log: &notes{}, files: transport.Files{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Every: time.Millisecond}}
	w.put(pair(t, serial, end))
	var err error
	if w.cert, err = transport.LoadCertificate(w.files, slog.New(slog.NewTextHandler(w.log, nil)), time.Now, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) put(cert, key []byte) {
	w.t.Helper()
	for name, text := range map[string][]byte{w.files.Cert: cert, w.files.Key: key} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serial is that of the certificate which clients are shown now.
func (w *watched) serial() int64 {
	w.t.Helper()
	shown, err := w.cert.Config().GetCertificate(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return shown.Leaf.SerialNumber.Int64()
}

func (w *watched) eventually(what string, is func() bool) {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for !is() {
		select {
		case <-deadline:
			w.t.Fatalf("waited for %s; the log says:\n%s", what, w.log.text.String())
		case <-time.After(time.Millisecond):
		}
	}
}

func TestCertificateIsExchanged(t *testing.T) {
	later := time.Now().Add(365 * 24 * time.Hour)
	w := watch(t, 1, later)
	go w.cert.Watch(t.Context())
	const complaint = "the one before stays"

	cert, key := pair(t, 2, later)
	w.put(cert, nil) // half of it
	w.eventually("a complaint", func() bool { return w.log.count(complaint) == 1 })
	if w.serial() != 1 {
		t.Error("a certificate without its key is shown")
	}
	w.put(nil, key)
	w.eventually("the second certificate", func() bool { return w.serial() == 2 })

	w.put([]byte("no certificate"), []byte("no key"))
	w.eventually("a complaint", func() bool { return w.log.count(complaint) == 2 })
	if err := os.Remove(w.files.Key); err != nil {
		t.Fatal(err)
	}
	w.eventually("a complaint of the missing file", func() bool { return w.log.count("cannot read") >= 1 })
	w.put(pair(t, 3, time.Now().Add(-time.Hour)))
	w.eventually("a complaint of one that has expired", func() bool { return w.log.count("it has expired") == 1 })
	if w.serial() != 2 {
		t.Error("what cannot be used is shown")
	}
	w.put(pair(t, 4, time.Now().Add(24*time.Hour)))
	w.eventually("a certificate that expires soon", func() bool { return w.serial() == 4 && w.log.count("expires soon") == 1 })
	if w.log.count("PRIVATE") > 0 {
		t.Error("a key is in the log")
	}
}

func TestCertificateAtTheStart(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	missing := transport.Files{Cert: filepath.Join(dir, "none"), Key: filepath.Join(dir, "none")}
	if _, err := transport.LoadCertificate(missing, log, time.Now, nil); !fault.HasCode(err, "unreadable_file") {
		t.Errorf("missing: %v", err)
	}
	w := watch(t, 1, time.Now().Add(-time.Hour)) // better than nothing
	if w.log.count("has expired") != 1 {
		t.Error("nothing is said of a certificate that has expired")
	}
	_, other := pair(t, 2, time.Now().Add(time.Hour))
	w.put(nil, other)
	if _, err := transport.LoadCertificate(w.files, log, time.Now, nil); !fault.HasCode(err, "invalid_certificate") {
		t.Errorf("another's key: %v", err)
	}
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	w := watch(t, 1, time.Now().Add(time.Hour))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := tls.NewListener(inner, w.cert.Config())
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).HandshakeContext(t.Context())
			_ = c.Close()
		}
	}()
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2"}}}
		c, err := d.DialContext(t.Context(), "tcp", inner.Addr().String())
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			if got := c.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != "h2" {
				t.Errorf("%s: the protocol is %q", tls.VersionName(version), got)
			}
			_ = c.Close()
		}
	}
}
