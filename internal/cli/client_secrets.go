package cli

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/directory"
	"github.com/tenantry/tenantry/internal/identity"
)

func (c *console) clientSecrets() *cobra.Command {
	cmd := &cobra.Command{Use: "secrets ID", Short: "List the secrets of a client, the newest last: when they end, and were used", Args: cobra.ExactArgs(1)}
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		secrets, err := a.Directory.ListSecrets(ctx, system(env), account.ClientID(args[0]))
		if err != nil {
			return err
		}
		return c.table(func(w *tabwriter.Writer) {
			slices.SortStableFunc(secrets, func(a, b account.Versioned[directory.UsedSecret]) int {
				return a.Value.CreatedAt.Compare(b.Value.CreatedAt)
			})
			fmt.Fprintln(w, "ID\tMADE\tLAST USED\tENDS")
			for _, s := range secrets {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Value.ID, moment(&s.Value.CreatedAt), moment(s.Value.LastUsed), moment(s.Value.ExpiresAt))
			}
		})
	})
}

// moment is a time to the second; none is never.
func moment(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func (c *console) clientRotate() *cobra.Command {
	var overlap time.Duration
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make a new secret of a client and print the token, once",
		Long: `Make a new secret of a client. The token is printed once and kept only as a hash.

The secrets before go on for the overlap, so that the client can be given the new
one without a pause, and then end. With --overlap 0 they end at once.`,
		Example: "  tenantry client rotate shop\n  tenantry client rotate shop --overlap 0",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().DurationVar(&overlap, "overlap", directory.DefaultOverlap, "how long the secrets before go on, at most 720h")
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		id := account.ClientID(args[0])
		made, secret, err := a.Directory.AddSecret(ctx, directory.Request{Actor: system(env)}, id, overlap)
		if err == nil {
			c.showToken(identity.FormatToken(env, id, secret))
			fmt.Fprintf(c.err, "It is the secret %s of client %s.\n", made.Value.ID, id)
		}
		return err
	})
}

func (c *console) clientRevokeSecret() *cobra.Command {
	cmd := &cobra.Command{Use: "revoke-secret ID SECRET_ID", Short: "Revoke a secret of a client: it opens nothing from then on", Args: cobra.ExactArgs(2)}
	return c.aboutClient(cmd, func(ctx context.Context, a *app.App, env account.EnvironmentID, args []string) error {
		_, err := a.Directory.RevokeSecret(ctx, directory.Request{Actor: system(env)}, account.ClientID(args[0]), account.SecretID(args[1]))
		if err == nil {
			fmt.Fprintf(c.out, "secret %s revoked\n", args[1])
		}
		return err
	})
}
