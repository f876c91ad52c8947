package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

func (c *console) operatorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operator",
		Short: "Make, list, change and delete the people who operate an environment",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.operatorCreate(), c.operatorList(), c.operatorSet(), c.operatorDelete())
	return cmd
}

func portalRoles(names []string) []account.PortalRole {
	roles := make([]account.PortalRole, len(names))
	for i, name := range names {
		roles[i] = account.PortalRole(name)
	}
	return roles
}

func (c *console) operatorCreate() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var operator account.Operator
	var roles []string
	cmd := &cobra.Command{
		Use:   "create EMAIL",
		Short: "Make a person an operator",
		Long: `Make a person an operator, who signs in at one of the environment's issuers for operators:
as the subject that --issuer and --subject name, or else with the verified address, if
that issuer links by it.

The roles say what they may do: admin, backoffice_editor, backoffice_viewer,
entitlements_editor, entitlements_viewer, impersonator.`,
		Example: "  tenantry operator create mara@vendor.example --id mara --role backoffice_editor,impersonator",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			operator.Email, operator.Roles = args[0], portalRoles(roles)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				made, err := a.Directory.CreateOperator(cmd.Context(), directory.Request{Actor: system(env)}, operator)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "operator %s made: %s\n", made.Value.ID, made.Value.Email)
				return c.hintAtIssuers(cmd.Context(), a, env, made.Value)
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	f := cmd.Flags()
	f.StringVar((*string)(&operator.ID), "id", "", "id (default: a generated one)")
	f.StringVar(&operator.Name, "name", "", "name")
	f.StringSliceVar(&roles, "role", []string{string(account.BackofficeViewer)}, "portal roles")
	f.StringVar(&operator.Issuer, "issuer", "", "address of the provider where they sign in")
	f.StringVar(&operator.Subject, "subject", "", "who they are there: sub in its tokens")
	return cmd
}

// hintAtIssuers tells of an operator whom no issuer would link when they sign in.
func (c *console) hintAtIssuers(ctx context.Context, a *app.App, env account.EnvironmentID, operator account.Operator) error {
	if operator.Subject != "" {
		return nil
	}
	issuers, err := a.Directory.ListIssuers(ctx, system(env))
	if err != nil {
		return err
	}
	for _, i := range issuers {
		if _, links := i.Value.VouchesFor(operator.Email); links && i.Value.Purpose == account.ForOperators {
			return nil
		}
	}
	fmt.Fprintf(c.err, "No issuer for operators links %s yet: make one with --link-by-email and a fitting --email-domain, or name --issuer and --subject.\n", operator.Email)
	return nil
}

func (c *console) operatorList() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the people who operate an environment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				all, err := allOperators(cmd.Context(), a, env)
				if err != nil {
					return err
				}
				return c.table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "ID\tEMAIL\tNAME\tROLES\tSIGNS IN AT\tMADE")
					for _, o := range all {
						fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\t%s\n", o.ID, o.Email, o.Name, o.Roles, o.Issuer, o.CreatedAt.Format("2006-01-02"))
					}
				})
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

func allOperators(ctx context.Context, a *app.App, env account.EnvironmentID) ([]account.Operator, error) {
	var all []account.Operator
	f := directory.KeyPage{Limit: directory.MaxLimit}
	for {
		page, err := a.Directory.ListOperators(ctx, system(env), f)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Items {
			all = append(all, o.Value)
			f.After = string(o.Value.ID)
		}
		if !page.More {
			return all, nil
		}
	}
}

func (c *console) operatorSet() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var email, name string
	var roles []string
	cmd := &cobra.Command{
		Use:     "set ID|EMAIL",
		Short:   "Change an operator's address, name or roles",
		Example: "  tenantry operator set mara --role admin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			var patch directory.OperatorPatch
			given := func(flag string) bool { return cmd.Flags().Changed(flag) }
			if given("email") {
				patch.Email = &email
			}
			if given("name") {
				patch.Name = &name
			}
			if given("role") {
				wanted := portalRoles(roles)
				patch.Roles = &wanted
			}
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				id, err := operatorNamed(cmd.Context(), a, env, args[0])
				if err != nil {
					return err
				}
				if _, err = a.Directory.UpdateOperator(cmd.Context(), directory.Request{Actor: system(env)}, id, patch); err == nil {
					fmt.Fprintf(c.out, "operator %s changed\n", id)
				}
				return err
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "e-mail address; who has signed in already is known without")
	f.StringVar(&name, "name", "", "name")
	f.StringSliceVar(&roles, "role", nil, "all portal roles that they are to have")
	return cmd
}

func (c *console) operatorDelete() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "delete ID|EMAIL",
		Short: "Delete an operator: their tokens open nothing from then on",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				id, err := operatorNamed(cmd.Context(), a, env, args[0])
				if err != nil {
					return err
				}
				if _, err = a.Directory.DeleteOperator(cmd.Context(), directory.Request{Actor: system(env)}, id); err == nil {
					fmt.Fprintf(c.out, "operator %s deleted\n", id)
				}
				return err
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

// operatorNamed returns the id of the operator with an id or an address. NotFound
// fault (operator_not_found) for an address that nobody has.
func operatorNamed(ctx context.Context, a *app.App, env account.EnvironmentID, name string) (account.ClientID, error) {
	if !strings.Contains(name, "@") {
		return account.ClientID(name), nil
	}
	page := directory.KeyPage{Limit: directory.MaxLimit}
	for {
		found, err := a.Directory.ListOperators(ctx, system(env), page)
		if err != nil {
			return "", err
		}
		for _, o := range found.Items {
			if strings.EqualFold(o.Value.Email, name) {
				return o.Value.ID, nil
			}
			page.After = string(o.Value.ID)
		}
		if !found.More {
			return "", fault.New(fault.NotFound, "operator_not_found", "no operator has the address %s", account.Quote(name))
		}
	}
}
