package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/schemacheck/diff"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/zed"
)

// Words that stand for schemas among the arguments of schema diff.
const (
	deployed = "deployed" // that of the deployment's engine
	built    = "built"    // the one that --permissions and --definitions make
)

// diffWriters write a difference, by the name of the format.
var diffWriters = map[string]func(io.Writer, diff.Result) error{
	"text": diff.WriteText, "markdown": diff.WriteMarkdown, "json": diff.WriteJSON,
}

func (c *console) schemaDiff() *cobra.Command {
	var t target
	var format, failOn string
	cmd := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Tell what changes in terms of access between two schemas",
		Long: `Diff tells what becomes of access when schema B takes the place of schema A: what is
added and removed, which permissions let more or fewer subjects through, and what
that reaches through other definitions. What may take access away, or fail requests
that worked, is marked as breaking.

A and B are schema files, validation files, or one of these words: core, for
Tenantry's built-in schema; built, for the one that --permissions and --definitions
make; and deployed, for the one of the server that --server and --token name, or of
the engine that --data or --engine name, on which a server may be running. With one
argument, A is deployed. From deployed, it counts how many live relationships each
removal would orphan: over all environments, or over --server in the token's.

Exit code 0; with --fail-on breaking 1 if a change is breaking, with --fail-on any 1 if there is any.`,
		Example: "  tenantry schema diff old.zed new.zed --format markdown\n  tenantry schema diff built --definitions shop.zed --data tenantry-data --fail-on breaking\n  tenantry schema diff schema.zed --server https://tenantry.example --format markdown",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			write := diffWriters[format]
			if write == nil {
				return usage{fmt.Errorf("--format: %s is not text, markdown or json", account.Quote(format))}
			}
			if !slices.Contains([]string{"none", "breaking", "any"}, failOn) {
				return usage{fmt.Errorf("--fail-on: %s is not breaking, any or none", account.Quote(failOn))}
			}
			if len(args) == 1 {
				args = []string{deployed, args[0]}
			}
			t.quietly(cmd)
			result, err := c.difference(cmd.Context(), &t, args[0], args[1])
			if err != nil {
				return err
			}
			if err := write(c.out, result); err != nil {
				return err
			}
			if failOn == "any" && len(result.Changes) > 0 || failOn == "breaking" && result.Breaking() > 0 {
				return negative{}
			}
			return nil
		},
	}
	t.register(cmd.Flags())
	hide(cmd, "apply-schema", "environment") // of a server the token's; of a deployment all
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	cmd.Flags().StringVar(&failOn, "fail-on", "none", "breaking, any or none: what ends with exit code 1")
	return cmd
}

// hide hides flags of a deployment that a command has no use for.
func hide(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		cmd.Flags().Lookup(name).Hidden = true
	}
}

// difference compares two schemas, either of which may be the deployed one.
func (c *console) difference(ctx context.Context, t *target, a, b string) (result diff.Result, err error) {
	load := func(name string) (*zed.Schema, []finding.Finding, error) {
		if name == built {
			text, err := build(t.cfg.Permissions, t.cfg.Definitions)
			if err != nil {
				return nil, nil, err
			}
			s, findings := diff.Parse(ctx, built, text)
			return s, findings, nil
		}
		s, findings := diff.Load(ctx, name)
		return s, findings, nil
	}
	if a != deployed && b != deployed {
		return c.compare(a, b, load)
	}
	err = t.deployedSchema(ctx, c, func(text string, count func(*diff.Result) error) error {
		result, err = c.compare(a, b, func(name string) (*zed.Schema, []finding.Finding, error) {
			if name == deployed {
				s, findings := diff.Parse(ctx, deployed, text)
				return s, findings, nil
			}
			return load(name)
		})
		if err == nil && a == deployed {
			err = count(&result)
		}
		return err
	})
	return result, err
}

// deployedSchema calls fn with the schema of a server, or of the deployment on this machine, and with a
// function that counts what removals would orphan: in the token's environment, or in all.
func (t *target) deployedSchema(ctx context.Context, c *console, fn func(text string, count func(*diff.Result) error) error) error {
	if t.server == "" {
		cfg, err := t.config(c)
		if err != nil {
			return err
		}
		return app.DeployedSchema(ctx, cfg, fn)
	}
	remote, err := t.client()
	if err != nil {
		return err
	}
	text, err := remote.Schema(ctx)
	if err != nil {
		return err
	}
	return fn(text, func(r *diff.Result) error { return countRemotely(ctx, remote, r) })
}

// countRemotely notes with each removal how many relationships of the server's environment it would orphan.
func countRemotely(ctx context.Context, remote *client.Client, r *diff.Result) error {
	const most = 100 // removals that a server takes at once
	var removals []client.Removal
	var places []int
	for i, change := range r.Changes {
		if change.Removal == nil {
			continue
		}
		removal := client.Removal{Definition: change.Removal.Definition, Relation: change.Removal.Relation}
		if k := change.Removal.Type; k != nil {
			removal.Type = &client.SubjectType{Definition: k.Definition, Relation: k.Relation, Wildcard: k.Wildcard, Caveat: k.Caveat, Expiration: k.Expiration}
		}
		removals, places = append(removals, removal), append(places, i)
	}
	for some := range slices.Chunk(removals, most) {
		counts, err := remote.Orphans(ctx, some)
		if err != nil {
			return err
		}
		for i, n := range counts {
			r.Changes[places[i]].Orphans = &diff.Orphans{Count: n.Count, More: n.More}
		}
		places = places[len(some):]
	}
	return nil
}

// compare loads two schemas and compares them. What is wrong with either is printed.
func (c *console) compare(a, b string, load func(string) (*zed.Schema, []finding.Finding, error)) (diff.Result, error) {
	before, wrong, err := load(a)
	if err != nil {
		return diff.Result{}, err
	}
	after, more, err := load(b)
	if err != nil {
		return diff.Result{}, err
	}
	if wrong = append(wrong, more...); len(wrong) > 0 {
		for _, f := range wrong {
			fmt.Fprintln(c.err, f)
		}
		return diff.Result{}, usage{errors.New("there is no comparing schemas that do not compile")}
	}
	return diff.Compare(before, after), nil
}
