package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/identity/oidc"
)

// Handler returns the HTTP API; with /metrics unless that has a listener of its own. It may be called once.
func (a *App) Handler() http.Handler {
	a.cfg.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	callers := identity.New(identity.Sources{
		Credentials: a.Store, Acting: a.Access, APITokens: a.Store, Keys: a.Keys, Impersonating: a.Access, Opening: a.Access, Issuer: a.cfg.PublicURL, Uses: a.uses, Now: a.cfg.Now,
		Issuers: a.Store, Providers: a.providers(), SignIns: a.Directory, Marks: a.Store,
	})
	signer := identity.NewSigner(a.Keys, a.cfg.PublicURL, a.cfg.Now)
	deps := httpapi.Deps{
		Directory:     a.Directory,
		Access:        a.Access,
		Authenticator: callers,
		Issuer:        signer,
		OAuth:         httpapi.OAuth{Issuer: a.cfg.PublicURL, Clients: callers, Tokens: signer, Keys: a.Keys},
		Marks:         a.Store,
		Ready:         a.Ready,
		Registry:      a.cfg.Registry,
		Logger:        a.cfg.Log,
		Stopping:      a.stopping,
	}
	if a.cfg.MetricsListener == nil {
		deps.Metrics = a.metrics()
	}
	in := a.cfg.Transport
	if in.Limits.AtWork == 0 && a.cfg.Embedded() { // all is computed here: more at once would be no faster
		in.Limits.AtWork = max(2, runtime.GOMAXPROCS(0))
	}
	return httpapi.New(deps, httpapi.Config{Timeout: a.cfg.RequestTimeout, TrustedProxies: in.TrustedProxies, Origins: in.Origins, Limits: in.Limits})
}

// providers verifies the tokens of users and operators who signed in elsewhere.
func (a *App) providers() *oidc.Providers {
	return oidc.New(oidc.Config{Self: a.cfg.PublicURL, AllowHTTP: a.cfg.InsecureIssuers, Log: a.cfg.Log, Now: a.cfg.Now})
}

func (a *App) metrics() http.Handler {
	return promhttp.HandlerFor(a.cfg.Registry, promhttp.HandlerOpts{})
}

// Serve answers HTTP on the listener until ctx ends, then lets requests under
// way finish for the configured grace. It returns why it stopped, nil if it was
// asked to, and closes the listeners. It may be called once.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	certificate, err := a.certificate(watching)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.beKnown(ctx, listener.Addr(), certificate != nil)
	a.warnOfTrust()
	if certificate == nil {
		a.warnOfPlainText(listener)
	}
	a.working.Go(func() { a.Keys.Run(watching) })
	servers := []*server{a.listen(listener, a.Handler(), certificate, a.cfg.Registry)}
	a.cfg.Log.InfoContext(ctx, "tenantry listens", "address", listener.Addr().String(), "tls", certificate != nil)
	if l := a.cfg.MetricsListener; l != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", a.metrics())
		servers = append(servers, a.listen(l, mux, nil, nil))
		a.cfg.Log.InfoContext(ctx, "metrics are on a listener of their own", "address", l.Addr().String())
	}
	var stopped error
	select {
	case <-servers[0].ended:
	case <-servers[len(servers)-1].ended:
	case <-a.failed:
		stopped = a.why
	case <-ctx.Done():
	}
	close(a.stopping)
	a.cfg.Log.InfoContext(ctx, "tenantry stops; requests under way may finish", "grace", a.cfg.Grace)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Grace)
	defer cancel()
	for _, s := range servers {
		stopped = errors.Join(stopped, s.shutdown(grace))
	}
	return stopped
}

// beKnown settles in whose name tokens are issued, if that was not said: good for this machine alone.
func (a *App) beKnown(ctx context.Context, listens net.Addr, encrypted bool) {
	if a.cfg.PublicURL != "" {
		return
	}
	address, here := addressHere(listens, encrypted)
	level := slog.LevelInfo
	if !here {
		level = slog.LevelWarn // others come too, and are told to go to this machine of theirs
	}
	a.cfg.PublicURL = address
	a.cfg.Log.Log(ctx, level, "tokens are issued in the name of an address on this machine; a deployment needs --public-url", "public_url", address)
}

// shutdown lets requests finish until ctx ends, and then cuts them off.
func (s *server) shutdown(ctx context.Context) error {
	err := s.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.Close())
	}
	<-s.ended
	if !errors.Is(s.err, http.ErrServerClosed) {
		err = errors.Join(err, s.err)
	}
	return err
}
