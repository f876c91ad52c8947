package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
)

func (c *console) moveCommand() *cobra.Command {
	var t target
	var to account.ID
	var root, dryRun bool
	cmd := &cobra.Command{
		Use:   "move ACCOUNT (--to PARENT | --root)",
		Short: "Put an account with its branch below another, or make it a root",
		Long: `Move prints how many users gain and lose access to how many accounts of the branch.
Users alone are counted: not API tokens or operators, no blocked users, and no
memberships that have expired. With --dry-run it prints that and moves nothing.`,
		Example: "  tenantry move globex-east --to globex-us --dry-run\n  tenantry move globex-east --root --server http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.quietly(cmd)
			if root == (to != "") {
				return usage{errors.New("say where to: --to PARENT, or --root")}
			}
			done, err := c.move(cmd.Context(), &t, account.ID(args[0]), to, dryRun)
			if err != nil {
				return err
			}
			c.tellMove(args[0], to, dryRun, done)
			return nil
		},
	}
	t.register(cmd.Flags())
	fl := cmd.Flags()
	fl.StringVar((*string)(&to), "to", "", "the new parent")
	fl.BoolVar(&root, "root", false, "make it a root account")
	fl.BoolVar(&dryRun, "dry-run", false, "only print what would come of it")
	return cmd
}

func (c *console) move(ctx context.Context, t *target, id, parent account.ID, dryRun bool) (client.Move, error) {
	if t.server != "" {
		remote, err := t.client()
		if err != nil {
			return client.Move{}, err
		}
		return remote.MoveAccount(ctx, string(id), string(parent), dryRun)
	}
	var out client.Move
	err := t.directoryOnly(ctx, c, func(a *app.App) error {
		if err := environmentExists(ctx, a, t.env); err != nil {
			return err
		}
		r, err := a.Directory.MoveAccount(ctx, directory.Request{Actor: system(t.env), DryRun: dryRun}, id, parent)
		impact := r.Value.Impact
		out = client.Move{Moved: r.Value.Moved, Applied: r.Applied, Impact: client.Impact{
			Gains: client.Shift(impact.Gains), Loses: client.Shift(impact.Loses),
		}}
		return err
	})
	return out, err
}

func (c *console) tellMove(id string, to account.ID, dryRun bool, done client.Move) {
	place := "is a root account"
	if to != "" {
		place = "is below " + string(to)
	}
	switch {
	case dryRun:
		fmt.Fprintln(c.out, "a dry run: nothing was moved")
	case !done.Moved:
		fmt.Fprintf(c.out, "%s %s already\n", id, place)
	default:
		fmt.Fprintf(c.out, "%s %s now\n", id, place)
	}
	for _, s := range []struct {
		what string
		client.Shift
	}{{"gained", done.Impact.Gains}, {"lost", done.Impact.Loses}} {
		fmt.Fprintf(c.out, "access %s: users %d, accounts %d, pairs of a user and an account %d\n", s.what, s.Users, s.Accounts, s.Pairs)
	}
}
