package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/fault"
)

// target says whom a question is put to: a server, or this machine's deployment.
type target struct {
	deployment
	env    account.EnvironmentID
	server string
	token  string
}

func (t *target) register(flags *pflag.FlagSet) {
	t.deployment.register(flags)
	flags.StringVarP((*string)(&t.env), "environment", "e", "production", "environment (of a server's: the token's)")
	flags.StringVar(&t.server, "server", "", "URL of the server to ask, e.g. http://127.0.0.1:8080 (default: look into --data or --database)")
	flags.StringVar(&t.token, "token", "", "token for that server; better given as TENANTRY_TOKEN")
}

func (t *target) client() (*client.Client, error) {
	c, err := client.New(t.server, t.token)
	if err != nil {
		return nil, usage{err}
	}
	return c, nil
}

func (c *console) checkCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "check SUBJECT PERMISSION RESOURCE",
		Short: "Ask whether a subject holds a permission on a resource",
		Long: `Check prints "allowed" (exit code 0) or "denied" (exit code 1).

A permission is a key of the catalogue, or a name of the schema: access is
whether the account may be opened. feature:KEY is the use of a feature: the account
has it, and the subject has the right there that the feature names.

tenantry explain says why.`,
		Example: "  tenantry check user:ada fe.account-hierarchy.read.subAccount account:globex\n  tenantry check user:bob access account:globex --server http://127.0.0.1:8080\n  tenantry check user:ada feature:reports account:globex",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.quietly(cmd)
			allowed, err := c.check(cmd.Context(), &t, access.Question{Subject: args[0], Permission: args[1], Resource: args[2]})
			if err != nil {
				return err
			}
			if !allowed {
				fmt.Fprintln(c.out, "denied")
				return negative{}
			}
			fmt.Fprintln(c.out, "allowed")
			return nil
		},
	}
	t.register(cmd.Flags())
	return cmd
}

func (c *console) check(ctx context.Context, t *target, q access.Question) (bool, error) {
	if t.server != "" {
		remote, err := t.client()
		if err != nil {
			return false, err
		}
		return remote.Check(ctx, q.Subject, q.Permission, q.Resource)
	}
	allowed := false
	err := t.whole(ctx, c, func(a *app.App) error {
		if err := environmentExists(ctx, a, t.env); err != nil {
			return err
		}
		said, err := a.Access.Check(ctx, system(t.env), []access.Question{q}, 0)
		if err != nil {
			return err
		}
		if said.Items[0].Err != nil {
			return said.Items[0].Err
		}
		allowed = said.Items[0].Allowed
		return nil
	})
	return allowed, err
}

// opened is an account that a user may open, as the command prints it.
type opened struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Depth     int       `json:"depth"`
	Path      []string  `json:"path"`
	CreatedAt time.Time `json:"created_at"`
	Sources   []string  `json:"sources"`
}

func (c *console) accountsCommand() *cobra.Command {
	var t target
	var f access.Filter
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "accounts USER",
		Short: "List the accounts that a user may open: the account switcher",
		Long: `Accounts lists every account that the user may open, with where the access comes
from: direct (member there), or inherited from an account above by grant, kept
(from an ended always_on) or always_on. The list is complete, or an error.`,
		Example: "  tenantry accounts ada\n  tenantry accounts ada --search acme --sort name --server http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.quietly(cmd)
			n := 0
			err := c.accounts(cmd.Context(), &t, account.UserID(args[0]), f, func(o opened) error {
				n++
				if asJSON {
					return json.NewEncoder(c.out).Encode(o)
				}
				indent := ""
				if f.Sort == "" || f.Sort == access.ByTree {
					indent = strings.Repeat("  ", o.Depth)
				}
				_, err := fmt.Fprintf(c.out, "%s%s (%s)  %s\n", indent, o.Name, o.ID, strings.Join(o.Sources, ", "))
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%d accounts\n", n)
			return nil
		},
	}
	t.register(cmd.Flags())
	fl := cmd.Flags()
	fl.StringVarP(&f.Query, "search", "q", "", "only accounts with this in their name or id")
	fl.StringVar((*string)(&f.Under), "under", "", "only this account and those below it")
	fl.StringVar(&f.Permission, "permission", "", "only where the user holds this permission, or may use this feature (feature:KEY)")
	fl.StringVar((*string)(&f.Sort), "sort", "tree", "tree, name or date (newest first)")
	fl.BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func (c *console) accounts(ctx context.Context, t *target, user account.UserID, f access.Filter, show func(opened) error) error {
	f.Limit = directory.MaxLimit
	if t.server == "" {
		return t.whole(ctx, c, func(a *app.App) error {
			if err := environmentExists(ctx, a, t.env); err != nil {
				return err
			}
			return localAccounts(ctx, a, t.env, user, f, show)
		})
	}
	remote, err := t.client()
	if err != nil {
		return err
	}
	opts := client.AccountsOptions{Query: f.Query, Under: string(f.Under), Permission: f.Permission, Sort: string(f.Sort), Limit: f.Limit}
	for a, err := range remote.AllAccounts(ctx, string(user), opts) {
		if err != nil {
			return err
		}
		o := opened{ID: a.ID, Name: a.Name, Depth: a.Depth, Path: []string{}, CreatedAt: a.CreatedAt}
		for _, p := range a.Path {
			o.Path = append(o.Path, p.ID)
		}
		for _, s := range a.Sources {
			o.Sources = append(o.Sources, source(s.Account, s.Via, s.Roles))
		}
		if err := show(o); err != nil {
			return err
		}
	}
	return nil
}

func localAccounts(ctx context.Context, a *app.App, env account.EnvironmentID, user account.UserID, f access.Filter, show func(opened) error) error {
	f.All = true
	reach, err := a.Access.Accounts(ctx, system(env), access.Subject{User: user}, f, 0)
	if err != nil {
		return err
	}
	for _, r := range reach.Accounts {
		o := opened{ID: string(r.ID), Name: r.Name, Depth: r.Depth(), Path: []string{}, CreatedAt: r.CreatedAt}
		for _, p := range r.Path {
			o.Path = append(o.Path, string(p.ID))
		}
		for _, s := range r.Sources {
			roles := make([]string, len(s.Roles))
			for i, key := range s.Roles {
				roles[i] = string(key)
			}
			o.Sources = append(o.Sources, source(string(s.At), string(s.Via), roles))
		}
		if err := show(o); err != nil {
			return err
		}
	}
	return nil
}

// source prints where access comes from, e.g. "admin by grant at globex".
func source(at, via string, roles []string) string {
	if via == string(access.Direct) {
		return strings.Join(roles, "+") + " here"
	}
	return strings.Join(roles, "+") + " by " + via + " at " + at
}

// environmentExists refuses a name that is none.
func environmentExists(ctx context.Context, a *app.App, env account.EnvironmentID) error {
	heads, err := a.Store.Heads(ctx)
	if err != nil {
		return err
	}
	if _, ok := heads[env]; !ok {
		return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s; make it with tenantry environment create, or name another with --environment", account.Quote(string(env)))
	}
	return nil
}
