package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/account"
	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/fault"
	"github.com/tenantry/tenantry/internal/httpapi"
	"github.com/tenantry/tenantry/internal/relay"
	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/schema"
)

func (c *console) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Build and validate schemas",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.schemaBuild(), c.schemaValidate())
	return cmd
}

func (c *console) schemaBuild() *cobra.Command {
	var permissions, definitions []string
	var output string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Generate the schema from the permission catalogue and an application's definitions",
		Long: `Build generates the SpiceDB schema from the built-in catalogue and core, the
permissions that an application adds, and its own definitions. Equal input gives
equal bytes. Mistakes are reported where they are in the source.`,
		Example: "  tenantry schema build --permissions shop.yaml --definitions shop.zed -o schema.zed",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := build(permissions, definitions)
			if err != nil {
				return err
			}
			if output == "" {
				_, err := fmt.Fprint(c.out, text)
				return err
			}
			return os.WriteFile(output, []byte(text), 0o644) //nolint:gosec // a schema is no secret
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&permissions, "permissions", nil, "files with permissions of the application, in the form of schema/permissions.yaml")
	f.StringSliceVar(&definitions, "definitions", nil, "files with SpiceDB definitions of the application")
	f.StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	return cmd
}

func build(permissions, definitions []string) (string, error) {
	catalogueFiles, err := app.Sources(permissions)
	if err != nil {
		return "", err
	}
	definitionFiles, err := app.Sources(definitions)
	if err != nil {
		return "", err
	}
	catalogue, err := schema.Parse(catalogueFiles...)
	if err != nil {
		return "", err
	}
	return schemacheck.Build(catalogue, definitionFiles...)
}

func (c *console) schemaValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE|DIRECTORY|PATTERN…",
		Short: "Run SpiceDB validation files and report every failure with its place",
		Long: `Validate compiles each file's schema, loads its relationships, and runs its
assertions and expected relations, in this process. All files are run, whatever
fails in some. Exit code 1 if anything failed.`,
		Example: "  tenantry schema validate schema/validation\n  tenantry schema validate 'schemas/*.yaml'",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := schemacheck.Validate(cmd.Context(), args)
			if err != nil {
				return err
			}
			if err := schemacheck.WriteText(c.out, report); err != nil {
				return err
			}
			if report.Failed() {
				return negative{}
			}
			return nil
		},
	}
}

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

With --dry-run it only reports; exit code 1 if there is drift.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.quietly(cmd)
			return d.with(cmd.Context(), c, app.Open, func(a *app.App) error {
				if err := a.Prepared(cmd.Context()); err != nil {
					return err
				}
				if !a.Engine.Durable() { // it is being filled; that is no drift
					if err := a.CatchUp(cmd.Context()); err != nil {
						return err
					}
				}
				envs, err := a.Directory.Environments(cmd.Context(), system(""))
				if err != nil {
					return err
				}
				drift, found := false, false
				for _, e := range envs {
					if env != "" && e.ID != env {
						continue
					}
					found = true
					result, err := a.Relay.Reconcile(cmd.Context(), e.ID, dryRun, c.bar("repairing").one(string(e.ID)))
					if err != nil {
						return err
					}
					c.reconciled(result)
					drift = drift || !result.Drift.Empty()
				}
				if env != "" && !found {
					return fault.New(fault.NotFound, "environment_not_found", "there is no environment %s", account.Quote(string(env)))
				}
				if drift && dryRun {
					return negative{}
				}
				return nil
			})
		},
	}
	d.register(cmd.Flags())
	cmd.Flags().StringVarP((*string)(&env), "environment", "e", "", "only this environment")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "report, and change nothing")
	return cmd
}

// reconciled prints what reconcile found, with a bounded number of examples.
func (c *console) reconciled(r relay.Reconciliation) {
	const shown = 20
	fmt.Fprintf(c.out, "environment %s at version %d: %d relationships, %d missing, %d extra, %d wrong",
		r.Environment, r.Version, r.Held, len(r.Drift.Missing), len(r.Drift.Extra), len(r.Drift.Wrong))
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

func (c *console) openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document of the HTTP API",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document, err := httpapi.OpenAPI()
			if err != nil {
				return err
			}
			_, err = c.out.Write(document)
			return err
		},
	}
}

func (c *console) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of Tenantry and of the SpiceDB in it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, spicedb := "unknown", "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
				for _, dep := range info.Deps {
					if dep.Path == "github.com/authzed/spicedb" {
						spicedb = dep.Version
					}
				}
			}
			_, err := fmt.Fprintf(c.out, "tenantry %s, spicedb %s, %s %s/%s\n", version, spicedb, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
