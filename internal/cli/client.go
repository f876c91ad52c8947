package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

func (c *console) clientCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Make, list, change and revoke the credentials of an environment",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.clientCreate(), c.clientList(), c.clientSet(), c.clientRevoke(), c.clientSecrets(), c.clientRotate(), c.clientRevokeSecret())
	return cmd
}

// clientFlags are what a client is made of.
type clientFlags struct {
	name          string
	roles, scopes []string
	actForUsers   bool
}

func (o *clientFlags) register(f *pflag.FlagSet, role []string) {
	f.StringVar(&o.name, "name", "", "name (of a new client: the id)")
	f.StringSliceVar(&o.roles, "role", role, "portal roles")
	f.StringSliceVar(&o.scopes, "scope", nil, "what it may be used for at all: admin, check, read, write (of a new client: all)")
	f.BoolVar(&o.actForUsers, "act-for-users", false, "may send requests in the name of a user (Act-For-User)")
}

// patch is what the flags that were given change.
func (o *clientFlags) patch(f *pflag.FlagSet) (directory.ClientPatch, error) {
	var p directory.ClientPatch
	if f.Changed("name") {
		p.Name = &o.name
	}
	if f.Changed("role") {
		roles := make([]account.PortalRole, len(o.roles))
		for i, r := range o.roles {
			roles[i] = account.PortalRole(r)
		}
		p.Roles = &roles
	}
	if f.Changed("act-for-users") {
		p.ActForUsers = &o.actForUsers
	}
	if f.Changed("scope") {
		scopes, err := account.NamedScopes("scope", o.scopes)
		if err != nil {
			return p, err
		}
		p.Scopes = &scopes
	}
	return p, nil
}

// aboutClient is a command about an environment's client, in the directory alone.
func (c *console) aboutClient(cmd *cobra.Command, do func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error) *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d.quietly(cmd)
		return d.directoryOnly(cmd.Context(), c, func(a *app.App) error { return do(cmd.Context(), a, env, args) })
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

func (c *console) clientCreate() *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Make a client and print its token, once",
		Long: `Make a client of an environment. Its token is printed once and kept only as a hash.

The roles say what it may do: admin, backoffice_editor, backoffice_viewer,
entitlements_editor, entitlements_viewer, impersonator. An application that asks
for permissions needs backoffice_viewer. Scopes narrow what the token may be used
for: check (permissions and accounts that users may open), read and write (the
directory), admin (the environment, its clients and its log).`,
		Example: "  tenantry client create shop --role backoffice_viewer --scope check\n  tenantry client create portal --role backoffice_viewer --act-for-users",
		Args:    cobra.ExactArgs(1),
	}
	flags.register(cmd.Flags(), []string{string(account.BackofficeViewer)})
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		client := account.Client{ID: account.ClientID(args[0]), Name: flags.name, ActForUsers: flags.actForUsers}
		for _, r := range flags.roles {
			client.Roles = append(client.Roles, account.PortalRole(r))
		}
		given, err := flags.patch(cmd.Flags())
		if err != nil {
			return err
		}
		if given.Scopes != nil {
			client.Scopes = *given.Scopes
		}
		token, err := makeClient(ctx, a, env, client)
		if err != nil {
			return err
		}
		c.showToken(token)
		return nil
	})
}

// showToken prints a client's secret, for a program to take and a person to know what it is.
func (c *console) showToken(token string) {
	fmt.Fprintln(c.out, token)
	fmt.Fprintln(c.err, "This token is shown once. Send it as Authorization: Bearer TOKEN, or as the client_secret to /oauth2/token.")
}

func makeClient(ctx context.Context, a *app.App, env account.EnvironmentID, client account.Client) (string, error) {
	result, secret, err := a.Directory.CreateClient(ctx, directory.Request{Actor: system(env)}, client)
	if err != nil {
		return "", err
	}
	return identity.FormatToken(env, result.Value.ID, secret), nil
}

func (c *console) clientList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the clients of an environment", Args: cobra.NoArgs}
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, _ []string) error {
		clients, err := allClients(ctx, a, env)
		if err != nil {
			return err
		}
		return c.table(func(w *tabwriter.Writer) {
			fmt.Fprintln(w, "ID\tNAME\tROLES\tSCOPES\tACTS FOR USERS\tLAST USED\tMADE")
			for _, k := range clients {
				fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%t\t%s\t%s\n", k.ID, k.Name, k.Roles, scopesText(k.Scopes), k.ActForUsers,
					day(k.LastUsed, "never"), k.CreatedAt.Format(time.DateOnly))
			}
		})
	})
}

// allClients reads every client of an environment, in the order of their ids.
func allClients(ctx context.Context, a *app.App, env account.EnvironmentID) ([]directory.UsedClient, error) {
	var all []directory.UsedClient
	after := ""
	for {
		page, err := a.Directory.ListClients(ctx, system(env), directory.KeyPage{After: after, Limit: directory.MaxLimit})
		if err != nil {
			return nil, err
		}
		for _, k := range page.Items {
			all = append(all, k.Value)
			after = string(k.Value.ID)
		}
		if !page.More {
			return all, nil
		}
	}
}

func scopesText(s account.Scopes) string {
	if s == "" {
		return "all"
	}
	return strings.ReplaceAll(string(s), " ", ",")
}

// day is a date, and what is said for none.
func day(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.UTC().Format(time.DateOnly)
}

func (c *console) clientSet() *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use:     "set ID",
		Short:   "Change a client's name, roles, scopes, or whether it acts for users",
		Example: "  tenantry client set shop --role backoffice_viewer --scope check,read",
		Args:    cobra.ExactArgs(1),
	}
	flags.register(cmd.Flags(), nil)
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		patch, err := flags.patch(cmd.Flags())
		if err != nil {
			return err
		}
		if _, err = a.Directory.UpdateClient(ctx, directory.Request{Actor: system(env)}, account.ClientID(args[0]), patch); err == nil {
			fmt.Fprintf(c.out, "client %s changed\n", args[0])
		}
		return err
	})
}

func (c *console) clientRevoke() *cobra.Command {
	cmd := &cobra.Command{Use: "revoke ID", Short: "Revoke a client: its token opens nothing from then on", Args: cobra.ExactArgs(1)}
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		_, err := a.Directory.RevokeClient(ctx, directory.Request{Actor: system(env)}, account.ClientID(args[0]))
		if err == nil {
			fmt.Fprintf(c.out, "client %s revoked\n", args[0])
		}
		return err
	})
}
