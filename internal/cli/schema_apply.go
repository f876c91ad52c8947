package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
)

func (c *console) schemaApply() *cobra.Command {
	var d deployment
	var opts app.SchemaOptions
	var format string
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Show what a schema would change in the engine, and make it the engine's",
		Long: `Apply builds the schema from --permissions and --definitions, as serve does,
shows how access differs from that of the engine's schema, counts the live
relationships that each removal would orphan, over all environments, and writes it.

It refuses, and changes nothing, where relationships of the application would be
orphaned, unless --delete-orphans has them deleted first; and where parts of
Tenantry's own definitions would be taken away, unless --allow-managed-removals
is given. Relationships that Tenantry keeps for the directory are never deleted.

What is done is written down before and after: see tenantry schema log. The
embedded engine belongs to one process at a time: stop the server first; with
--dry-run it may run.`,
		Example: "  tenantry schema apply --definitions shop.zed --dry-run\n  tenantry schema apply --definitions shop.zed",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write := diffWriters[format]
			if write == nil {
				return usage{fmt.Errorf("--format: %s is not text, markdown or json", account.Quote(format))}
			}
			d.quietly(cmd)
			cfg, err := d.config(c)
			if err != nil {
				return err
			}
			var planned app.SchemaPlanned
			opts.Show = func(p app.SchemaPlanned) error {
				planned = p
				if p.First && format == "text" { // a difference from nothing says nothing
					return nil
				}
				return write(c.out, p.Diff)
			}
			opts.Progress = c.bars()
			done, err := app.ApplySchema(cmd.Context(), cfg, opts)
			if opts.DryRun && refusedPlan(err) {
				fmt.Fprintln(c.err, "it would be refused: "+explain(err))
				return negative{}
			}
			if err != nil {
				return err
			}
			c.applied(planned, done, opts.DryRun)
			return nil
		},
	}
	d.register(cmd.Flags())
	hide(cmd, "apply-schema") // it is what this does
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "show, and change nothing; exit code 1 if it would be refused")
	cmd.Flags().BoolVar(&opts.DeleteOrphans, "delete-orphans", false, "delete the application's relationships that the new schema has no place for")
	cmd.Flags().BoolVar(&opts.RemoveManaged, "allow-managed-removals", false, "take away parts of Tenantry's own definitions, as permissions that are in no --permissions any more")
	cmd.Flags().StringVar(&opts.Actor, "actor", "", "who does it, for the record (default: the user of the operating system)")
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	return cmd
}

// refusedPlan reports whether a plan was not permitted, rather than failed.
func refusedPlan(err error) bool {
	return fault.HasCode(err, app.CodeSchemaWouldOrphan) || fault.HasCode(err, app.CodeSchemaManaged)
}

// applied says on standard error what came of it, so that the difference can be piped.
func (c *console) applied(planned app.SchemaPlanned, done app.SchemaApplied, dryRun bool) {
	switch {
	case planned.Same:
		fmt.Fprintln(c.err, "the engine has this schema already: nothing to do")
	case dryRun:
		fmt.Fprintln(c.err, "nothing was changed")
	case planned.First:
		fmt.Fprintf(c.err, "the engine had no schema, and has this one now (record %d)\n", done.Record)
	default:
		fmt.Fprintf(c.err, "applied (record %d)", done.Record)
		if done.Deleted > 0 {
			fmt.Fprintf(c.err, ", after deleting %d relationships", done.Deleted)
		}
		fmt.Fprintln(c.err)
	}
}

func (c *console) schemaLog() *cobra.Command {
	var d deployment
	var limit int
	var before, show int64
	cmd := &cobra.Command{
		Use:   "log",
		Short: "List what was done to the engine's schema, the latest first",
		Long: `Log lists the changes of the engine's schema that tenantry schema apply and
tenantry serve have made: when, who, by what, what came of it, and how much it
changed. A change without an outcome was broken off, or is under way; the next
start or apply finds out which. With --show N it prints the schema that change N wrote.`,
		Example: "  tenantry schema log\n  tenantry schema log --show 3 > schema.zed",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			const most = 1000
			if limit < 1 || limit > most {
				return usage{fmt.Errorf("--limit: %d is not between 1 and %d", limit, most)}
			}
			d.quietly(cmd)
			return d.directoryOnly(cmd.Context(), c, func(a *app.App) error {
				if show > 0 {
					changes, err := a.SchemaLog(cmd.Context(), show+1, 1)
					if err != nil {
						return err
					}
					if len(changes) == 0 || changes[0].ID != show {
						return fault.New(fault.NotFound, "schema_change_not_found", "there is no change %d in the log of the schema", show)
					}
					_, err = fmt.Fprint(c.out, changes[0].After)
					return err
				}
				return c.schemaChanges(cmd, a, before, limit)
			})
		},
	}
	d.register(cmd.Flags())
	hide(cmd, "apply-schema", "permissions", "definitions")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, at most")
	cmd.Flags().Int64Var(&before, "before", 0, "only changes before the one with this number")
	cmd.Flags().Int64Var(&show, "show", 0, "print the schema that the change with this number wrote")
	return cmd
}

// schemaChanges prints a page of the log, and says if there is more.
func (c *console) schemaChanges(cmd *cobra.Command, a *app.App, before int64, limit int) error {
	changes, err := a.SchemaLog(cmd.Context(), before, limit+1)
	if err != nil {
		return err
	}
	more := len(changes) > limit
	changes = changes[:min(len(changes), limit)]
	err = c.table(func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "NUMBER\tWHEN\tWHO\tBY\tOUTCOME\tCHANGES\tBREAKING\tDELETED\tSCHEMA")
		for _, s := range changes {
			var r diff.Result
			if err := json.Unmarshal([]byte(s.Differences), &r.Changes); err != nil {
				r.Changes = nil // of another version: the texts tell
			}
			outcome := s.Outcome
			if outcome == "" {
				outcome = "not complete"
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%.19s\n", s.ID, s.BegunAt.Format(time.RFC3339), finding.Printable(s.Actor), s.Cause, outcome,
				len(r.Changes), r.Breaking(), s.Deleted, s.ToDigest)
		}
	})
	if err == nil && more {
		_, err = fmt.Fprintf(c.err, "there are more: tenantry schema log --before %d\n", changes[len(changes)-1].ID)
	}
	return err
}
