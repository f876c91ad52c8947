package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

func (c *console) issuerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issuer",
		Short: "Make, list, change and delete the OpenID providers that an environment trusts",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.issuerCreate(), c.issuerList(), c.issuerSet(), c.issuerDelete())
	return cmd
}

func (c *console) issuerCreate() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var issuer account.Issuer
	cmd := &cobra.Command{
		Use:   "create ID",
		Short: "Trust an OpenID provider",
		Long: `Trust an OpenID provider: its tokens, for one of the audiences, are accepted from then on.

The purpose says whom it vouches for: the environment's users, or its operators. With
--link-by-email a subject who is not known becomes, with the first request, the user or
operator with the address that the provider has verified, unless that one has signed in
as another. Use it only with a provider that lets nobody have an address that is not
theirs, and say with --email-domain whose addresses it is believed about.`,
		Example: "  tenantry issuer create login --url https://login.example --audience shop\n" +
			"  tenantry issuer create staff --purpose operators --url https://staff.example --audience tenantry --link-by-email --email-domain vendor.example",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			issuer.ID = account.IssuerID(args[0])
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				made, err := a.Directory.CreateIssuer(cmd.Context(), directory.Request{Actor: system(env)}, issuer)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "issuer %s made: tokens of %s are accepted for %s\n", made.Value.ID, made.Value.URL, made.Value.Purpose)
				if strings.HasPrefix(made.Value.URL, "http:") {
					fmt.Fprintln(c.err, "Its address is not https: the server takes its tokens only with --allow-http-issuers, which is for trying things out.")
				}
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	f := cmd.Flags()
	f.StringVar(&issuer.URL, "url", "", "address of the provider, as its tokens have it in iss")
	f.StringVar((*string)(&issuer.Purpose), "purpose", string(account.ForUsers), "whom it vouches for: users or operators")
	issuerFlags(f, &issuer)
	return cmd
}

// issuerFlags are those of what can be changed.
func issuerFlags(f *pflag.FlagSet, i *account.Issuer) {
	f.StringVar(&i.Name, "name", "", "name (of a new one: the id)")
	f.StringSliceVar(&i.Audiences, "audience", nil, "for whom tokens have to be: one of these")
	f.BoolVar(&i.LinkByEmail, "link-by-email", false, "link who is not known by the verified e-mail address")
	f.StringSliceVar(&i.EmailDomains, "email-domain", nil, "for addresses of these domains only, or these addresses")
}

func (c *console) issuerList() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the OpenID providers that an environment trusts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				all, err := a.Directory.ListIssuers(cmd.Context(), system(env))
				if err != nil {
					return err
				}
				return c.table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "ID\tNAME\tURL\tPURPOSE\tAUDIENCES\tLINKS BY EMAIL")
					for _, i := range all {
						v := i.Value
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Name, v.URL, v.Purpose, strings.Join(v.Audiences, " "), linking(v))
					}
				})
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

// linking says whom an issuer links by address.
func linking(i account.Issuer) string {
	switch {
	case !i.LinkByEmail:
		return "no"
	case len(i.EmailDomains) == 0:
		return "any address"
	default:
		return strings.Join(i.EmailDomains, " ")
	}
}

func (c *console) issuerSet() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var issuer account.Issuer
	cmd := &cobra.Command{
		Use:     "set ID",
		Short:   "Change an OpenID provider's name, audiences, or whom it links by address",
		Example: "  tenantry issuer set login --audience shop,app --link-by-email=false",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			var patch directory.IssuerPatch
			given := func(flag string) bool { return cmd.Flags().Changed(flag) }
			if given("name") {
				patch.Name = &issuer.Name
			}
			if given("audience") {
				patch.Audiences = &issuer.Audiences
			}
			if given("link-by-email") {
				patch.LinkByEmail = &issuer.LinkByEmail
			}
			if given("email-domain") {
				patch.EmailDomains = &issuer.EmailDomains
			}
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				_, err := a.Directory.UpdateIssuer(cmd.Context(), directory.Request{Actor: system(env)}, account.IssuerID(args[0]), patch)
				if err == nil {
					fmt.Fprintf(c.out, "issuer %s changed\n", args[0])
				}
				return err
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	issuerFlags(cmd.Flags(), &issuer)
	return cmd
}

func (c *console) issuerDelete() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Trust an OpenID provider no more: its tokens open nothing from then on",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				_, err := a.Directory.DeleteIssuer(cmd.Context(), directory.Request{Actor: system(env)}, account.IssuerID(args[0]))
				if err == nil {
					fmt.Fprintf(c.out, "issuer %s deleted\n", args[0])
				}
				return err
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}
