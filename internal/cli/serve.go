package cli

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
)

func (c *console) serveCommand() *cobra.Command {
	d := deployment{mayCreate: true}
	var post postage
	var in entrance
	var address, metrics string
	index := onOff(true)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Serve runs the server until it is interrupted. It keeps what it is told in --data:
SQLite for the directory, SQLite for the embedded SpiceDB. For several replicas give
--database a PostgreSQL URL and --engine the address of a SpiceDB cluster.

There is no environment and no credential at first. Make them with
tenantry environment create and tenantry client create, before or while it runs.`,
		Example: "  tenantry serve\n  tenantry serve --database postgres://… --engine spicedb:50051",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := d.config(c)
			if err != nil {
				return err
			}
			if cfg.Mail, err = post.config(); err != nil {
				return err
			}
			if cfg.Transport, err = in.config(); err != nil {
				return err
			}
			cfg.OnBuild = c.filling()
			cfg.WithoutIndex = !bool(index)
			cfg.EngineWait = 5 * time.Second // for a server that is just stopping, or a command
			if metrics != "" {
				if cfg.MetricsListener, err = listen(cmd.Context(), "--metrics-listen", metrics); err != nil {
					return err
				}
				defer func() { _ = cfg.MetricsListener.Close() }() // closed already if the server came to serve
			}
			a, err := app.Open(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return errors.Join(c.serve(cmd.Context(), a, address, func(string) {}), a.Close())
		},
	}
	d.register(cmd.Flags())
	post.register(cmd.Flags())
	in.register(cmd.Flags())
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on")
	cmd.Flags().Var(&index, "index", "on or off: answer account switchers and checks of accounts from memory, held against SpiceDB all the time; off asks SpiceDB each time")
	cmd.Flags().StringVar(&metrics, "metrics-listen", "", "address to answer /metrics on, and nothing else (default: --listen)")
	cmd.Flags().StringVar(&d.cfg.PublicURL, "public-url", "", "address at which this deployment is known, like https://tenantry.example; tokens are issued in its name (default: --listen, on this machine)")
	cmd.Flags().DurationVar(&d.cfg.KeyAge, "key-age", 0, "age at which the key that signs tokens is replaced, a day or more (default 720h)")
	cmd.Flags().DurationVar(&d.cfg.ApplyWait, "apply-wait", 0, "how long a write waits to be in force before it answers 202 (default 5s)")
	cmd.Flags().DurationVar(&d.cfg.FreshWait, "fresh-wait", 0, "how long a question waits for the version it asks for before it fails (default 2s)")
	cmd.Flags().DurationVar(&d.cfg.RequestTimeout, "request-timeout", 0, "the longest a request may take (default 30s)")
	cmd.Flags().BoolVar(&d.cfg.InsecureIssuers, "allow-http-issuers", false, "take OpenID providers on this machine, also without TLS: for development")
	return cmd
}

// serve listens and serves until ctx ends; started is called with the server's URL.
func (c *console) serve(ctx context.Context, a *app.App, address string, started func(url string)) error {
	listener, err := listen(ctx, "--listen", address)
	if err != nil {
		return err
	}
	started("http://" + listener.Addr().String())
	return a.Serve(ctx, listener)
}

func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Conflict, "cannot_listen", "cannot listen on %s; give another address with %s", address, flag).Because(err)
	}
	return listener, nil
}
