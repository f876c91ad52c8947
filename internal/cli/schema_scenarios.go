package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/schemacheck/scenario"
)

func (c *console) schemaTest() *cobra.Command {
	var permissions, definitions []string
	var watch bool
	var reports reportFlags
	cmd := &cobra.Command{
		Use:   "test [FILE|DIRECTORY|PATTERN]…",
		Short: "Run scenarios: accounts and members, and who may do what",
		Long: `Test runs scenario files: a tree of accounts with its members, and what must
follow from them, in sentences such as "ada may read_users in acme". They are run
by the directory's own rules against the schema that is built from the catalogue,
the permissions that an application adds, and its definitions; in this process, and
without touching any data. Without a path it runs the folder scenarios, or the
current one if there is none. Exit code 1 if anything failed.`,
		Example: "  tenantry schema test scenarios --report junit=scenarios.xml\n  tenantry schema test --permissions shop.yaml --definitions shop.zed --watch",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := reports.check(); err != nil {
				return err
			}
			if len(paths) == 0 {
				paths = scenarioFolder()
			}
			model := func() (*scenario.Model, error) { return scenarioModel(permissions, definitions) }
			if watch {
				files := slices.Concat(permissions, definitions)
				return c.watchScenarios(cmd.Context(), scenario.Watched{Paths: paths, Model: model, Files: files}, reports)
			}
			m, err := model()
			if err != nil {
				return err
			}
			result, err := scenario.Run(cmd.Context(), paths, m)
			if err != nil {
				return err
			}
			return c.write(result, reports)
		},
	}
	f := cmd.Flags()
	reports.register(f)
	f.StringSliceVar(&permissions, "permissions", nil, "files with permissions of the application, in the form of schema/permissions.yaml")
	f.StringSliceVar(&definitions, "definitions", nil, "files with SpiceDB definitions of the application")
	f.BoolVar(&watch, "watch", false, "run again what is concerned whenever a file changes, until interrupted")
	return cmd
}

// scenarioFolder is where scenarios are if no path says so.
func scenarioFolder() []string {
	const usual = "scenarios"
	if info, err := os.Stat(usual); err == nil && info.IsDir() {
		return []string{usual}
	}
	return []string{"."}
}

func scenarioModel(permissions, definitions []string) (*scenario.Model, error) {
	catalogueFiles, err := app.Sources(permissions)
	if err != nil {
		return nil, err
	}
	definitionFiles, err := app.Sources(definitions)
	if err != nil {
		return nil, err
	}
	return scenario.NewModel(catalogueFiles, definitionFiles)
}

// watchScenarios writes the report of each round below the time of day, until ctx ends or nobody reads any more.
func (c *console) watchScenarios(ctx context.Context, what scenario.Watched, reports reportFlags) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var unwritten error
	err := scenario.Watch(ctx, what, func(r scenario.Round) {
		if unwritten = c.scenarioRound(r, reports); unwritten != nil {
			stop()
		}
	})
	return errors.Join(err, unwritten)
}

// scenarioRound writes one round; errors are the writer's.
func (c *console) scenarioRound(r scenario.Round, reports reportFlags) error {
	if _, err := fmt.Fprintf(c.out, "\n%s\n", r.At.Format(time.TimeOnly)); err != nil {
		return err
	}
	if r.Err != nil {
		_, err := fmt.Fprintln(c.out, explain(r.Err))
		return err
	}
	if err := c.write(r.Report, reports); !errors.As(err, new(negative)) {
		return err
	}
	return nil
}
