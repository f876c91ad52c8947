package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenantry/tenantry/internal/schemacheck"
	"github.com/tenantry/tenantry/internal/schemacheck/finding"
	"github.com/tenantry/tenantry/internal/schemacheck/lint"
)

func (c *console) schemaValidate() *cobra.Command {
	var options schemacheck.Options
	var reports reportFlags
	var coverage coverageFlags
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIRECTORY|PATTERN]…",
		Short: "Check schemas and validation files of SpiceDB, and report every failure with its place",
		Long: `Validate compiles schemas (*.zed) and runs validation files (*.yaml, *.yml) in
SpiceDB's form, in this process: it loads a file's relationships, and runs its
assertions and expected relations. Schemas are looked at by lints as well, which
warn of what compiles and is hardly meant; see docs/lints.md. Without a path it
checks everything below the current directory. In a pattern, ** stands for any
number of directories.

All files are run, whatever fails in some. Exit code 1 if there is an error, or
with --strict a warning.`,
		Example: "  tenantry schema validate\n" +
			"  tenantry schema validate 'schemas/**/*.yaml' --format github --report junit=report.xml\n" +
			"  tenantry schema validate schema.zed --strict --disable-lint recursion-depth",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := reports.check(); err != nil {
				return err
			}
			if err := coverage.check(); err != nil {
				return err
			}
			if err := knownLints(options.DisableLints); err != nil {
				return err
			}
			if len(paths) == 0 {
				paths = []string{"."}
			}
			if !coverage.wanted() {
				result, err := schemacheck.Validate(cmd.Context(), paths, options)
				if err != nil {
					return err
				}
				return c.write(result, reports)
			}
			result, profile, err := schemacheck.ValidateCovered(cmd.Context(), paths, options)
			if err != nil {
				return err
			}
			enough, err := c.cover(profile, coverage, &result)
			if err != nil {
				return err
			}
			if err := c.write(result, reports); err != nil {
				return err
			}
			if !enough {
				return negative{}
			}
			return nil
		},
	}
	f := cmd.Flags()
	reports.register(f)
	coverage.register(f)
	f.StringSliceVar(&options.DisableLints, "disable-lint", nil, "lints to leave out: "+strings.Join(lintNames(), ", "))
	f.BoolVar(&options.WithoutLints, "no-lints", false, "report only what SpiceDB itself refuses, and failing assertions")
	return cmd
}

func lintNames() []string {
	all := lint.All()
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = l.Name
	}
	return names
}

func knownLints(names []string) error {
	known := lintNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return usage{fmt.Errorf("--disable-lint: there is no lint %s%s", name, finding.Suggest(name, known))}
		}
	}
	return nil
}
