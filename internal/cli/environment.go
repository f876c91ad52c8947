package cli

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
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
	var admin directory.FirstAdmin
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Make an environment",
		Long: `Make an environment. With --admin, --admin-issuer and --admin-audience it has a person who
may do everything, and an issuer "operators" that is trusted to say who that is: the
OpenID provider where they sign in, believed about addresses of their domain.`,
		Example: "  tenantry environment create production --name Production\n" +
			"  tenantry environment create production --admin mara@vendor.example --admin-issuer https://staff.example --admin-audience tenantry",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			env.ID = account.EnvironmentID(args[0])
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				return c.makeEnvironment(cmd.Context(), a, d.flags(cmd), env, admin)
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
	adminFlags(f, &admin)
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
					fmt.Fprintln(w, "ID\tNAME\tSUB-ACCOUNTS\tDEFAULT ACCESS MODE\tMAX DEPTH\tTOKEN MINUTES\tEXCHANGE ONLY\tIP ALLOW LIST")
					for _, e := range envs {
						fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%d\t%d\t%t\t%s\n", e.ID, e.Name, e.SubAccountsEnabled, e.DefaultAccessMode, e.MaxDepth,
							e.TokenMinutes, e.ExchangeOnly, cmp.Or(strings.Join(e.IPAllowList.List(), " "), "anywhere"))
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
			if given("token-minutes") {
				patch.TokenMinutes = &env.TokenMinutes
			}
			if given("exchange-only") {
				patch.ExchangeOnly = &env.ExchangeOnly
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
	f.IntVar(&env.TokenMinutes, "token-minutes", 0, "the longest lifetime of tokens that Tenantry issues")
	f.BoolVar(&env.ExchangeOnly, "exchange-only", false, "take secrets of clients at /oauth2/token alone, and not as bearer tokens")
	f.StringSliceVar(&allowed, "ip-allow-list", nil, `addresses and networks that requests may come from; "" for anywhere`)
	invitationFlags(f, &env)
	return cmd
}

// invitationFlags are those of the settings of invitations.
func invitationFlags(f *pflag.FlagSet, env *account.Environment) {
	f.StringVar(&env.InvitationURL, "invitation-url", "", "page that accepts invitations, with {token} in it, like https://app.example/invitations?token={token}")
	f.IntVar(&env.InvitationHours, "invitation-hours", account.DefaultInvitationHours, "how long an invitation can be accepted")
}

// table prints aligned columns.
func (c *console) table(fill func(*tabwriter.Writer)) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fill(w)
	return w.Flush()
}
