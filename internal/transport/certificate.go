package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/fault"
)

// Files are a certificate with its chain, and its key, both as PEM.
type Files struct {
	Cert, Key string
	Every     time.Duration // how often to look whether they have changed; 5 s if 0
}

// Certificate is what a server shows to its clients: that of the files, exchanged when they are.
type Certificate struct {
	files   Files
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[tls.Certificate]
	expires prometheus.Gauge

	seen    [2][]byte // what was read of the files last
	trouble string    // what was said of it last, so that it is said once
	warned  bool      // that the current one expires soon
}

// LoadCertificate reads the files. Invalid faults (unreadable_file, invalid_certificate).
func LoadCertificate(files Files, log *slog.Logger, now func() time.Time, registry prometheus.Registerer) (*Certificate, error) {
	if files.Every <= 0 {
		files.Every = 5 * time.Second
	}
	c := &Certificate{files: files, log: log, now: now, expires: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tenantry_tls_certificate_expiry_seconds", Help: "When the certificate that is shown to clients expires, in seconds since 1970.",
	})}
	read, err := c.read()
	if err != nil {
		return nil, err
	}
	pair, err := parse(read)
	if err != nil {
		return nil, err
	}
	c.seen = read
	c.use(pair)
	c.remind()
	if registry != nil {
		registry.MustRegister(c.expires)
	}
	return c, nil
}

// Config is for a server that shows the certificate.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// Watch looks for new files until ctx ends. What is not a certificate with its key leaves the current one as it is, and is logged.
func (c *Certificate) Watch(ctx context.Context) {
	ticker := time.NewTicker(c.files.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.look()
		case <-ctx.Done():
			return
		}
	}
}

// look takes the files if they have changed. Contents are compared, since a file can change within one tick of its clock.
func (c *Certificate) look() {
	defer c.remind()
	read, err := c.read()
	if err != nil {
		c.complain(err)
		return
	}
	if bytes.Equal(read[0], c.seen[0]) && bytes.Equal(read[1], c.seen[1]) {
		c.trouble = ""
		return
	}
	pair, err := parse(read)
	if err == nil && pair.Leaf.NotAfter.Before(c.now()) && c.current.Load().Leaf.NotAfter.After(c.now()) {
		err = invalidCertificate("it has expired")
	}
	if err != nil { // perhaps only one of them is new yet
		c.complain(err)
		return
	}
	c.seen, c.trouble = read, ""
	c.use(pair)
}

func (c *Certificate) complain(err error) {
	if c.trouble != err.Error() {
		c.trouble = err.Error()
		c.log.Error("the new TLS certificate cannot be used; the one before stays", "error", err, "certificate", c.files.Cert, "key", c.files.Key, "expires", c.current.Load().Leaf.NotAfter)
	}
}

func (c *Certificate) use(pair *tls.Certificate) {
	c.current.Store(pair)
	c.expires.Set(float64(pair.Leaf.NotAfter.Unix()))
	c.warned = false
	c.log.Info("TLS certificate", "subject", pair.Leaf.Subject.String(), "names", pair.Leaf.DNSNames, "serial", pair.Leaf.SerialNumber.Text(16), "expires", pair.Leaf.NotAfter)
}

// expiresSoon is how long before its end a certificate is complained of.
const expiresSoon = 14 * 24 * time.Hour

// remind says, once, that the current certificate expires soon, or has.
func (c *Certificate) remind() {
	end := c.current.Load().Leaf.NotAfter
	if !c.warned && end.Before(c.now().Add(expiresSoon)) {
		c.warned = true
		c.log.Warn("the TLS certificate expires soon, or has expired; put a new one in its place", "expires", end, "certificate", c.files.Cert)
	}
}

// read returns what is in the files.
func (c *Certificate) read() (out [2][]byte, err error) {
	for i, name := range []string{c.files.Cert, c.files.Key} {
		if out[i], err = os.ReadFile(name); err != nil {
			return out, fault.New(fault.Invalid, "unreadable_file", "cannot read %s", name).Because(err)
		}
	}
	return out, nil
}

func parse(files [2][]byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(files[0], files[1])
	if err != nil {
		return nil, invalidCertificate(err.Error())
	}
	return &pair, nil
}

// invalidCertificate tells what is wrong, which has nothing of the key in it.
func invalidCertificate(why string) error {
	return fault.New(fault.Invalid, "invalid_certificate", "the files of the TLS certificate and its key do not hold them in PEM, or do not belong together: %s", why)
}
