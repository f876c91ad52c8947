package cli

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

func (c *console) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "List and rotate the keys that issued tokens are signed with",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.keysList(), c.keysRotate())
	return cmd
}

func (c *console) keysList() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys whose signatures count, or will",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				keys, err := a.Directory.Keys(cmd.Context(), system(env))
				if err != nil {
					return err
				}
				return c.table(func(w *tabwriter.Writer) {
					fmt.Fprintln(w, "ID\tSTATE\tMADE\tUNTIL")
					for _, k := range keys {
						until := "-"
						if k.Until != nil {
							until = k.Until.Format(time.RFC3339)
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.State, k.CreatedAt.Format(time.RFC3339), until)
					}
				})
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	return cmd
}

func (c *console) keysRotate() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var revoke bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Sign tokens with another key from now on",
		Long: `Keys are replaced by themselves. This makes another key at once, for when one
may have leaked. Tokens that were issued stay good until they expire; with --revoke
they open nothing from now on, and whoever had one gets another.`,
		Example: "  tenantry keys rotate --revoke",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				_, err := a.Directory.RotateKeys(cmd.Context(), directory.Request{Actor: system(env)}, revoke)
				if err != nil {
					return err
				}
				if err := a.Keys.Keep(cmd.Context(), env); err != nil {
					return err
				}
				if revoke {
					fmt.Fprintln(c.out, "tokens are signed with another key; those issued before open nothing")
				} else {
					fmt.Fprintln(c.out, "tokens are signed with another key; those issued before stay good until they expire")
				}
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	environmentFlag(cmd, &env)
	cmd.Flags().BoolVar(&revoke, "revoke", false, "no token that was issued before is accepted any more")
	return cmd
}
