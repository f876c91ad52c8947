package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/transport"
)

// Transport says how callers come in. The zero value is plain HTTP, without limits to the rate of requests.
type Transport struct {
	TrustedProxies account.Networks // are believed about where requests come from
	Origins        []string         // of web pages that may call, as httpapi.CheckOrigins returns them
	Limits         httpapi.Limits
	Connections    transport.Bounds // their Exempt are the TrustedProxies
	TLS            transport.Files  // no TLS if no file is named
	HeaderTimeout  time.Duration    // how long the headers of a request may take to arrive; 10 s if 0
}

// maxHeader is about the most bytes that the headers of a request may have.
const maxHeader = 32 << 10

// maxStreams is how many requests there may be at once on one connection of HTTP/2.
const maxStreams = 100

// server is an HTTP server at work on a listener.
type server struct {
	*http.Server
	ended chan struct{} // closed when it answers no more
	err   error         // why; to be read after ended
}

// writeMargin is the time, beyond what a request may take, to send its answer.
const writeMargin = 30 * time.Second

// listen starts a server on a listener; with TLS if there is a certificate.
func (a *App) listen(l net.Listener, handler http.Handler, certificate *transport.Certificate, registry prometheus.Registerer) *server {
	cfg := a.cfg.Transport
	bounds := cfg.Connections
	for _, text := range cfg.TrustedProxies.List() {
		if p, err := netip.ParsePrefix(text); err == nil { // as ParseNetworks writes them
			bounds.Exempt = append(bounds.Exempt, p)
		}
	}
	bounded := transport.Bound(l, bounds, registry)
	headerTimeout := cfg.HeaderTimeout
	if headerTimeout == 0 {
		headerTimeout = 10 * time.Second
	}
	s := &server{ended: make(chan struct{}), Server: &http.Server{
		Handler:           transport.Handler(handler),
		ConnContext:       transport.ConnContext,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       time.Minute,
		WriteTimeout:      max(2*time.Minute, a.cfg.RequestTimeout+writeMargin),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: 30 * time.Second},
		ErrorLog:          slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelDebug), // what strangers send is not for the log of every day
	}}
	serve := s.Serve
	if certificate != nil {
		s.TLSConfig = certificate.Config()
		serve = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	}
	go func() {
		defer close(s.ended)
		s.err = serve(bounded)
	}()
	return s
}

// certificate loads the TLS certificate and watches its files until ctx ends; nil if there is to be no TLS.
func (a *App) certificate(ctx context.Context) (*transport.Certificate, error) {
	files := a.cfg.Transport.TLS
	if files.Cert == "" && files.Key == "" {
		return nil, nil
	}
	certificate, err := transport.LoadCertificate(files, a.cfg.Log, a.cfg.Now, a.cfg.Registry)
	if err != nil {
		return nil, err
	}
	go certificate.Watch(ctx)
	return certificate, nil
}

// warnOfTrust says so when everybody is believed about where requests come from.
func (a *App) warnOfTrust() {
	for _, network := range a.cfg.Transport.TrustedProxies.List() {
		if strings.HasSuffix(network, "/0") {
			a.cfg.Log.Warn("--trusted-proxies names everybody: every caller may say where they call from, past allow lists and limits", "trusted_proxies", network)
		}
	}
}

// warnOfPlainText says so when tokens go over a network as they are.
func (a *App) warnOfPlainText(l net.Listener) {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && a.cfg.Transport.TrustedProxies == "" {
		a.cfg.Log.Warn("tenantry listens on a network without TLS: whoever is on the way can read and use the tokens; "+
			"give --tls-cert and --tls-key, or put a proxy with TLS before it and name it with --trusted-proxies", "address", tcp.String())
	}
}
