package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

func (c *console) environmentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "environment",
		Short: "Make, list and change environments",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.environmentCreate(), c.environmentList(), c.environmentSet())
	return cmd
}

func (c *console) environmentCreate() *cobra.Command {
	d := deployment{mayCreate: true}
	env := account.Environment{}
	cmd := &cobra.Command{
		Use:     "create ID",
		Short:   "Make an environment",
		Example: "  tenantry environment create production --name Production",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			env.ID = account.EnvironmentID(args[0])
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				result, err := a.Directory.CreateEnvironment(cmd.Context(), directory.Request{Actor: system("")}, env)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "environment %s made\n", result.Value.ID)
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&env.Name, "name", "", "name (default: the id)")
	f.BoolVar(&env.SubAccountsEnabled, "sub-accounts", true, "enable the sub-account capability")
	f.StringVar((*string)(&env.DefaultAccessMode), "default-access-mode", "", "of new accounts: default_off, default_on or always_on (default: default_off)")
	f.IntVar(&env.MaxDepth, "max-depth", account.DefaultMaxDepth, "most levels of accounts")
	invitationFlags(f, &env)
	return cmd
}

func (c *console) environmentList() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the environments with their settings",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				envs, err := a.Directory.Environments(cmd.Context(), system(""))
				if err != nil {
					return err
				}
				return c.table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "ID\tNAME\tSUB-ACCOUNTS\tDEFAULT ACCESS MODE\tMAX DEPTH")
					for _, e := range envs {
						fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%d\n", e.ID, e.Name, e.SubAccountsEnabled, e.DefaultAccessMode, e.MaxDepth)
					}
				})
			})
		},
	}
	d.register(cmd.Flags())
	return cmd
}

func (c *console) environmentSet() *cobra.Command {
	var d deployment
	var env account.Environment
	var allowed []string
	cmd := &cobra.Command{
		Use:     "set ID",
		Short:   "Change an environment's settings",
		Example: "  tenantry environment set production --max-depth 20\n  tenantry environment set production --ip-allow-list 192.0.2.0/24,2001:db8::/32",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			var patch directory.EnvironmentPatch
			given := func(flag string) bool { return cmd.Flags().Changed(flag) }
			if given("name") {
				patch.Name = &env.Name
			}
			if given("sub-accounts") {
				patch.SubAccountsEnabled = &env.SubAccountsEnabled
			}
			if given("default-access-mode") {
				patch.DefaultAccessMode = &env.DefaultAccessMode
			}
			if given("max-depth") {
				patch.MaxDepth = &env.MaxDepth
			}
			if given("invitation-url") {
				patch.InvitationURL = &env.InvitationURL
			}
			if given("invitation-hours") {
				patch.InvitationHours = &env.InvitationHours
			}
			if given("ip-allow-list") {
				patch.IPAllowList = &allowed
			}
			id := account.EnvironmentID(args[0])
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				_, err := a.Directory.UpdateEnvironment(cmd.Context(), directory.Request{Actor: system(id)}, patch)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "environment %s changed\n", id)
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&env.Name, "name", "", "name")
	f.BoolVar(&env.SubAccountsEnabled, "sub-accounts", false, "the sub-account capability")
	f.StringVar((*string)(&env.DefaultAccessMode), "default-access-mode", "", "of new accounts: default_off, default_on or always_on")
	f.IntVar(&env.MaxDepth, "max-depth", 0, "most levels of accounts")
	f.StringSliceVar(&allowed, "ip-allow-list", nil, `addresses and networks that requests may come from; "" for anywhere`)
	invitationFlags(f, &env)
	return cmd
}

// invitationFlags are those of the settings of invitations.
func invitationFlags(f *pflag.FlagSet, env *account.Environment) {
	f.StringVar(&env.InvitationURL, "invitation-url", "", "page that accepts invitations, with {token} in it, like https://app.example/invitations?token={token}")
	f.IntVar(&env.InvitationHours, "invitation-hours", account.DefaultInvitationHours, "how long an invitation can be accepted")
}

func (c *console) clientCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client",
		Short: "Make, list and revoke the credentials of an environment",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.clientCreate(), c.clientList(), c.clientRevoke())
	return cmd
}

func (c *console) clientCreate() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var client account.Client
	var roles []string
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Make a client and print its token, once",
		Long: `Make a client of an environment. Its token is printed once and kept only as a hash.

The roles say what it may do: admin, backoffice_editor, backoffice_viewer,
entitlements_editor, entitlements_viewer, impersonator. An application that asks
for permissions needs backoffice_viewer.`,
		Example: "  tenantry client create shop --role backoffice_viewer\n  tenantry client create portal --role backoffice_viewer --act-for-users",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			client.ID = account.ClientID(args[0])
			for _, r := range roles {
				client.Roles = append(client.Roles, account.PortalRole(r))
			}
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				token, err := makeClient(cmd.Context(), a, env, client)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, token)
				fmt.Fprintln(c.err, "This token is shown once. Send it as Authorization: Bearer TOKEN.")
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	f := cmd.Flags()
	f.StringVar(&client.Name, "name", "", "name (default: the id)")
	f.StringSliceVar(&roles, "role", []string{string(account.BackofficeViewer)}, "portal roles")
	f.BoolVar(&client.ActForUsers, "act-for-users", false, "may send requests in the name of a user (Act-For-User)")
	return cmd
}

func makeClient(ctx context.Context, a *app.App, env account.EnvironmentID, client account.Client) (string, error) {
	result, secret, err := a.Directory.CreateClient(ctx, directory.Request{Actor: system(env)}, client)
	if err != nil {
		return "", err
	}
	return identity.FormatToken(env, result.Value.ID, secret), nil
}

func (c *console) clientList() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the clients of an environment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				clients, err := a.Directory.Clients(cmd.Context(), system(env))
				if err != nil {
					return err
				}
				return c.table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "ID\tNAME\tROLES\tACTS FOR USERS\tMADE")
					for _, k := range clients {
						fmt.Fprintf(w, "%s\t%s\t%v\t%t\t%s\n", k.ID, k.Name, k.Roles, k.ActForUsers, k.CreatedAt.Format("2006-01-02"))
					}
				})
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

func (c *console) clientRevoke() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a client: its token opens nothing from then on",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				_, err := a.Directory.RevokeClient(cmd.Context(), directory.Request{Actor: system(env)}, account.ClientID(args[0]))
				if err == nil {
					fmt.Fprintf(c.out, "client %s revoked\n", args[0])
				}
				return err
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

// table prints aligned columns.
func (c *console) table(fill func(*tabwriter.Writer)) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fill(w)
	return w.Flush()
}
