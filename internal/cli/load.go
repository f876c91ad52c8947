package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/generate"
	"github.com/tenantry/tenantry/internal/ndjson"
)

func (c *console) loadCommand() *cobra.Command {
	d := deployment{mayCreate: true}
	var env account.EnvironmentID
	var opts directory.LoadOptions
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "load FILE|-",
		Short: "Load environments, roles, accounts, users and memberships",
		Long: `Load reads one JSON object a line (docs/load-format.md) from a file, or from
standard input if the name is -.

Everything is checked before anything is written: if a line is wrong, its number
is named and the directory stays as it was. What is there already and the same
is left alone, so a load that was cut off is finished by running it again.

It writes to the directory itself, also while servers run on it, and while
SpiceDB is away. Then it waits until what it wrote is in force, and says whether
that has come about: if a server runs, or SpiceDB is elsewhere, for as long as
--apply-wait; if not, it brings it into force itself. It is recorded for good
either way.`,
		Example: "  tenantry load customers.ndjson\n  tenantry generate --accounts 10000 --users 5000 --for big | tenantry load -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			records, err := c.records(args[0])
			if err != nil {
				return err
			}
			var loaded directory.Loaded
			err = d.directoryOnly(cmd.Context(), c, func(a *app.App) (err error) {
				loaded, err = c.load(cmd.Context(), a, env, records, opts)
				return err
			})
			if err != nil || loaded.Created == 0 {
				return err
			}
			return c.enforce(cmd.Context(), &d, wait)
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVarP((*string)(&env), "environment", "e", "", "environment of the lines before the first environment line")
	cmd.Flags().DurationVar(&wait, "apply-wait", 30*time.Second, "how long to wait for a server, or a SpiceDB elsewhere, to have in force what was written")
	cmd.Flags().BoolVar(&opts.AsIs, "as-is", false, "accept sub-accounts where they could not be made today, as an export may hold them")
	return cmd
}

func (c *console) records(name string) ([]directory.Record, error) {
	in := c.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fault.New(fault.Invalid, "unreadable_file", "cannot read %s", name).Because(err)
		}
		defer func() { _ = file.Close() }() // read only: nothing to lose
		in = file
	}
	var records []directory.Record
	err := ndjson.Read(in, func(r directory.Record) error {
		records = append(records, r)
		return nil
	})
	return records, err
}

func (c *console) load(ctx context.Context, a *app.App, env account.EnvironmentID, records []directory.Record, opts directory.LoadOptions) (directory.Loaded, error) {
	began := time.Now()
	opts.Progress = c.bar("loading").one("")
	loaded, err := a.Directory.Load(ctx, directory.Request{Actor: system(env)}, records, opts)
	if err == nil {
		fmt.Fprintf(c.out, "%d records written, %d were there already, in %s\n", loaded.Created, loaded.Unchanged, time.Since(began).Round(time.Millisecond))
	}
	return loaded, err
}

// enforce waits until what is in the directory is in force, and says whether it
// is. That it is not is no error: what was written will be in force.
func (c *console) enforce(ctx context.Context, d *deployment, wait time.Duration) error {
	err := d.with(ctx, c, inForce(wait), func(*app.App) error { return nil })
	switch {
	case err == nil:
		fmt.Fprintln(c.out, "They are in force.")
	case errors.Is(err, fault.Unavailable):
		fmt.Fprintf(c.err, "tenantry: the engine: %s\n", explain(err))
		fmt.Fprintln(c.out, "They are recorded, and not in force yet.")
		fmt.Fprintln(c.out, "A running server brings them into force; otherwise the next one that starts.")
	default:
		return fmt.Errorf("the records are written, but cannot come into force: %w", err)
	}
	return nil
}

func (c *console) exportCommand() *cobra.Command {
	var d deployment
	var output string
	cmd := &cobra.Command{
		Use:   "export [ENVIRONMENT]",
		Short: "Write environments in the form that load reads",
		Long: `Export writes one environment, or all, as one JSON object a line, each as of one
moment. Clients and their secrets are left out.`,
		Example: "  tenantry export production > production.ndjson",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				out := c.out
				if output != "" {
					file, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
					if err != nil {
						return fault.New(fault.Invalid, "unwritable_file", "cannot create %s", output).Because(err)
					}
					if err := export(cmd.Context(), a, args, file); err != nil {
						return err
					}
					return file.Close()
				}
				return export(cmd.Context(), a, args, out)
			})
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to create (default: standard output)")
	return cmd
}

func export(ctx context.Context, a *app.App, only []string, out io.Writer) error {
	envs, err := a.Directory.Environments(ctx, system(""))
	if err != nil {
		return err
	}
	if len(only) > 0 {
		envs = slices.DeleteFunc(envs, func(e account.Environment) bool { return string(e.ID) != only[0] })
		if len(envs) == 0 {
			return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s", account.Quote(only[0]))
		}
	}
	buffered := bufio.NewWriter(out)
	writer := ndjson.NewWriter(buffered)
	for _, env := range envs {
		if err := a.Directory.Export(ctx, system(env.ID), writer.Write); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func (c *console) generateCommand() *cobra.Command {
	var cfg generate.Config
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write a random tree of accounts with users, in the form that load reads",
		Long: `Generate writes a tree of accounts below one root, acc-0, with roles, users and
memberships. The same flags give the same bytes. The user root is admin of acc-0
with sub-account access, and so may open every account.`,
		Example: "  tenantry generate --accounts 10000 --users 5000 --for big | tenantry load -",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			buffered := bufio.NewWriterSize(c.out, 1<<20)
			summary, err := generate.Generate(buffered, cfg)
			if err != nil {
				return err
			}
			if err := buffered.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%d accounts on %d levels, %d users, %d memberships\n", summary.Accounts, summary.Levels, summary.Users, summary.Memberships)
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&cfg.Accounts, "accounts", 1000, "number of accounts, the root included")
	f.IntVar(&cfg.Users, "users", 0, "number of users (default: half the number of accounts)")
	f.IntVar(&cfg.FanOut, "fan-out", 10, "most children of an account")
	f.IntVar(&cfg.Depth, "depth", 8, "most levels of accounts")
	f.Uint64Var(&cfg.Seed, "seed", 1, "another seed, another tree")
	f.StringVar((*string)(&cfg.Environment), "for", "", "begin with a line that makes this environment")
	return cmd
}
