package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/client"
	"github.com/tenantry/tenantry/internal/access"
	"github.com/tenantry/tenantry/internal/app"
)

func (c *console) explainCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "explain SUBJECT PERMISSION ACCOUNT",
		Short: "Ask whether a subject holds a permission on an account, and why",
		Long: `Explain prints "allowed" (exit code 0) or "denied" (exit code 1), and below it what
gives the permission, or why it is not held.

The subject is a user, an API token or an operator; the permission is a key of
the catalogue, or access: whether the account may be opened.`,
		Example: "  tenantry explain user:ada access account:globex-east\n  tenantry explain user:bob fe.secure.read.users account:globex --server http://127.0.0.1:8080",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.quietly(cmd)
			found, err := c.explain(cmd.Context(), &t, access.Question{Subject: args[0], Permission: args[1], Resource: args[2]})
			if err != nil {
				return err
			}
			verdict := "denied"
			if found.Allowed {
				verdict = "allowed"
			}
			fmt.Fprintln(c.out, verdict)
			for _, s := range found.Sources {
				fmt.Fprintln(c.out, "  "+reason(s))
			}
			for _, why := range found.Because {
				fmt.Fprintln(c.out, "  not: "+why)
			}
			if !found.Allowed {
				return negative{}
			}
			return nil
		},
	}
	t.register(cmd.Flags())
	return cmd
}

func (c *console) explain(ctx context.Context, t *target, q access.Question) (client.Explanation, error) {
	if t.server != "" {
		remote, err := t.client()
		if err != nil {
			return client.Explanation{}, err
		}
		return remote.Explain(ctx, q.Subject, q.Permission, q.Resource)
	}
	var out client.Explanation
	err := t.whole(ctx, c, func(a *app.App) error {
		if err := environmentExists(ctx, a, t.env); err != nil {
			return err
		}
		found, err := a.Access.Explain(ctx, system(t.env), q, 0)
		if err != nil {
			return err
		}
		out.Allowed = found.Allowed
		for _, s := range found.Sources {
			r := client.Reason{Via: string(s.Via), Account: string(s.At), Roles: texts(s.Roles), ExpiresAt: s.ExpiresAt}
			r.Roles = append(r.Roles, texts(s.Portal)...)
			out.Sources = append(out.Sources, r)
		}
		out.Because = texts(found.Because)
		return nil
	})
	return out, err
}

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// reason prints what gives a permission, e.g. "admin by grant at globex until 2035-01-31T18:00:00Z".
func reason(r client.Reason) string {
	text := source(r.Account, r.Via, r.Roles)
	if r.Via == string(access.OperatorRole) {
		text = strings.Join(r.Roles, "+") + " by operator_role"
	}
	if r.ExpiresAt != nil {
		text += " until " + r.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return text
}
