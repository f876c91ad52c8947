package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/identity"
)

// Handler returns the HTTP API. It may be called once.
func (a *App) Handler() http.Handler {
	a.cfg.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return httpapi.New(httpapi.Deps{
		Directory:     a.Directory,
		Access:        a.Access,
		Authenticator: identity.New(a.Store, a.Access),
		Ready:         a.Ready,
		Metrics:       promhttp.HandlerFor(a.cfg.Registry, promhttp.HandlerOpts{}),
		Registry:      a.cfg.Registry,
		Logger:        a.cfg.Log,
	}, httpapi.Config{Timeout: a.cfg.RequestTimeout})
}

// Serve answers HTTP on the listener until ctx ends, then lets requests under
// way finish for the configured grace. It returns why it stopped, nil if it was asked to.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           a.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    128 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	a.cfg.Log.InfoContext(ctx, "tenantry listens", "address", listener.Addr().String())
	var stopped error
	select {
	case err := <-served:
		return err
	case stopped = <-a.failure:
	case <-ctx.Done():
	}
	a.cfg.Log.InfoContext(ctx, "tenantry stops; requests under way may finish", "grace", a.cfg.Grace)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		stopped = errors.Join(stopped, server.Close())
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		stopped = errors.Join(stopped, err)
	}
	return stopped
}
