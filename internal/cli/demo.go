package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/identity"
	"github.com/tenantry/tenantry/internal/ndjson"
	"github.com/tenantry/tenantry/testdata"
)

func (c *console) demoCommand() *cobra.Command {
	d := deployment{mayCreate: true}
	var address string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a server with a reseller's accounts in it, ready to try",
		Long: `Demo runs a server on this machine, loaded with a distributor's 68 accounts, its
resellers and their customers, and prints commands to try. Without --data it
forgets everything at the end; with it, it works only in a folder of its own.

Of the settings of a deployment it knows no other: it never touches the database
or the SpiceDB that those name.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			if d.cfg.DataDir == "" {
				dir, err := os.MkdirTemp("", "tenantry-demo-")
				if err != nil {
					return err
				}
				defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
				d.cfg.DataDir = dir
			}
			if err := claim(d.cfg.DataDir); err != nil {
				return err
			}
			return d.with(cmd.Context(), c, app.Open, func(a *app.App) error {
				token, err := seed(cmd.Context(), a, d.cfg.DataDir)
				if err != nil {
					return err
				}
				return c.serve(cmd.Context(), a, address, func(url string) { c.invite(url, token) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.cfg.DataDir, "data", "", "folder to keep the demo's files in (default: a temporary one)")
	f.StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on")
	d.registerLog(f)
	return cmd
}

// demoMark is the file that tells a folder of the demo's.
const demoMark = "this-is-a-demo"

// claim makes a folder the demo's, unless it holds a database that the demo did
// not make: a Conflict fault (not_a_demo) then.
func claim(dir string) error {
	mark := filepath.Join(dir, demoMark)
	if _, err := os.Stat(mark); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := os.Stat(app.Config{DataDir: dir}.DatabaseName())
	if err == nil {
		return notADemo(dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte("The files in this folder are those of tenantry demo, which changes them at every start.\n"), 0o600)
}

func notADemo(dir string) error {
	return fault.New(fault.Conflict, "not_a_demo",
		"%s holds a directory that is not the demo's, and stays as it is; leave out --data (and TENANTRY_DATA), or name a new folder", dir).In("data")
}

const (
	demoEnvironment account.EnvironmentID = "production"
	demoClient      account.ClientID      = "demo"
)

// seed loads the demo data and makes a client with every right; its token is new
// at every start. Where somebody has made environments of their own it touches
// nothing: a Conflict fault (not_a_demo).
func seed(ctx context.Context, a *app.App, dir string) (string, error) {
	envs, err := a.Directory.Environments(ctx, system(""))
	if err != nil {
		return "", err
	}
	for _, e := range envs {
		if e.ID != demoEnvironment {
			return "", notADemo(dir)
		}
	}
	var records []directory.Record
	err = ndjson.Read(bytes.NewReader(testdata.Demo), func(r directory.Record) error {
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

# May he use the feature reports in his department, which has it by a plan given two levels above?  (yes)
%[1]s check user:bob feature:reports account:acme-logistics-oslo %[3]s

# Which accounts may Ada open?  (an account switcher)
%[1]s accounts ada %[3]s

Or over HTTP: curl -H "Authorization: Bearer %[4]s" '%[2]s/v1/users/ada/accounts?q=acme'
An access token (OAuth 2.0): curl -u '%[5]s:%[4]s' -d grant_type=client_credentials '%[2]s/oauth2/token'
The whole API: %[2]s/openapi.json
`, c.program, url, at, token, identity.WireID(demoEnvironment, demoClient))
}
