package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/testdata"
)

func (c *console) serveCommand() *cobra.Command {
	var d deployment
	var address string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Serve runs the server until it is interrupted. It keeps what it is told in --data:
SQLite for the directory, SpiceDB embedded. For several replicas give --database a
PostgreSQL URL and --engine the address of a SpiceDB cluster.

There is no environment and no credential at first. Make them with
tenantry environment create and tenantry client create, before or while it runs.`,
		Example: "  tenantry serve\n  tenantry serve --database postgres://… --engine spicedb:50051",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := d.config(c)
			if err != nil {
				return err
			}
			a, err := app.Open(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			return errors.Join(c.serve(cmd.Context(), a, address, func(string) {}), a.Close())
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on")
	cmd.Flags().DurationVar(&d.cfg.ApplyWait, "apply-wait", 0, "how long a write waits to be in force before it answers 202 (default 5s)")
	cmd.Flags().DurationVar(&d.cfg.FreshWait, "fresh-wait", 0, "how long a question waits for the version it asks for before it fails (default 2s)")
	cmd.Flags().DurationVar(&d.cfg.RequestTimeout, "request-timeout", 0, "the longest a request may take (default 30s)")
	return cmd
}

// serve listens and serves until ctx ends; started is called with the server's URL.
func (c *console) serve(ctx context.Context, a *app.App, address string, started func(url string)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fault.New(fault.Conflict, "cannot_listen", "cannot listen on %s; give another address with --listen", address).Because(err)
	}
	started("http://" + listener.Addr().String())
	return a.Serve(ctx, listener)
}

func (c *console) demoCommand() *cobra.Command {
	var d deployment
	var address string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a server with a reseller's accounts in it, ready to try",
		Long: `Demo runs a server on this machine, loaded with a distributor's 68 accounts, its
resellers and their customers, and prints commands to try. Without --data it
forgets everything at the end.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly()
			if !cmd.Flags().Changed("data") {
				dir, err := os.MkdirTemp("", "tenantry-demo-")
				if err != nil {
					return err
				}
				defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
				d.cfg.DataDir = dir
				d.cfg.Database = filepath.Join(dir, "directory.db")
			}
			return d.with(cmd.Context(), c, app.Open, func(a *app.App) error {
				token, err := seed(cmd.Context(), a)
				if err != nil {
					return err
				}
				return c.serve(cmd.Context(), a, address, func(url string) { c.invite(url, token) })
			})
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on")
	return cmd
}

const (
	demoEnvironment account.EnvironmentID = "production"
	demoClient      account.ClientID      = "demo"
)

// seed loads the demo data and makes a client with every right; its token is new at every start.
func seed(ctx context.Context, a *app.App) (string, error) {
	var records []directory.Record
	err := ndjson.Read(bytes.NewReader(testdata.Demo), func(r directory.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return "", err
	}
	_, err = a.Directory.Load(ctx, directory.Request{Actor: system("")}, records, directory.LoadOptions{})
	if err != nil && !errors.Is(err, fault.Conflict) { // what was changed since the last demo stays changed
		return "", err
	}
	req := directory.Request{Actor: system(demoEnvironment)}
	if _, err := a.Directory.RevokeClient(ctx, req, demoClient); err != nil && !errors.Is(err, fault.NotFound) {
		return "", err
	}
	token, err := makeClient(ctx, a, demoEnvironment, account.Client{
		ID: demoClient, Name: "Demo", Roles: []account.PortalRole{account.PortalAdmin}, ActForUsers: true,
	})
	if err != nil {
		return "", err
	}
	return token, a.CatchUp(ctx)
}

// invite prints the commands to try.
func (c *console) invite(url, token string) {
	at := fmt.Sprintf("--server %s --token %s", url, token)
	fmt.Fprintf(c.out, `Tenantry serves a reseller's accounts at %[2]s. Stop it with Ctrl-C.

Try these in another terminal:

# Ada runs Globex, the distributor. May she see the sub-accounts of a customer two levels below?  (yes)
%[1]s check user:ada fe.account-hierarchy.read.subAccount account:globex-north-acme %[3]s

# Bob works in one department. May he open the customer's account?  (no)
%[1]s check user:bob access account:globex-north-acme %[3]s

# Which accounts may Ada open?  (an account switcher)
%[1]s accounts ada %[3]s

Or over HTTP: curl -H "Authorization: Bearer %[4]s" '%[2]s/v1/users/ada/accounts?q=acme'
The whole API: %[2]s/openapi.json
`, c.program, url, at, token)
}
