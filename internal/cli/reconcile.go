package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/relay"
)

func (c *console) reconcileCommand() *cobra.Command {
	var d deployment
	var env account.EnvironmentID
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Compare the directory with the engine, and repair the engine",
		Long: `Reconcile compares the relationships that the directory implies with those that
the engine holds, and makes the engine right: what is missing is written, what is
extra deleted, what is wrong corrected. Servers may go on writing meanwhile.

With --dry-run it only reports, and repairs nothing; exit code 1 if there is drift.
It waits a little for a server to apply what is recorded but not yet in force.

The embedded engine belongs to one process at a time: while a server runs on it,
reconcile works only with --dry-run, and stops with engine_in_use without. Where
no server runs, what is recorded but not yet in force is applied first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			d.cfg.LookOnly, d.cfg.Beside = dryRun, dryRun
			d.cfg.WithoutIndex = true
			return d.with(cmd.Context(), c, app.Open, func(a *app.App) error {
				return c.reconcile(cmd.Context(), a, env, dryRun)
			})
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVarP((*string)(&env), "environment", "e", "", "only this environment")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "report, and change nothing")
	return cmd
}

// reconcile compares one environment, or all if only is "".
func (c *console) reconcile(ctx context.Context, a *app.App, only account.EnvironmentID, dryRun bool) error {
	if err := prepared(ctx, a); err != nil {
		return err
	}
	envs, err := a.Directory.Environments(ctx, system(""))
	if err != nil {
		return err
	}
	if only != "" {
		envs = slices.DeleteFunc(envs, func(e account.Environment) bool { return e.ID != only })
		if len(envs) == 0 {
			return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s", account.Quote(string(only)))
		}
	}
	drift := false
	for _, e := range envs {
		result, err := a.Relay.Reconcile(ctx, e.ID, dryRun, c.bar("repairing").one(string(e.ID)))
		if err != nil {
			return err
		}
		c.reconciled(result)
		drift = drift || !result.Drift.Empty()
	}
	if drift && dryRun {
		return negative{}
	}
	return nil
}

// prepared waits until the engine is worth comparing.
func prepared(ctx context.Context, a *app.App) error {
	const patience = time.Minute // for a SpiceDB elsewhere that is away
	preparing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := a.Prepared(preparing); err != nil {
		return err
	}
	return a.Settled(ctx, 10*patience) // for a server that fills the engine
}

// reconciled prints what reconcile found, with a bounded number of examples.
func (c *console) reconciled(r relay.Reconciliation) {
	const shown = 20
	fmt.Fprintf(c.out, "environment %s at version %d: %d relationships, %d missing, %d extra, %d wrong",
		r.Environment, r.Version, r.Held, len(r.Drift.Missing), len(r.Drift.Extra), len(r.Drift.Wrong))
	if r.Unplaced {
		fmt.Fprint(c.out, " (the engine stood at no version of this journal)")
	}
	if r.Drift.Empty() {
		fmt.Fprintln(c.out, ": no drift")
		return
	}
	if r.Repaired {
		fmt.Fprint(c.out, ": repaired")
	}
	fmt.Fprintln(c.out)
	left := shown
	for _, u := range r.Drift.Repairs() {
		if left == 0 {
			fmt.Fprintf(c.out, "  … and %d more\n", r.Drift.Len()-shown)
			return
		}
		left--
		sign := "+"
		if u.Delete {
			sign = "-"
		}
		fmt.Fprintf(c.out, "  %s %s\n", sign, u.Relationship)
	}
}
